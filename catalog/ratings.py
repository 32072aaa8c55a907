"""Rating arithmetic. Ratings are stored in half-stars, 1 to 10, and shown in stars."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

HALF_STARS = range(1, 11)


def average(count: int, half_stars: int) -> Decimal | None:
    """Return the mean in stars, rounded half up to two decimals, None without ratings."""
    if not count:
        return None
    return (Decimal(half_stars) / (2 * count)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def average_from_histogram(stars: Mapping[int, int]) -> Decimal | None:
    """Return the mean of ratings that are given as counts per number of half-stars."""
    return average(sum(stars.values()), sum(half_stars * n for half_stars, n in stars.items()))


def histogram(stars: Mapping[int, int]) -> dict[str, int]:
    """Return the counts per rating, from 0.5 to 5.0 stars, as the API shows them."""
    return {f"{half_stars / 2:.1f}": stars.get(half_stars, 0) for half_stars in HALF_STARS}
