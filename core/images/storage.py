"""Storage of uploaded images in Django's default storage, as `folder/shard/owner-random.webp`.

Each image has smaller copies beside it, `…-64.webp` and `…-256.webp`, named by their width. Names contain 128
random bits and are never reused, so URLs cannot be guessed and can be cached forever. Files are written before and
deleted after the row that names them; `delete_orphans` removes leftovers of interrupted requests.
"""

import datetime
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import APIException

from core.api.exceptions import ServiceUnavailable
from core.db.locking import batched
from core.observability.request_context import build_absolute_url
from core.registry import image_folders
from core.tasks.decorators import task

logger = logging.getLogger("bookbridge.images")

SMALLER_WIDTHS = (64, 256)
_STEM = r"(?P<stem>(?P<folder>[a-z-]{1,20})/[0-9a-f]{2}/(?P<owner>[0-9]{1,19})-[0-9a-f]{32})"
STORED_NAME_PATTERN = re.compile(rf"{_STEM}\.webp")
STORED_FILE_PATTERN = re.compile(rf"{_STEM}(?:-(?:{'|'.join(map(str, SMALLER_WIDTHS))}))?\.webp")
NAME_LENGTH = 100
BATCH_SIZE = 500
# Longer than any upload takes, so that files of running requests are not deleted.
ORPHAN_GRACE = datetime.timedelta(days=1)


def image_url(name: str) -> str | None:
    """Return the URL of a stored image, None without a name. External URLs are returned unchanged."""
    if not name or "://" in name:
        return name or None
    return build_absolute_url(default_storage.url(name))


def is_stored_name(name: str) -> bool:
    """Return whether this is the name of a stored image and not an external URL."""
    return bool(STORED_NAME_PATTERN.fullmatch(name))


def get_full_name(file: str) -> str:
    """Return the name of the image that this is a file of, which may be a smaller copy; "" for other files."""
    match = STORED_FILE_PATTERN.fullmatch(file)
    return f"{match['stem']}.webp" if match else ""


def get_smaller_name(name: str, width: int) -> str:
    """Return the name of a smaller copy of a stored image."""
    return f"{name.removesuffix('.webp')}-{width}.webp"


@contextmanager
def store_image(
    data: bytes, *, folder: str, owner_id: int, smaller: Mapping[int, bytes] = MappingProxyType({})
) -> Iterator[str]:
    """Store an image with smaller copies by width, and yield its name, to be saved inside the block.

    An error inside the block deletes the files again.
    """
    random = secrets.token_hex(16)
    name = f"{folder}/{random[:2]}/{owner_id}-{random}.webp"
    try:
        for width, copy in smaller.items():
            default_storage.save(get_smaller_name(name, width), ContentFile(copy))
        default_storage.save(name, ContentFile(data))
    except OSError as error:
        logger.error("an image could not be stored", exc_info=error)
        raise ServiceUnavailable from None
    try:
        yield name
    except (APIException, Http404, IntegrityError):
        _delete_files(name)
        raise


def delete_on_commit(name: str) -> None:
    """Delete a stored image when the current transaction commits; external URLs are ignored."""
    if is_stored_name(name):
        delete_file.enqueue(name=name)


@task(atomic=False)
def delete_file(*, name: str) -> None:
    """Delete an image and its smaller copies, if they exist."""
    _delete_files(name)


def _delete_files(name: str) -> None:
    for file in (name, *(get_smaller_name(name, width) for width in SMALLER_WIDTHS)):
        default_storage.delete(file)


def delete_orphans() -> int:
    """Delete files older than a day that no row refers to, and return their number."""
    deleted = 0
    for names in _batches():
        old_names = [name for name in names if _is_old(name)]
        owners: dict[str, set[int]] = {}
        for name in old_names:
            if match := STORED_FILE_PATTERN.fullmatch(name):
                owners.setdefault(match["folder"], set()).add(int(match["owner"]))
        full_names = {name: get_full_name(name) for name in old_names}
        asked = [*{*full_names.values()}]
        used = {name for folder, ids in owners.items() for name in image_folders[folder](ids, asked)}
        for name, full_name in full_names.items():
            if full_name not in used:
                default_storage.delete(name)
                deleted += 1
    return deleted


def _batches() -> Iterator[list[str]]:
    for folder in image_folders:
        for shard in _listdir(folder)[0]:
            names = [f"{folder}/{shard}/{file}" for file in _listdir(f"{folder}/{shard}")[1]]
            yield from batched(names, BATCH_SIZE)


def _listdir(path: str) -> tuple[list[str], list[str]]:
    """Return the folders and files in a folder, nothing if it does not exist."""
    try:
        return default_storage.listdir(path)
    except FileNotFoundError:
        return [], []


def _is_old(name: str) -> bool:
    try:
        return default_storage.get_modified_time(name) < timezone.now() - ORPHAN_GRACE
    except FileNotFoundError:  # deleted concurrently
        return False
