"""Scripts under script/ and the gunicorn settings."""

import ast
import os
import runpy
import shutil
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.server import migrated

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "script").iterdir())


def run(script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script with only PATH and `env` in its environment."""
    return subprocess.run(
        [str(ROOT / "script" / script), *arguments],
        env={"PATH": os.environ["PATH"], **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


def write_executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_is_executable_and_documented(script):
    assert os.access(script, os.X_OK)
    first, second, *_ = script.read_text().splitlines()
    if first == "#!/bin/sh":
        assert second.startswith("# ")
        assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    else:
        assert first == "#!/usr/bin/env python3"
        assert ast.get_docstring(ast.parse(script.read_text()))


def test_setup_uses_the_first_working_interpreter(tmp_path):
    # A broken shim, one without venv, and one that works; later ones are not tried.
    write_executable(tmp_path / "bin/python3.13", "echo 'command not found' >&2; exit 127")
    write_executable(tmp_path / "bin/python3.12", "exit 1")
    write_executable(
        tmp_path / "bin/python3.11", f'[ "$1 $2" = "-m venv" ] || exit 0; echo "$@" >{tmp_path}/chosen; exit 3'
    )
    write_executable(tmp_path / "bin/python3", f"touch {tmp_path}/asked; exit 0")
    venv = tmp_path / "venv"
    response = run("setup", PATH=f"{tmp_path}/bin:/usr/bin:/bin", VENV=str(venv))
    assert response.returncode == 3
    assert (tmp_path / "chosen").read_text() == f"-m venv {venv}\n"
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("name", ["link", "link/"])
def test_setup_refuses_to_replace_a_linked_venv(tmp_path, name):
    target = tmp_path / "target"
    target.mkdir()
    (target / "pyvenv.cfg").touch()
    (target / "precious").touch()
    (tmp_path / "link").symlink_to(target)
    response = run("setup", VENV=f"{tmp_path}/{name}")
    assert response.returncode == 1
    assert response.stderr == (
        f"script/setup: {tmp_path}/{name} is a symbolic link; remove it, or set VENV to the directory itself.\n"
    )
    assert sorted(path.name for path in target.iterdir()) == ["precious", "pyvenv.cfg"]


def test_setup_without_interpreter_fails(tmp_path):
    response = run("setup", PYTHON="/does/not/exist", VENV=str(tmp_path / "venv"))
    assert response.returncode == 1
    assert "none of these is Python 3.11 or newer with venv: /does/not/exist" in response.stderr
    assert not (tmp_path / "venv").exists()


def test_setup_skips_installed_requirements(tmp_path):
    write_executable(tmp_path / "bin/python", '[ "$1" = -c ] || { echo "called: $*" >&2; exit 9; }')
    (tmp_path / ".setup").mkdir()
    for name in ("requirements.txt", "requirements-dev.txt"):  # the latter contain the former
        shutil.copy(ROOT / name, tmp_path / ".setup")
        response = run("setup", VENV=str(tmp_path), DATABASE_URL="")
        assert (response.returncode, response.stderr) == (0, "")
        (tmp_path / ".setup" / name).unlink()


def test_setup_installs_the_driver_only_for_mysql(tmp_path):
    write_executable(tmp_path / "bin/python", '[ "$1" = -c ] || case $* in *--version) ;; *) echo "$*" >&2 ;; esac')
    for tool in ("gcc", "pkg-config"):  # nothing that compiling the driver needs is missing
        write_executable(tmp_path / "tools" / tool, "exit 0")
    (tmp_path / ".setup").mkdir()
    shutil.copy(ROOT / "requirements.txt", tmp_path / ".setup")
    for url, installed in (("sqlite:////tmp/x", False), ("", False), ("mysql://u@127.0.0.1:3306/x", True)):
        path = f"{tmp_path}/tools:{os.environ['PATH']}"
        response = run("setup", VENV=str(tmp_path), DATABASE_URL=url, PATH=path)
        assert ("--requirement requirements-mysql.txt" in response.stderr) is installed, response.stderr
        assert "--requirement requirements.txt" not in response.stderr


@pytest.mark.parametrize(("dsn", "installed"), [("", False), ("https://key@sentry.example.org/1", True)])
def test_setup_installs_sentry_only_with_dsn(tmp_path, dsn, installed):
    write_executable(tmp_path / "bin/python", '[ "$1" = -c ] || case $* in *--version) ;; *) echo "$*" >&2 ;; esac')
    (tmp_path / ".setup").mkdir()
    shutil.copy(ROOT / "requirements.txt", tmp_path / ".setup")
    response = run("setup", VENV=str(tmp_path), SENTRY_DSN=dsn)
    assert ("--requirement requirements-sentry.txt" in response.stderr) is installed, response.stderr


@pytest.mark.parametrize(
    ("arguments", "parallel"),
    [
        ([], True),
        (["-x", "tests/clubs"], True),
        (["-k", "isbn"], False),
        (["tests/test_scripts.py::test_one"], False),
        (["-n", "2"], False),
    ],
)
def test_script_test_is_parallel_unless_tests_are_chosen(tmp_path, arguments, parallel):
    write_executable(tmp_path / "bin/python", '[ "$1" = -c ] || echo "$@"')
    (tmp_path / ".setup").mkdir()
    shutil.copy(ROOT / "requirements-dev.txt", tmp_path / ".setup")
    printed = run("test", *arguments, VENV=str(tmp_path), DATABASE_URL="").stdout.split()
    assert printed[:3] == ["-m", "pytest", "--ignore=tests/browser"]
    assert printed[len(printed) - len(arguments) :] == arguments
    assert ("worksteal" in printed) is parallel


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8e3", "http", "80 80", "123456789012345678901"])
def test_server_with_invalid_port_fails(port):
    response = run("server", PORT=port)
    assert response.returncode == 2
    assert response.stderr == "script/server: PORT must be a whole number from 1 to 65535\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("HOST", "a b"), ("HOST", "http://x/"), ("WEB_CONCURRENCY", "many")),
        *((name, value) for name in ("DEMO", "DEBUG") for value in ("maybe", "perhaps", "2", "yes no", "-", "ｏｎ")),
    ],
)
@pytest.mark.parametrize("option", [[], ["--production"]], ids=["development", "production"])
def test_server_names_the_invalid_setting(name, value, option):
    response = run("server", *option, **{"SECRET_KEY": "x" * 50, "JWT_PRIVATE_KEY": "x", name: value})
    assert response.returncode == 2
    assert response.stderr.startswith(f"script/server: {name} must be ")


def test_production_without_keys_fails():
    assert "SECRET_KEY is required in production" in run("server", "--production", DEBUG="on").stderr
    response = run("server", "--production", SECRET_KEY="x" * 50)
    assert response.returncode == 2
    assert "JWT_PRIVATE_KEY is required in production" in response.stderr


@pytest.fixture
def gunicorn_settings(monkeypatch, tmp_path):
    """Read the gunicorn settings with this environment."""

    def read(**environment):
        monkeypatch.setattr("gunicorn.SERVER", "gunicorn")
        for name in ("DATABASE_URL", "DEBUG", "HOST", "PORT", "WEB_CONCURRENCY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "bookbridge" / "gunicorn.conf.py"))

    return read


def test_gunicorn_settings_in_production_and_development(gunicorn_settings):
    production = gunicorn_settings()
    assert (production["bind"], production["workers"], production["reload"]) == ("127.0.0.1:8000", 2, False)
    # One process in development, because the cache is in its memory.
    development = gunicorn_settings(DEBUG="on", PORT="8123")
    assert (development["bind"], development["workers"], development["reload"]) == ("127.0.0.1:8123", 1, True)
    assert gunicorn_settings(HOST="::", WEB_CONCURRENCY="4")["bind"] == "[::]:8000"


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "0"), ("PORT", "x"), ("WEB_CONCURRENCY", "0"), ("DEBUG", "maybe")]
)
def test_invalid_gunicorn_settings_exit_with_message(gunicorn_settings, name, value):
    with pytest.raises(SystemExit, match=f"^{name}: must be "):
        gunicorn_settings(**{name: value})


def test_metrics_of_last_run_are_deleted(gunicorn_settings, tmp_path):
    (tmp_path / "counter_1.db").touch()
    (tmp_path / "kept.txt").touch()
    shutil.copy(migrated(), tmp_path / "db.sqlite3")
    gunicorn_settings(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3")["on_starting"](Mock())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["db.sqlite3", "kept.txt"]


@pytest.mark.parametrize("value", ["0", "1", "on", "OFF", "Yes", "no", "true", "False"])
def test_server_knows_the_words_of_a_switch(value):
    """It stops at the next problem, and not at the switches."""
    response = run("server", "--production", DEMO=value, DEBUG=value)
    assert response.stderr == "script/server: SECRET_KEY is required in production\n"
