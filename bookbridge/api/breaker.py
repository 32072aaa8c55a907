"""A circuit breaker: what has just failed is left alone for a while, so that not each caller pays its time-out."""

import time


class Breaker:
    """Open (no calls) for `seconds` after each failure. Threads share it; a race costs one time-out more."""

    def __init__(self, seconds: float = 5.0) -> None:
        self.seconds = seconds
        self.closed_again_at = 0.0

    def trip(self) -> None:
        """Leave the server alone from now on, for a while."""
        self.closed_again_at = time.monotonic() + self.seconds

    def reset(self) -> None:
        """It works again."""
        self.closed_again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the server is being left alone."""
        return time.monotonic() < self.closed_again_at

    def admits(self) -> bool:
        """Whether a caller may try: everybody until it fails; after a failure one at a time, each `seconds` apart."""
        if self.is_open:
            return False
        if self.closed_again_at:
            self.trip()
        return True
