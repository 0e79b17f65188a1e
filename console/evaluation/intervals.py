"""How sure a share is."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959964


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
