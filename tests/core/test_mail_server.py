"""A mail server that is silent: responses stay the same and fast, and the mail is sent when it responds again."""

import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.core.test_live_server import Live
from tests.own_servers import wait_until
from tests.server import TOP

AUTH = "/api/v1/auth/"
PASSWORD = "um-bom-segredo-7"


class Conversation(socketserver.StreamRequestHandler):
    """The few commands of SMTP that a client needs."""

    server: "MailServer"

    def handle(self) -> None:
        if not self.server.responds.is_set():
            self.server.closing.wait()
            return
        self.wfile.write(b"220 mail.example.org\r\n")
        while line := self.rfile.readline():
            command = line.split()[0].upper()
            if command == b"RCPT":
                self.server.recipients.append(line.split(b"<")[1].split(b">")[0].decode())
            if command == b"DATA":
                self.wfile.write(b"354 Go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
            self.wfile.write(b"221 Bye\r\n" if command == b"QUIT" else b"250 OK\r\n")
            if command == b"QUIT":
                return


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server that keeps the recipients; unless it `responds`, it accepts connections and says nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.recipients: list[str] = []
        self.responds, self.closing = threading.Event(), threading.Event()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def execute(home: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(home / "db.sqlite3", timeout=20, isolation_level=None)) as database:
        return database.execute(statement).fetchall()


def test_silent_mail_server_changes_no_response(tmp_path, mail_server):
    settings = {"EMAIL_URL": f"smtp://127.0.0.1:{mail_server.server_address[1]}", "RATE_LOGIN": "off"}
    live = Live(tmp_path, **settings)
    try:
        alice = {"username": "alice", "password": PASSWORD, "email": "alice@example.org"}
        seen = []
        for path, body in (
            ("register/", alice),
            ("password/reset/", {"email": "alice@example.org"}),
            ("password/reset/", {"email": "nobody@example.org"}),
        ):
            if path == "password/reset/":
                execute(tmp_path, "UPDATE accounts_user SET email_verified = 1")
            started = time.monotonic()
            answer = live.call("POST", AUTH + path, body)
            # Less than what the mail server may take.
            assert time.monotonic() - started < 5
            seen.append((answer.status, answer.headers["Content-Type"], answer.text))
        assert seen[0][0] == 201
        assert seen[1] == seen[2]
        assert seen[1][0] == 202
        failed = "SELECT error FROM core_queuedtask WHERE error <> ''"
        wait_until(lambda: execute(tmp_path, failed))
        assert execute(tmp_path, failed)[0] == ("MailServerUnavailableError",)
        assert live.call("GET", "/healthz").status == 200
    finally:
        live.stop()
    assert mail_server.recipients == []
    mail_server.responds.set()
    execute(tmp_path, "UPDATE core_queuedtask SET run_after = '2026-01-01 00:00:00' WHERE status = 'READY'")
    for _task_and_its_mail in range(2):
        command = [sys.executable, "manage.py", "run_worker", "--once"]
        subprocess.run(command, cwd=TOP, env=live.env, check=True, capture_output=True, timeout=60)
    # The link to verify the address, and the one to reset the password.
    assert mail_server.recipients == ["alice@example.org"] * 2
