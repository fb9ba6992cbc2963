"""Success rates and their confidence intervals."""

import math
from typing import NamedTuple


class Rate(NamedTuple):
    """Successes in `n` episodes."""

    successes: int
    n: int

    @property
    def value(self) -> float | None:
        """Success rate; None where no episode was played."""
        return self.successes / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """95% confidence interval of the success rate."""
        return wilson_interval(*self)

    def pooled(self, other: "Rate") -> "Rate":
        """Returns the rate of both sets of episodes together."""
        return Rate(self.successes + other.successes, self.n + other.n)


def wilson_interval(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Returns a confidence interval of a success rate.

    Args:
        successes: number of successes, 0 to `n`.
        n: number of independent trials; the interval of none is (0, 1).
        z: standard deviations of a normal distribution; 1.96 gives 95% confidence.

    Raises:
        ValueError: `successes` or `n` out of range.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212.
    """
    if n < 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials, expected 0 <= successes <= trials")
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
