"""The ensembles of a study, and what each says of the test rows, in each way to put its students together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.chosen_ensemble import predicted_rows
from labelrisk.comparison.frontier import kind_of
from labelrisk.comparison.study import Students, Study
from labelrisk.params import ACROSS
from labelrisk.settings.ensembles import EnsemblesSettings
from labelrisk.statistics.ensemble_redraws import Subset, subset_votes
from labelrisk.statistics.ensembles import (
    Stacker,
    best_penalty,
    log_probabilities,
    mixture_weights,
    shared_weights,
    weighted_votes,
)
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.pseudo_runs import PseudoRuns, halves, mean_runs, pseudo_runs
from labelrisk.statistics.scores import Codes, Floats, confusion, macro_f1
from labelrisk.statistics.votes import mean_probabilities, soft_vote

ALL_OF = "all of "  # the name of an annotator follows

Way = Literal["mean student", "best student", "vote", "weighted vote", "stacked"]
TOGETHER: tuple[Way, ...] = ("vote", "weighted vote", "stacked")  # that take all members to predict
WAYS: tuple[Way, ...] = ("mean student", "best student", *TOGETHER)
Probabilities = NDArray[np.floating[Any]]


class Said(NamedTuple):
    """Of a pool, by way: the classes of the test rows, (1 + P, N), of all seeds and of each part of them."""

    codes: dict[Way, Codes]
    parts: list[Subset]


NOTHING = Said({}, [])  # what the mean student needs


@dataclass(frozen=True, eq=False)
class Pool:
    """Students that may be put together: of one source, where they are the members, or of several, whose votes are.

    gold: of the test rows (N,); of_validation: gold of the validation rows that all of them predicted, (V,).
    validation: by source the probabilities on these, (R, V, K).
    """

    name: str
    students: tuple[Students, ...]
    gold: Codes
    of_validation: Codes
    validation: tuple[Probabilities, ...]

    @property
    def size(self) -> int:
        """How many students have to be asked for a prediction."""
        return sum(len(of.predictions) for of in self.students)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.students[0].probabilities.shape[-1])

    def together(self, part: Subset | None = None) -> Probabilities:
        """The probabilities of its members on the test rows, (M, N, K); part: of these seeds alone."""
        return _members([of.probabilities for of in self.students], part)

    def runs(self, way: Way, metric: Metric, said: Said) -> PseudoRuns:
        """The share of each seed in a score."""
        if way == "mean student":
            predictions, counts = ([getattr(of, name) for of in self.students] for name in ("predictions", "counts"))
            return mean_runs(self.gold, predictions, counts, metric)
        return pseudo_runs(self.gold, said.codes[way], said.parts, self.classes, metric)

    def said(self, settings: EnsemblesSettings) -> Said:
        """What all seeds together say of the test rows, and halves of them.

        Ways that learn from validation rows are missing where these are too few, the best student where there are none.
        They learn once, from all seeds: halves have the same weights, a missing member's shared by the others.
        """
        rows, seeds = len(self.of_validation), len(self.students[0].predictions)
        every = tuple(range(seeds))
        parts = halves(seeds, np.random.default_rng(settings.seed))
        learns = rows >= settings.validation_rows
        asked = [every, *parts]
        if len(self.students) == 1:
            found = self._of_students(asked, settings if learns else None)
        else:
            found = self._of_votes(asked, settings if learns else None)
        if rows:
            found["best student"] = np.stack([self._best_student(part) for part in asked])
        return Said({way: codes.astype(np.int32) for way, codes in found.items()}, parts)

    def _of_students(self, asked: Sequence[Subset], learns: EnsemblesSettings | None) -> dict[Way, Codes]:
        """Where the members are students, of whom parts are asked."""
        members = self.together()
        found: dict[Way, Codes] = {"vote": subset_votes(members, asked)}
        if learns is not None:
            weights, stacker = self._learned(learns)
            shared = np.zeros((len(asked), len(members)))
            for place, part in enumerate(asked):
                shared[place, list(part)] = shared_weights(weights, part)
            logs = log_probabilities(members)
            found["weighted vote"] = weighted_votes(members, shared)
            found["stacked"] = np.stack([stacker.vote(logs, part) for part in asked])
        return found

    def _of_votes(self, asked: Sequence[Subset], learns: EnsemblesSettings | None) -> dict[Way, Codes]:
        """Where the members are votes of sources, of parts of the seeds."""
        learned = None if learns is None else self._learned(learns)
        found: dict[Way, list[Codes]] = {"vote": []}
        for part in asked:
            members = self.together(part)
            found["vote"].append(soft_vote(members))
            if learned is not None:
                weights, stacker = learned
                found.setdefault("weighted vote", []).append(weighted_votes(members, weights[None])[0])
                found.setdefault("stacked", []).append(stacker.vote(log_probabilities(members)))
        return {way: np.stack(codes) for way, codes in found.items()}

    def _learned(self, settings: EnsemblesSettings) -> tuple[Floats, Stacker]:
        """The weights of members and what stacks them, from validation rows."""
        members = _members(self.validation, None)
        logs = log_probabilities(members)
        penalty = best_penalty(logs, self.of_validation, np.random.default_rng(settings.seed))
        return mixture_weights(members, self.of_validation), Stacker(logs, self.of_validation, penalty)

    def _best_student(self, part: Subset) -> Codes:
        """The test predictions of the student with the highest macro-F1 on validation rows; the first of equals."""
        scores = {
            (source, seed): float(macro_f1(confusion(self.of_validation, run.argmax(axis=-1), self.classes)))
            for source, of in enumerate(self.validation)
            for seed, run in enumerate(of)
            if seed in part
        }
        source, seed = max(scores, key=lambda one: scores[one])
        predictions: Codes = self.students[source].predictions[seed]
        return predictions


def pools(study: Study) -> Iterator[Pool]:
    """A pool for each source; for ensemble.across, called so; and for all sources of an annotator, `all of NAME`.

    Of an annotator those with its labels, repaired or chosen or as they are, and not gold with noise like its errors;
    only where they are two or more, and others than in ensemble.across.
    """
    settings, seen = study.settings, set()
    groups: dict[str, Sequence[str]] = {source: (source,) for source in settings.sources}
    groups[ACROSS] = settings.ensemble.across
    for annotator in settings.labellers:
        if not settings.is_gold(annotator):
            groups[f"{ALL_OF}{annotator}"] = [
                name
                for name, source in settings.sources.items()
                if source.annotator == annotator
                and name != settings.evaluate.reference
                and kind_of(source, by_gold=False) not in ("gold", "noise")
            ]
    for name, sources in groups.items():
        if (len(sources) > 1 or name in settings.sources) and frozenset(sources) not in seen:
            seen.add(frozenset(sources))
            yield pool_of(study, name, sources)


def pool_of(study: Study, name: str, sources: Sequence[str]) -> Pool:
    """The students of these sources as one pool."""
    students = tuple(study.students[source] for source in sources)
    told = predicted_rows(*(of.validation for of in students))
    validation = tuple(of.validation[:, told] for of in students)
    return Pool(name, students, study.test.gold, study.validation.gold[told], validation)


def _members(of_sources: Sequence[Probabilities], part: Subset | None) -> Probabilities:
    """The members of an ensemble, (M, N, K), of some seeds: the students of one source, or the votes of several."""
    kept = of_sources if part is None else [of[list(part)] for of in of_sources]
    return kept[0] if len(kept) == 1 else np.stack([mean_probabilities(of) for of in kept])
