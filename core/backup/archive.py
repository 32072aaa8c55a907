"""A backup: a directory with the dump of the database, the images, and a manifest with checksums."""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from core.backup import databases
from core.release import code_digest

MANIFEST = "manifest.json"
IMAGES = "images.tar"
PREFIX = "bookbridge-"
UNFINISHED = ".unfinished"
LEFTOVER_SECONDS = 24 * 3600  # no backup takes longer


def create_backup(target: Path, report: Any) -> Path:
    """Write a backup into a new directory below `target`, and return it.

    It has its final name only when it is complete. The images are linked before the dump and again after it: one that
    was replaced in between is there in both versions, whichever the rows refer to.
    """
    target.mkdir(parents=True, exist_ok=True)
    name = PREFIX + datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    unfinished = target / (name + UNFINISHED)
    unfinished.mkdir(mode=0o700)
    try:
        with _linked_images() as (link, images):
            link()
            databases.dump(unfinished / databases.dump_name(), report)
            link()
            with tarfile.open(unfinished / IMAGES, "w") as tar:
                # Do not add the directory itself: restoring it would change the mode of MEDIA_DIR.
                for path in sorted(images.iterdir()):
                    tar.add(path, arcname=path.name)
        report((unfinished / IMAGES).stat().st_size)
        _write_manifest(unfinished)
        return unfinished.rename(target / name)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def read_manifest(backup: Path) -> dict[str, Any]:
    """Return the manifest, after comparing the checksums. Raises CommandError if the backup is not whole."""
    try:
        manifest: dict[str, Any] = json.loads((backup / MANIFEST).read_text())
    except (OSError, ValueError):
        raise CommandError(f"{backup} is not a complete backup: it has no valid {MANIFEST}.") from None
    for name, digest in manifest["sha256"].items():
        if not (backup / name).is_file() or _digest(backup / name) != digest:
            raise CommandError(f"{backup / name} is damaged: its SHA-256 checksum differs from the manifest.")
    if databases.dump_name() not in manifest["sha256"]:
        raise CommandError(f"This backup is of a {manifest['database']} database, DATABASE_URL names another kind.")
    return manifest


def restore_backup(backup: Path, report: Any) -> None:
    """Load the dump into the empty database, and the images into MEDIA_DIR. Existing files there are kept."""
    databases.load(backup / databases.dump_name(), report)
    media = Path(settings.MEDIA_ROOT)
    media.mkdir(parents=True, exist_ok=True)
    with tarfile.open(backup / IMAGES) as tar:
        # Python 3.11.2, which Debian 12 has, knows no filters. The checksums have shown that the archive is unchanged.
        if hasattr(tarfile, "data_filter"):
            tar.extractall(media, filter="data")
        else:
            tar.extractall(media)  # noqa: S202


def delete_old_backups(target: Path, keep: int) -> list[Path]:
    """Delete all but the `keep` newest complete backups below `target`, and return the deleted ones."""
    backups = sorted(path.parent for path in target.glob(f"{PREFIX}*/{MANIFEST}") if path.parent.suffix != UNFINISHED)
    deleted = backups[:-keep]
    for backup in deleted:
        shutil.rmtree(backup)
    return deleted


@contextmanager
def _linked_images() -> Iterator[tuple[Any, Path]]:
    """Yield a function that adds links to all images to a temporary directory, and that directory."""
    media = Path(settings.MEDIA_ROOT)
    media.mkdir(parents=True, exist_ok=True)
    for leftover in media.glob(".backup-*"):  # of a backup that was killed
        if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
            shutil.rmtree(leftover, ignore_errors=True)
    # On the same file system, which hard links need. No image has such a name.
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=media) as name:
        images = Path(name)

        def link() -> None:
            for folder, folders, files in os.walk(media):
                folders[:] = [each for each in folders if not each.startswith(".backup-")]
                there = images / Path(folder).relative_to(media)
                there.mkdir(parents=True, exist_ok=True)
                for file in files:
                    if not (there / file).exists():
                        _link(Path(folder) / file, there / file)

        yield link, images


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        pass  # deleted meanwhile
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _write_manifest(folder: Path) -> None:
    applied = sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
    content = {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "release": code_digest(),
        "database": connection.display_name,
        "migrations": applied,
        "sha256": {path.name: _digest(path) for path in sorted(folder.iterdir())},
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=1) + "\n")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
