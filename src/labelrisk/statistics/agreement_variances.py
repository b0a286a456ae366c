"""What the agreement of a source's runs varies by: other test rows, with their chance per run, and other seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from labelrisk.statistics.agreement import alpha_influences, krippendorff_alpha, unchanged
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.intervals import Component, Interval, excess, t_interval
from labelrisk.statistics.run_variances import alike
from labelrisk.statistics.scores import Codes, Floats


class AgreementVariances:
    """Variance components of Krippendorff's alpha or p_uc over all sources, whose runs label the same rows.

      rows   the jackknife over rows; it holds the chance per row and run, too.  Paired for a difference of sources
      seeds  what the disagreements of pairs of runs vary by beyond that chance: see spread_of_pairs

    The seeds' part is one relative variance of the disagreement, of 1 - alpha as of 1 - p_uc: both count rows near a
    boundary that runs draw differently.  It is pooled over sources unless Bartlett's test finds that they differ.  A
    source of two runs has a single pair, and no seeds' part: its interval is about other rows alone.
    """

    def __init__(self, runs: Mapping[str, Codes], classes: int, statistic: Literal["alpha", "p_uc"]) -> None:
        """By source: runs (R, N), R >= 2, without missing labels."""
        if any(len(one) < 2 or (one == NO_LABEL).any() for one in runs.values()):
            raise ValueError("agreement varies over two runs or more that label all rows")
        self._runs = {name: len(one) for name, one in runs.items()}
        if statistic == "alpha":
            self._values = {name: krippendorff_alpha(one, classes) for name, one in runs.items()}
            self._influences = {name: alpha_influences(one, classes) for name, one in runs.items()}
        else:
            self._values = {name: unchanged(one) for name, one in runs.items()}
            self._influences = {name: (one == one[0]).all(axis=0) - self._values[name] for name, one in runs.items()}
        self._seeds = self._seed_components({n: disagreements(one, classes) for n, one in runs.items() if len(one) > 2})

    def of(self, source: str, confidence: float) -> Interval:
        """The agreement of a source's runs: symmetric in the logarithm of its distance from 1, which it can't pass."""
        found = self._interval({source: 1.0}, confidence)
        distance = 1 - found.estimate
        if distance <= 0:
            return found
        factor = float(np.exp((found.high - found.estimate) / distance))
        return found._replace(low=1 - distance * factor, high=1 - distance / factor)

    def difference(self, source: str, reference: str, confidence: float) -> Interval:
        """The agreement of a source's runs minus that of another's, on the same rows."""
        if source == reference:
            return self._interval({source: 0.0}, confidence)
        return self._interval({source: 1.0, reference: -1.0}, confidence)

    def _interval(self, weights: Mapping[str, float], confidence: float) -> Interval:
        estimate = sum(weight * self._values[name] for name, weight in weights.items())
        influences = sum((weight * self._influences[name] for name, weight in weights.items()), np.zeros(1))
        rows = len(influences)
        shares = {
            name: weight**2 * (1 - self._values[name]) ** 2 * 4 / self._runs[name] for name, weight in weights.items()
        }
        errors = [share * np.sqrt(self._seeds[name].uncertainty) for name, share in shares.items()]
        seeds = Component(
            sum(share * self._seeds[name].variance for name, share in shares.items()),
            float(sum(errors) ** 2 if self._pooled else sum(error**2 for error in errors)),  # one pool errs together
        )
        variance = float((influences**2).sum()) / (rows * (rows - 1))
        return t_interval(estimate, [Component.chi_square(variance, rows - 1), seeds], confidence)

    def _seed_components(self, values: Mapping[str, PairValues]) -> dict[str, Component]:
        spreads = {name: spread_of_pairs(one) for name, one in values.items()}
        self._pooled = len(values) > 1 and alike([one.of_runs for one in values.values()])
        if self._pooled:
            spreads = dict.fromkeys(values, Spread(*np.sum(list(spreads.values()), axis=0)))
        none = Component(0.0, 0.0)
        return {name: spreads[name].beyond_chance() if name in spreads else none for name in self._runs}


class PairValues(NamedTuple):
    """Influences on log(1 - alpha) of pairs of runs: their means, means by run, and what they vary by in rows.

    of_pairs (R, R), symmetric, 0 on the diagonal; of_runs (R,): without the run itself; chance: the sum of squares
    between pairs, within a row, expected by the chance of N rows.
    """

    of_pairs: Floats
    of_runs: Floats
    chance: float


class Spread(NamedTuple):
    """Sums of squares of pairs over R - 2, as sources' sums are added: of the runs, the rest, and both by chance."""

    main: float
    rest: float
    chance: float
    main_degrees: float
    rest_degrees: float

    def beyond_chance(self) -> Component:
        """The variance that one run contributes, with Satterthwaite's degrees of freedom."""
        total = self.main + self.rest
        rest = self.rest**2 / self.rest_degrees if self.rest_degrees else 0.0
        degrees = total**2 / (self.main**2 / self.main_degrees + rest) if total > 0 else self.main_degrees
        return excess(total / self.main_degrees, self.chance / self.main_degrees, degrees)


def spread_of_pairs(values: PairValues) -> Spread:
    """The analysis of variance of pairs (r, s) = mean + a_r + a_s + rest_rs, as a U-statistic of degree 2 has it.

    Agreement has the variance 4 Var(a) / R + 2 Var(rest) / (R (R - 1)) over seeds.  All of the pairs' spread is taken
    for that of a: 4 / R times sum of squares / ((R - 1) (R - 2)).  It is right where runs differ in a level, and too
    much where pairs have a rest; but to tell the two apart takes more seeds than a study has.
    Hoeffding, "A Class of Statistics with Asymptotically Normal Distribution" (1948); Efron & Stein (1981).
    """
    runs = len(values.of_runs)
    pairs = values.of_pairs[np.triu_indices(runs, 1)]
    total = float(((pairs - pairs.mean()) ** 2).sum())
    main = float(((values.of_runs - values.of_runs.mean()) ** 2).sum()) * (runs - 1) ** 2 / (runs - 2)
    rest = max(total - main, 0.0)
    return Spread(main / (runs - 2), rest / (runs - 2), values.chance / (runs - 2), runs - 1, runs * (runs - 3) / 2)


def disagreements(runs: Codes, classes: int) -> PairValues:
    """The influence of each pair of runs on log(1 - alpha) = log D_o - log D_e: runs (R, N), R >= 3.

    In row i: [x_ri != x_si] / D_o + (p(x_ri) + p(x_si)) / D_e, D_o the share of pairs that disagree, p(k) the share of
    class k, D_e = 1 - sum_k p(k)^2.  All 0 where no runs disagree.
    """
    number, rows = runs.shape
    pairs = number * (number - 1) / 2
    shares = np.bincount(runs.ravel(), minlength=classes) / runs.size
    expected = 1 - float((shares**2).sum())
    equal = sum(np.square((runs == code).sum(axis=0)).sum() for code in range(classes))
    observed = float(number**2 * rows - equal) / (2 * pairs * rows)
    of_pairs = np.zeros((number, number))
    if observed == 0:
        return PairValues(of_pairs, np.zeros(number), 0.0)
    of_row, squares = np.zeros(rows), 0.0
    for run in range(number - 1):  # one against all later ones: bounds memory at R N numbers
        values = (runs[run + 1 :] != runs[run]) / observed + (shares[runs[run + 1 :]] + shares[runs[run]]) / expected
        of_pairs[run, run + 1 :] = of_pairs[run + 1 :, run] = values.mean(axis=1)
        values -= values.mean(axis=1, keepdims=True)
        squares += float((values**2).sum())
        of_row += values.sum(axis=0)
    chance = (squares - float((of_row**2).sum()) / pairs) / (rows * (rows - 1))
    return PairValues(of_pairs, of_pairs.sum(axis=1) / (number - 1), chance)
