"""What several studies say together: the median gap over tasks, and sign tests of the papers' two claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from labelrisk.statistics.sign_tests import Median, SignTest, median, sign_test
from labelrisk.studies.figures import RAN, Figures, Study

CONFIDENCE = 0.95  # of a median's interval
ONE_EACH = "one source of each study"
Chosen = Mapping[str, Sequence[Figures]]  # by study: the sources that are shown


class Sum(NamedTuple):
    """One measure over tasks; values are differences to gold, those below 0 a loss."""

    median: Median
    test: SignTest


class Line(NamedTuple):
    """A line of the summary: what it is over, the studies that count with the source of each, and two measures.

    alpha: None where no study has the stability of seeds.
    """

    over: str
    sources: Mapping[str, str]
    gap: Sum
    alpha: Sum | None


class Summary(NamedTuple):
    """Lines; one_each: by study the source that stands for it; left_out: studies that no line counts and why; remarks:
    what to know of those that count.
    """

    lines: list[Line]
    one_each: Mapping[str, str]
    left_out: list[str]
    remarks: list[str]


def summary(studies: Sequence[Study], chosen: Chosen, named: Sequence[str] = ()) -> Summary:
    """The summary over the studies that ran, where there are several.

    One line for each source that several studies have under the same name; and one over a single source of each study,
    since several LLMs of one study share its texts and are not independent tasks: the first of `named` that it has, or
    else the first in its params.yaml that takes an LLM's labels as they are, a choice that looks at no result.
    """
    ran = [study for study in studies if study.state == RAN]
    counting, left_out = _independent(ran)
    pairs = [(study, of) for study in counting for of in chosen[study.name]]
    shared = Counter(of.source for _, of in pairs)
    lines = [_line(name, [pair for pair in pairs if pair[1].source == name]) for name in shared if shared[name] > 1]
    each = [(study, one) for study in counting if (one := _one_of(study, named))]
    one_each = dict(_names(each))
    if len(each) > 1 and one_each not in [line.sources for line in lines]:
        lines.append(_line(ONE_EACH, each))
    without = [study.name for study in counting if study.name not in one_each]
    if without:
        what = "has none of the named sources" if named else "takes no LLM's labels as they are"
        left_out += [f"{name} {what}" for name in without]
    return Summary(lines, one_each if lines else {}, left_out, _remarks(each))


def _independent(ran: Sequence[Study]) -> tuple[list[Study], list[str]]:
    """Studies against gold, one of those about the same texts; and why others are left out."""
    counting: dict[str, Study] = {}
    left_out = []
    for study in ran:
        if not study.against_gold:
            left_out.append(f"{study.name} is held against {study.reference}, which is not gold")
        elif study.task in counting:
            left_out.append(f"{study.name} is about the same texts as {counting[study.task].name}, so that one counts")
        else:
            counting[study.task] = study
    return list(counting.values()), left_out


def _one_of(study: Study, named: Sequence[str]) -> Figures | None:
    by_name = {of.source: of for of in study.sources}
    if named:
        return next((by_name[name] for name in named if name in by_name), None)
    return next((of for of in study.sources if of.is_plain and of.is_llm), None)


def _names(pairs: Iterable[tuple[Study, Figures]]) -> Iterable[tuple[str, str]]:
    return ((study.name, of.source) for study, of in pairs)


def _line(over: str, pairs: Sequence[tuple[Study, Figures]]) -> Line:
    alphas = [of.alpha_difference for _, of in pairs if of.alpha_difference is not None]
    return Line(over, dict(_names(pairs)), _sum([of.difference for _, of in pairs]), _sum(alphas) if alphas else None)


def _sum(values: Sequence[float]) -> Sum:
    return Sum(median(values, CONFIDENCE), sign_test(values))


def _remarks(each: Sequence[tuple[Study, Figures]]) -> list[str]:
    """Of the studies that count: gaps of students that have not converged, and annotators that are no LLM."""
    stand_ins = [f"{study.name} ({of.source})" for study, of in each if of.is_stand_in]
    short = [f"{study.name} ({of.source})" for study, of in each if of.verdict == "not trained enough"]
    remarks = []
    if stand_ins:
        remarks.append(f"The annotator of {', '.join(stand_ins)} is the embedded model, which stands in for an LLM")
    if short:
        remarks.append(f"Not trained enough, so that the gap may be one of training: {', '.join(short)}")
    return remarks
