"""Dump and load the database with its own tools."""

import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import CommandError
from django.db import connection

CHUNK_BYTES = 1024 * 1024
# One snapshot of all tables without locking them. Binary values as hexadecimal digits.
DUMP_OPTIONS = ("--single-transaction", "--quick", "--skip-lock-tables", "--no-tablespaces", "--hex-blob")


def dump_name() -> str:
    """Return the name of the file that holds the dump of the current kind of database."""
    return "database.sqlite3" if connection.vendor == "sqlite" else "database.sql.gz"


def dump(path: Path, report: Any) -> None:
    """Write the database to `path`, as it was at one moment. Calls `report` with the number of bytes of each chunk."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(path)) as copy:
            connection.connection.backup(copy)
        report(path.stat().st_size)
        return
    with (
        client("dump", DUMP_OPTIONS, stdout=subprocess.PIPE) as process,
        gzip.open(path, "wb", compresslevel=3) as file,
    ):
        for chunk in _chunks(process.stdout):
            file.write(chunk)
            report(len(chunk))


def load(path: Path, report: Any) -> None:
    """Load the file into the database, which must be empty. Calls `report` with the bytes of the file that are done."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(path)) as copy:
            copy.backup(connection.connection)
        report(path.stat().st_size)
        return
    with path.open("rb") as file, gzip.open(file) as content, client("", [], stdin=subprocess.PIPE) as process:
        done = 0
        for chunk in _chunks(content):
            cast(IO[bytes], process.stdin).write(chunk)
            report(file.tell() - done)
            done = file.tell()


def estimate_bytes() -> int:
    """Return about how many bytes a dump has, 0 if unknown."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = DATABASE()")
        return int(cursor.fetchone()[0] or 0)


def drop_all_tables() -> None:
    """Delete every table, so that a backup can be loaded. On SQLite `load` replaces the whole file."""
    if connection.vendor == "sqlite":
        return
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table in connection.introspection.get_table_list(cursor):
            kind = "VIEW" if table.type == "v" else "TABLE"
            cursor.execute(f"DROP {kind} {connection.ops.quote_name(table.name)}")


@contextmanager
def client(tool: str, options: Iterable[str], **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run the database's client (`tool` is empty) or `dump`, with the connection settings of DATABASE_URL.

    Raises CommandError with the tool's message if it is missing or fails.
    """
    names = [f"mariadb-{tool}", f"mysql{tool}"] if tool else ["mariadb", "mysql"]
    if not _is_mariadb():
        names.reverse()
    program = next((name for name in names if shutil.which(name)), None)
    if program is None:
        raise CommandError(f"{' and '.join(names)} are missing: install mariadb-client or mysql-client.")
    if tool == "dump" and not _is_mariadb():
        if _is_mariadb_tool(program):
            # It writes values of generated columns, which MySQL does not accept when the dump is loaded.
            raise CommandError(f"{program} is MariaDB's. A MySQL server needs MySQL's own: install mysql-client.")
        # The id of the last transaction is of no use in another database, and needs a privilege to be set.
        options = [*options, "--set-gtid-purged=OFF"]
    arguments, env = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    *arguments, database = arguments[1:]
    command = [program, *arguments, *_tls_options(program), *options, database]
    with tempfile.TemporaryFile() as errors:
        # The password is in the environment, since all users of the machine can see the arguments.
        process = subprocess.Popen(command, env={**os.environ, **(env or {})}, stderr=errors, **streams)  # noqa: S603
        with suppress(BrokenPipeError), process:  # its message says why it has stopped reading
            yield process
        if process.returncode:
            errors.seek(0)
            raise CommandError(f"{program} failed: {errors.read().decode(errors='replace').strip()}")


def _tls_options(program: str) -> list[str]:
    """Return the options for the `ssl_mode` of DATABASE_URL, which Django does not pass on."""
    mode = connection.settings_dict["OPTIONS"].get("ssl_mode", "PREFERRED")
    if not _is_mariadb_tool(program):
        return [f"--ssl-mode={mode}"]
    if mode in ("DISABLED", "PREFERRED"):
        return []
    # With --ssl alone, MariaDB's tools use TLS if the server offers it, and do not require it. Django's own connection
    # has already required it.
    return ["--ssl", "--ssl-verify-server-cert"] if mode.startswith("VERIFY_") else ["--ssl"]


def _is_mariadb_tool(program: str) -> bool:
    """Return whether a tool is MariaDB's, which Debian installs under MySQL's names too."""
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return "MariaDB" in printed.stdout


def _is_mariadb() -> bool:
    return bool(cast(Any, connection).mysql_is_mariadb)


def _chunks(stream: IO[bytes] | Any) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk
