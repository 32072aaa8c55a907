"""How ratings are counted and told: in half-stars, 1 to 10, inside; in stars outside."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

HALF_STARS = range(1, 11)


def average(count: int, half_stars: int) -> Decimal | None:
    """The mean in stars of `count` ratings that are `half_stars` in sum: two decimals, halves rounded up, or None."""
    if not count:
        return None
    return (Decimal(half_stars) / (2 * count)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def average_of(stars: Mapping[int, int]) -> Decimal | None:
    """The mean of ratings given as how many there are of each number of half-stars."""
    return average(sum(stars.values()), sum(half_stars * n for half_stars, n in stars.items()))


def histogram(stars: Mapping[int, int]) -> dict[str, int]:
    """How many ratings of each kind there are, from 0.5 to 5.0 stars, as answers tell it."""
    return {f"{half_stars / 2:.1f}": stars.get(half_stars, 0) for half_stars in HALF_STARS}
