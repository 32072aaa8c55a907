"""Backup and restore: every table and image, in an empty database."""

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from core.backup import databases
from core.backup.archive import UNFINISHED
from tests.images import make_image
from tests.server import migrated

TOP = Path(__file__).resolve().parents[2]


def manage(env: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        env=os.environ | env,
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=120,
    )


def settings_of(home: Path) -> dict[str, str]:
    """Return the settings of a site that stores everything under `home`, on SQLite."""
    files = {"DATABASE_URL": f"sqlite:///{home}/db.sqlite3", "MEDIA_DIR": f"{home}/media", "LOG_DIR": str(home)}
    return files | {"DJANGO_SETTINGS_MODULE": "bookbridge.settings", "DEBUG": "on"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A site with the demo data and an image, and a backup of it."""
    home = tmp_path_factory.mktemp("site")
    shutil.copy(migrated(), home / "db.sqlite3")
    assert manage(settings_of(home), "seed_demo").returncode == 0
    image = home / "media/ab/cover.webp"
    image.parent.mkdir(parents=True)
    image.write_bytes(make_image())
    made = manage(settings_of(home), "backup", str(home / "backups"))
    assert made.returncode == 0, made.stderr
    return home, Path(made.stdout.strip())


@pytest.fixture
def backup(original: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the backup."""
    return Path(shutil.copytree(original[1], tmp_path / "backup"))


def rows(path: Path) -> dict[str, list[Any]]:
    """Return the rows of every table."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: database.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables}


def test_restored_site_has_every_row_and_image(original, backup, tmp_path):
    home, _backup = original
    restored = manage(settings_of(tmp_path), "restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    before = rows(home / "db.sqlite3")
    assert before == rows(tmp_path / "db.sqlite3")
    assert len(before["clubs_club"]) == 6
    assert (tmp_path / "media/ab/cover.webp").read_bytes() == make_image()
    assert sorted(path.name for path in (home / "media").iterdir()) == ["ab"]  # no links are left


def test_damaged_backup_changes_nothing(original, backup, tmp_path):
    shutil.copy(original[0] / "db.sqlite3", tmp_path)
    with (backup / "images.tar").open("r+b") as file:
        file.seek(600)
        file.write(b"damaged")
    response = manage(settings_of(tmp_path), "restore", str(backup), "--overwrite")
    assert response.returncode == 1
    assert "images.tar is damaged: its SHA-256 checksum differs" in response.stderr
    assert rows(tmp_path / "db.sqlite3")["clubs_club"]
    assert not (tmp_path / "media").exists()


def test_database_with_tables_is_overwritten_only_on_request(original, backup, tmp_path):
    shutil.copy(original[0] / "db.sqlite3", tmp_path)
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database, database:
        database.execute("DELETE FROM discussions_post")
    response = manage(settings_of(tmp_path), "restore", str(backup))
    assert response.returncode == 1
    assert "The database has tables. Name an empty one, or delete them with --overwrite." in response.stderr
    assert not rows(tmp_path / "db.sqlite3")["discussions_post"]
    assert manage(settings_of(tmp_path), "restore", str(backup), "--overwrite").returncode == 0
    assert rows(tmp_path / "db.sqlite3") == rows(original[0] / "db.sqlite3")


@pytest.mark.django_db
def test_interrupted_backup_is_deleted_and_never_restored(tmp_path, monkeypatch):
    monkeypatch.setattr("core.backup.archive.databases.dump", lambda *_args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("backup", tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []
    unfinished = tmp_path / f"bookbridge-20260101T000000Z{UNFINISHED}"
    unfinished.mkdir()
    with pytest.raises(CommandError, match="is not a complete backup"):
        call_command("restore", unfinished)


@pytest.mark.django_db
def test_only_the_newest_backups_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("core.backup.archive.databases.dump", lambda path, _report: path.touch())
    for day in (1, 2, 3):
        old = tmp_path / f"bookbridge-2026010{day}T000000Z"
        old.mkdir()
        (old / "manifest.json").touch()
    output = io.StringIO()
    call_command("backup", tmp_path, keep=2, stdout=output, stderr=io.StringIO())
    assert len(list(tmp_path.iterdir())) == 2
    assert (tmp_path / "bookbridge-20260103T000000Z").exists()
    assert output.getvalue().count("deleted.") == 2


@pytest.mark.django_db
def test_image_deleted_during_the_dump_is_in_the_backup(tmp_path, monkeypatch):
    """Rows of the dump may refer to an image that was replaced after the dump had begun, and to its successor."""
    media = Path(settings.MEDIA_ROOT)
    media.mkdir(parents=True, exist_ok=True)
    (media / "old.webp").write_bytes(b"old")

    def dump(path: Path, _report: Any) -> None:
        path.touch()
        (media / "old.webp").unlink()
        (media / "new.webp").write_bytes(b"new")

    monkeypatch.setattr("core.backup.archive.databases.dump", dump)
    output = io.StringIO()
    try:
        call_command("backup", tmp_path, stdout=output, stderr=io.StringIO())
    finally:
        (media / "new.webp").unlink(missing_ok=True)
    with tarfile.open(Path(output.getvalue().strip()) / "images.tar") as tar:
        assert {"old.webp", "new.webp"} <= set(tar.getnames())
    manifest = json.loads((Path(output.getvalue().strip()) / "manifest.json").read_text())
    assert {"created_at", "release", "database", "migrations", "sha256"} == set(manifest)


def test_archive_of_images_does_not_change_the_mode_of_the_directory(original, backup):
    with tarfile.open(next(backup.glob("*.tar"))) as tar:
        assert "." not in tar.getnames()


@pytest.mark.parametrize(
    ("mode", "mariadb", "mysql"),
    [
        (None, [], ["--ssl-mode=PREFERRED"]),
        ("REQUIRED", ["--ssl"], ["--ssl-mode=REQUIRED"]),
        ("VERIFY_IDENTITY", ["--ssl", "--ssl-verify-server-cert"], ["--ssl-mode=VERIFY_IDENTITY"]),
    ],
)
def test_tools_of_the_database_use_tls_as_the_server_does(monkeypatch, mode, mariadb, mysql):
    options = {"OPTIONS": {"ssl_mode": mode} if mode else {}}
    monkeypatch.setattr(databases, "connection", SimpleNamespace(settings_dict=options))
    for is_mariadb, expected in ((True, mariadb), (False, mysql)):
        monkeypatch.setattr(databases, "_is_mariadb_tool", lambda program, answer=is_mariadb: answer)
        assert databases._tls_options("dump") == expected


@pytest.mark.django_db
def test_stopped_backup_leaves_nothing(tmp_path, monkeypatch):
    def stop(_path: Path, _report: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr("core.backup.archive.databases.dump", stop)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped:
        call_command("backup", tmp_path / "backups", stdout=io.StringIO(), stderr=io.StringIO())
    assert stopped.value.code == 143
    assert list((tmp_path / "backups").iterdir()) == []
    assert list(Path(settings.MEDIA_ROOT).glob(".backup-*")) == []
    assert signal.getsignal(signal.SIGTERM) is before
