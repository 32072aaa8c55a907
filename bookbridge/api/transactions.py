"""Transactions under contention."""

import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

P = ParamSpec("P")
T = TypeVar("T")

# Deadlock found, lock wait timed out: the server undid the work and asks for another try.
TRANSIENT = {1205, 1213}
ATTEMPTS = 4


def retrying_atomic(function: Callable[P, T]) -> Callable[P, T]:
    """Run `function` in a transaction, again from the start if the database lost it to a deadlock.

    At most three more tries with a little random delay between them. Inside another transaction it is a plain
    savepoint: after a deadlock only the outermost transaction can be begun again.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                transient = bool(error.args) and error.args[0] in TRANSIENT
                if connection.in_atomic_block or not transient or attempt == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        raise AssertionError("unreachable")

    return run


@contextmanager
def conflict_as(error: Exception) -> Iterator[None]:
    """Raise `error` where a constraint refuses the write inside; the transaction around stays usable.

    >>> with conflict_as(Conflict("username_taken", _("..."))):
    ...     user.save()
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as lost:
        raise error from lost
