"""Bartlett's test, beside SciPy's."""

import numpy as np
import pytest
from scipy.stats import bartlett

from labelrisk.statistics.equal_variances import bartlett_p


def test_p_by_hand():
    """Variances 1 and 4, three numbers each: s^2 = 2.5, T = (4 log 2.5 - 2 log 4) / (1 + (1 - 1/4) / 3), one degree."""
    statistic = (4 * np.log(2.5) - 2 * np.log(4)) / 1.25
    assert statistic == pytest.approx(0.714, abs=1e-3)
    assert bartlett_p([np.array([0.0, 1, 2]), np.array([0.0, 2, 4])]) == pytest.approx(0.398, abs=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_p_is_that_of_scipy(seed):
    generator = np.random.default_rng(seed)
    samples = [
        generator.normal(0.7, 10.0 ** -generator.integers(1, 4), generator.integers(2, 12))
        for _ in range(generator.integers(2, 9))
    ]
    assert bartlett_p(samples) == pytest.approx(bartlett(*samples).pvalue, rel=1e-9)
