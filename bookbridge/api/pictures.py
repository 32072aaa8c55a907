"""Pictures of readers, clubs and books: where they are kept, what their addresses are, and when they go.

A picture is a file in Django's default storage, `folder/shard/owner-random.webp`, and its name is a column of what it
shows. A name has 128 random bits and is never used again, so that an address is known to nobody who was not shown it,
and what is behind it never changes. The file comes before the row that names it and goes after it: whatever is cut off
in between leaves a file that nobody knows of, which `sweep` deletes.
"""

import datetime
import logging
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import APIException

from bookbridge.api.errors import Unavailable
from bookbridge.api.links import absolute
from bookbridge.api.rows import batches
from bookbridge.api.tasks.decorators import task

logger = logging.getLogger("bookbridge.pictures")

NAME = re.compile(r"([a-z-]{1,20})/[0-9a-f]{2}/([0-9]{1,19})-[0-9a-f]{32}\.webp")
NAME_LENGTH = 100
BATCH = 500
# Longer than any upload takes.
UNCLAIMED_KEPT = datetime.timedelta(days=1)

# Each folder, with what tells which names are in use: those of some owners (ids), given the names in question.
folders: dict[str, Callable[[Collection[int], Collection[str]], set[str]]] = {}


def url_of(name: str) -> str | None:
    """Where a picture is, by its name; None without one. What is an address elsewhere stays one."""
    if not name or "://" in name:
        return name or None
    return absolute(default_storage.url(name))


def is_kept(name: str) -> bool:
    """Whether it is the name of a picture in the storage, and not an address elsewhere."""
    return bool(NAME.fullmatch(name))


@contextmanager
def kept(data: bytes, *, folder: str, owner: int) -> Iterator[str]:
    """Write a picture, to be claimed inside by the row that shows it; a refusal inside deletes it again."""
    random = secrets.token_hex(16)
    try:
        name = default_storage.save(f"{folder}/{random[:2]}/{owner}-{random}.webp", ContentFile(data))
    except OSError as error:
        logger.error("a picture could not be written", exc_info=error)
        raise Unavailable from None
    try:
        yield name
    except (APIException, Http404, IntegrityError):
        default_storage.delete(name)
        raise


def discard(name: str) -> None:
    """Delete a picture once the transaction around is committed, if it is one that is kept here."""
    if is_kept(name):
        delete_file.enqueue(name=name)


@task(atomic=False)
def delete_file(*, name: str) -> None:
    """Delete a file, if it exists."""
    default_storage.delete(name)


def sweep() -> int:
    """Delete the files that no row has claimed within a day; how many."""
    deleted = 0
    for names in _batches():
        unclaimed = [name for name in names if _is_old(name)]
        owners: dict[str, set[int]] = {}
        for name in unclaimed:
            if match := NAME.fullmatch(name):
                owners.setdefault(match[1], set()).add(int(match[2]))
        used = {name for folder, ids in owners.items() for name in folders[folder](ids, unclaimed)}
        for name in set(unclaimed) - used:
            default_storage.delete(name)
            deleted += 1
    return deleted


def _batches() -> Iterator[list[str]]:
    for folder in folders:
        for shard in _listing(folder)[0]:
            names = [f"{folder}/{shard}/{file}" for file in _listing(f"{folder}/{shard}")[1]]
            yield from batches(names, BATCH)


def _listing(path: str) -> tuple[list[str], list[str]]:
    """The folders and the files in one; nothing where none was ever made."""
    try:
        return default_storage.listdir(path)
    except FileNotFoundError:
        return [], []


def _is_old(name: str) -> bool:
    try:
        return default_storage.get_modified_time(name) < timezone.now() - UNCLAIMED_KEPT
    except FileNotFoundError:  # deleted a moment ago
        return False
