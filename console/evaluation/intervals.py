"""How sure a share is, and a mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

Z95 = 1.959964
# Student's t, 97.5 %, for 1 to 30 degrees of freedom.
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def wilson(successes: float, trials: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval, 95 %: (low, high). Of no trials nothing is known: (0, 1).

    Unlike the usual p ± z·√(p(1-p)/n) it is right for few trials and for 0 and 100 %.
    `successes` may count a tie as one half.
    """
    if not trials:
        return 0.0, 1.0
    share = successes / trials
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    middle, whole = share + z * z / (2 * trials), 1 + z * z / trials
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def paired(differences: Sequence[float]) -> tuple[float, float]:
    """Student's interval, 95 %, of the mean of what pairs of scores (0 to 1) differ by. Of fewer
    than two nothing is known: (-1, 1)."""
    if len(differences) < 2:
        return -1.0, 1.0
    freedom = len(differences) - 1
    t = _T95[freedom - 1] if freedom <= len(_T95) else Z95 + 2.5 / freedom
    middle, spread = fmean(differences), t * stdev(differences) / sqrt(len(differences))
    return max(-1.0, middle - spread), min(1.0, middle + spread)
