"""Servers that belong to a test, which may stop, kill, suspend and delay them."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

MARIADB_PROGRAMS = ("mariadbd", "mariadb-install-db", "my_print_defaults")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class OwnProcess:
    """A process that listens on a port of 127.0.0.1."""

    def __init__(self, command: Sequence[str | Path], port: int, log: Path) -> None:
        self.command, self.port, self.log = list(command), port, log

    def start(self, *options: str) -> None:
        """Start the process, and wait until it accepts connections."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*self.command, *options], stdout=log, stderr=log)
        wait_until(self._accepts)

    def _accepts(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, number: int = signal.SIGTERM) -> None:
        """End the process by a signal, also if it is suspended."""
        if self.process.poll() is None:
            self.resume()
            self.process.send_signal(number)
            self.process.wait(60)

    def suspend(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class OwnMariaDB(OwnProcess):
    """A MariaDB with the database `bookbridge` and the user `root`, who needs no password."""

    def __init__(self, home: Path, *options: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        own = ["--no-defaults", f"--datadir={home}/data"]
        if os.geteuid() == 0:
            own.append("--user=root")
        subprocess.run(
            ["mariadb-install-db", *own, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            capture_output=True,
        )
        port = free_port()
        command = [
            *["mariadbd", *own, "--bind-address=127.0.0.1", f"--port={port}", f"--socket={home}/socket"],
            *["--skip-name-resolve", "--character-set-server=utf8mb4", "--innodb-buffer-pool-size=64M", *options],
        ]
        super().__init__(command, port, home / "log")

    def start(self, *options: str) -> None:
        """Start the server, and wait until it executes statements; a Galera node accepts connections before that."""
        super().start(*options)
        wait_until(self._executes)

    def _executes(self) -> bool:
        import MySQLdb

        try:
            return bool(self.run("SELECT 1", database="mysql"))
        except MySQLdb.OperationalError:
            return False

    @property
    def url(self) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/bookbridge"

    def connect(self, database: str = "bookbridge") -> Any:
        """Return a connection, which is in a transaction after its first statement."""
        import MySQLdb

        return MySQLdb.connect(host="127.0.0.1", port=self.port, user="root", database=database)

    def run(self, statement: str, database: str = "bookbridge") -> list[Any]:
        """Run a statement, and return its rows."""
        connection = self.connect(database)
        try:
            connection.autocommit(True)
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            connection.close()

    @contextmanager
    def locked(self, statement: str) -> Iterator[Callable[[], None]]:
        """Lock the rows of `SELECT ... FOR UPDATE` until the end of the block, or a call of the returned function."""
        connection = self.connect()
        connection.cursor().execute(statement)

        def release() -> None:
            with suppress(Exception):  # the server may be down by then
                connection.rollback()

        try:
            yield release
        finally:
            release()
            with suppress(Exception):
                connection.close()

    def transactions(self, condition: str = "TRUE") -> int:
        """Return how many transactions there are, such as those with `trx_state = 'LOCK WAIT'`."""
        time.sleep(0.2)  # the table is refreshed only if nobody has read it for 0.1 s
        [(number,)] = self.run(f"SELECT COUNT(*) FROM information_schema.innodb_trx WHERE {condition}")
        return int(number)

    def waiting(self) -> int:
        """Return how many transactions wait for a lock."""
        return self.transactions("trx_state = 'LOCK WAIT'")


def has_mariadb() -> bool:
    """Return whether a test can start a MariaDB and connect to it."""
    try:
        import MySQLdb  # noqa: F401
    except ImportError:
        return False
    return all(map(shutil.which, MARIADB_PROGRAMS))


class SlowRelay:
    """A TCP proxy that delays what it forwards by `delay` seconds."""

    def __init__(self, server: int) -> None:
        self.server, self.delay = server, 0.0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.server))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError), source, target:
            while data := source.recv(65536):
                time.sleep(self.delay)
                target.sendall(data)
