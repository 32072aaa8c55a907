"""A local server that simulates book providers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.local_server import serving

RECORDED = Path(__file__).parent / "recorded"


class Server(ThreadingHTTPServer):
    """A fake Open Library. `respond` replaces the recorded responses."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requested_paths: list[str] = []
        self.respond: Callable[[Handler], None] | None = None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requested_paths.append(self.path)
        if self.server.respond:
            self.server.respond(self)
            return
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        assert url.path == "/api/books"
        assert (query["jscmd"], query["format"]) == (["data"], ["json"])
        file = RECORDED / f"{query['bibkeys'][0].removeprefix('ISBN:')}.json"
        self.send(file.read_bytes() if file.exists() else b"{}")

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def running() -> AbstractContextManager[Server]:
    """Run a server in a thread."""
    return serving(Server())
