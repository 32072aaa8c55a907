"""Transactions that handle deadlocks and constraint violations."""

import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction
from prometheus_client import Counter

P = ParamSpec("P")
RETRIES = Counter("bookbridge_db_retries_total", "Number of transactions that were run again after a conflict.")
T = TypeVar("T")

# Lock wait timeout and deadlock: the transaction can be retried.
RETRYABLE_MYSQL_ERRORS = {1205, 1213}
# On Galera, writers on two nodes conflict at COMMIT, and again and again. A lock wait timeout takes long by itself.
MIN_ATTEMPTS, MAX_ATTEMPTS, MAX_SECONDS = 4, 8, 3.0


def atomic_with_retry(function: Callable[P, T]) -> Callable[P, T]:
    """Run `function` in a transaction, and retry it if the database reports a deadlock or a lock wait timeout.

    Retries three times, with random delays that grow, and up to seven times within three seconds. Inside another
    transaction it is a plain savepoint, because only the outermost transaction can be retried.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        started = time.monotonic()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                retryable = bool(error.args) and error.args[0] in RETRYABLE_MYSQL_ERRORS
                late = attempt >= MIN_ATTEMPTS and time.monotonic() - started > MAX_SECONDS
                if connection.in_atomic_block or not retryable or late or attempt == MAX_ATTEMPTS:
                    raise
                RETRIES.inc()
                time.sleep(random.uniform(0.01, 0.02) * min(2**attempt, 32))
        raise AssertionError("unreachable")

    return run


@contextmanager
def conflict_on_integrity_error(error: Exception | Callable[[], Exception | None]) -> Iterator[None]:
    """Raise `error` if a constraint is violated inside the block; the outer transaction remains usable.

    `error` may be a function that looks for the other row and returns the error, or None if it was deleted meanwhile.

    >>> with conflict_on_integrity_error(Conflict("username_taken", _("..."))):
    ...     user.save()
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as violation:
        conflict = error() if callable(error) else error
        raise conflict or violation from violation
