"""Terms of the page and what they mean, for readers who know neither the papers nor this project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Term(NamedTuple):
    """name: as a sentence says it; also: other forms; means: one or two sentences."""

    name: str
    means: str
    also: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its id on the page."""
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


TERMS = (
    Term("annotator", "Who labels the texts: an LLM, another model, or people.", ("annotators", "annotator's")),
    Term("gold", "The human labels that count as true. Test rows have them; all scores are against them."),
    Term(
        "label source",
        "What a student is trained on: whose labels, for which rows, and what was done to the doubtful ones.",
        ("label sources", "source", "sources"),
    ),
    Term("student", "A classifier that was fine-tuned on the labels of one source.", ("students",)),
    Term(
        "seed",
        "A number that fixes all that is random in a training. Students of one source differ by it alone.",
        ("seeds",),
    ),
    Term("reference", "The source that all others are held against, most often gold."),
    Term(
        "macro-F1",
        "The mean over classes of F1, which is the harmonic mean of precision and recall. Rare classes count as much "
        "as frequent ones.",
        ("F1",),
    ),
    Term("accuracy", "The share of rows whose label is that of gold."),
    Term("recall", "Of the rows that gold gives to a class, the share that are labelled so."),
    Term("precision", "Of the rows that are labelled as a class, the share that gold gives to it, too."),
    Term("points", "Shares times 100: from 0.70 to 0.72 are 2 points."),
    Term(
        "interval",
        "The range that holds the true value with the stated confidence. It allows for other test rows and, where "
        "students are compared, for other seeds.",
        ("intervals",),
    ),
    Term(
        "margin", "The loss of macro-F1 that params.yaml accepts (evaluate.margin), in points.", ("accepted loss",)
    ),
    Term(
        "alpha",
        "Krippendorff's alpha with the seeds as raters: 1 if all students of a source say the same, 0 if they agree no "
        "more than by chance.",
    ),
    Term("p_uc", "The share of test rows that all seeds label alike. It falls with more seeds."),
    Term(
        "coverage",
        "The share of rows that got a label at all. A refusal or an answer that is no class counts as wrong.",
    ),
    Term(
        "vote",
        "The students of all seeds together: a hard vote counts their labels, a soft vote adds their probabilities.",
        ("votes", "soft vote", "hard vote"),
    ),
    Term(
        "control",
        "A source that only tells why: the same done to as many rows at random, or errors that fall at random.",
        ("controls", "random twin", "noise twin", "twin"),
    ),
    Term(
        "Holm",
        "A correction of significance for the number of comparisons: with many of them, some differ by chance.",
    ),
    Term("entropy", "How spread out probabilities or votes are: 0 if all is on one class."),
    Term(
        "risky", "A verdict: the source surely loses more macro-F1 than the margin: the whole interval lies below it."
    ),
    Term("safe", "A verdict: the source surely loses less macro-F1 than the margin."),
    Term("can't tell", "A verdict: neither risky nor safe for sure. More seeds or test rows might tell."),
    Term(
        "unstable",
        "A verdict: the students of different seeds agree less than those of the reference, for sure, and by more than "
        "is accepted (evaluate.stability_margin).",
    ),
    Term(
        "loses a class",
        "A verdict: a class that the reference finds is never predicted, or its recall surely falls by more than is "
        "accepted (evaluate.class_margin).",
    ),
    Term("not trained enough", "A verdict: students have not converged, so that a gap may be one of training."),
    Term(
        "no better than random",
        "A verdict: choosing the rows gains less than the margin over choosing as many at random, for sure.",
    ),
    Term("slice", "A part of the test rows by a column of the corpus, such as an outlet.", ("slices",)),
)  # fmt: skip
FORMS = {form.lower(): term for term in TERMS for form in (term.name, *term.also)}
_PATTERN = re.compile(
    r"(?<![\w-])(" + "|".join(sorted(map(re.escape, FORMS), key=len, reverse=True)) + r")(?![\w-])", re.IGNORECASE
)


def marked(sentence: str) -> Iterator[tuple[str, Term | None]]:
    """The sentence in pieces, each term at its first place with what it means; the pieces together are the sentence."""
    last, seen = 0, set()
    for found in _PATTERN.finditer(sentence):
        term = FORMS[found[0].lower()]
        if term.key in seen:
            continue
        seen.add(term.key)
        yield sentence[last : found.start()], None
        yield found[0], term
        last = found.end()
    yield sentence[last:], None
