"""Local push services for tests: they validate requests as the real services do, and respond as the test says."""

import base64
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs

import h2.config
import h2.connection
import h2.events
import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

POINT = (Encoding.X962, PublicFormat.UncompressedPoint)


class Answer(NamedTuple):
    """The answer to one push; with `hang` there is none, with `drip` it comes one byte at a time."""

    status: int = 201
    headers: dict[str, str] = {}
    body: Any = None
    hang: bool = False
    drip: bool = False


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Subscription:
    """A subscription of a browser, which can read what is sent to it (RFC 8291)."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
        self.keys = {"p256dh": b64(self.key.public_key().public_bytes(*POINT)), "auth": b64(self.auth)}

    @property
    def body(self) -> dict[str, Any]:
        """The body that registers it."""
        return {"kind": "webpush", "token": self.endpoint, "keys": self.keys}

    def decrypt(self, message: bytes) -> dict[str, Any]:
        salt, size, length = message[:16], int.from_bytes(message[16:20], "big"), message[20]
        sender, encrypted = message[21 : 21 + length], message[21 + length :]
        assert len(encrypted) <= size
        assert len(message) <= 4096  # what a push service must accept
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        info = b"WebPush: info\0" + self.key.public_key().public_bytes(*POINT) + sender
        secret = derive(self.key.exchange(ec.ECDH(), public), 32, self.auth, info)
        key = derive(secret, 16, salt, b"Content-Encoding: aes128gcm\0")
        nonce = derive(secret, 12, salt, b"Content-Encoding: nonce\0")
        padded = AESGCM(key).decrypt(nonce, encrypted, None).rstrip(b"\0")
        assert padded[-1:] == b"\2"
        return json.loads(padded[:-1])


def derive(secret: bytes, length: int, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


class Service:
    """A push service. `answers` are those to the coming pushes to a token, the last one also to all others."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = defaultdict(lambda: [Answer()])
        # Token and payload of each push, and its headers.
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.errors: list[str] = []
        self.stopped = threading.Event()
        self.port = 0

    def answer(self, token: str) -> Answer:
        answers = self.answers[token]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def payloads(self, token: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.received if name == token]

    def receive(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Check a request, record it and return the answer."""
        try:
            return self.handle(path, headers, body)
        except Exception as error:
            self.errors.append(repr(error))
            return Answer(400)

    def handle(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        raise NotImplementedError

    def serve(self) -> Any:
        """Return a started server with `shutdown` and `server_close`."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                send_answer(self, service.receive(self.path, headers, body), service.stopped)

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server


def send_answer(handler: BaseHTTPRequestHandler, answer: Answer, stopped: threading.Event) -> None:
    if answer.hang:
        stopped.wait(30)
        handler.close_connection = True
        return
    if answer.drip:
        handler.close_connection = True
        with suppress(OSError):
            for byte in b"HTTP/1.1 201 Created\r\nX: " + b"x" * 1000:
                handler.wfile.write(bytes([byte]))
                if stopped.wait(0.2):
                    return
        return
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    handler.send_response(answer.status)
    for name, value in {**answer.headers, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


class WebPushService(Service):
    """A push service of browsers: verifies VAPID (RFC 8292) and decrypts with the keys of the subscription."""

    def __init__(self, public_key: Callable[[], Any]) -> None:
        super().__init__()
        self.public_key = public_key
        self.subscriptions: dict[str, Subscription] = {}

    def subscribe(self, name: str, *answers: Answer) -> Subscription:
        subscription = Subscription(f"http://127.0.0.1:{self.port}/push/{name}")
        self.subscriptions[f"/push/{name}"] = subscription
        if answers:
            self.answers[name] = list(answers)
        return subscription

    def handle(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        name = path.rpartition("/")[2]
        token, key = headers["authorization"].removeprefix("vapid t=").split(", k=")
        assert unb64(key) == self.public_key().public_bytes(*POINT)
        audience = f"http://127.0.0.1:{self.port}"
        claims = jwt.decode(token, self.public_key(), ["ES256"], audience=audience, options={"require": ["exp"]})
        assert time.time() < claims["exp"] <= time.time() + 24 * 3600
        assert claims["sub"].startswith(("mailto:", "https:"))
        assert headers["content-encoding"] == "aes128gcm"
        assert int(headers["ttl"]) > 0
        assert headers["host"] == f"127.0.0.1:{self.port}"
        self.received.append((name, self.subscriptions[path].decrypt(body)))
        self.headers.append(headers)
        return self.answer(name)


class FCMService(Service):
    """Google's token endpoint and FCM HTTP v1."""

    def __init__(self) -> None:
        super().__init__()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.tokens_issued = 0
        self.token_answer = Answer(200)

    @property
    def credentials(self) -> dict[str, str]:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        uri = f"http://127.0.0.1:{self.port}/token"
        return {"project_id": "readers", "client_email": "push@readers", "private_key": pem, "token_uri": uri}

    def handle(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path == "/token":
            return self.issue_token(parse_qs(body.decode()))
        assert path == "/v1/projects/readers/messages:send"
        if headers["authorization"] != f"Bearer token-{self.tokens_issued}":
            return Answer(401, body={"error": {"status": "UNAUTHENTICATED"}})
        message = json.loads(body)["message"]
        assert all(isinstance(value, str) for value in message["data"].values())
        self.received.append((message["token"], message))
        return self.answer(message["token"])

    def issue_token(self, form: dict[str, list[str]]) -> Answer:
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        audience = self.credentials["token_uri"]
        claims = jwt.decode(form["assertion"][0], self.key.public_key(), ["RS256"], audience=audience)
        assert claims["iss"] == "push@readers"
        assert claims["scope"].endswith("/firebase.messaging")
        self.tokens_issued += 1
        return self.token_answer._replace(
            body={"access_token": f"token-{self.tokens_issued}", "expires_in": 3600, "token_type": "Bearer"}
        )


class APNsService(Service):
    """The Apple Push Notification service: HTTP/2, without TLS."""

    def __init__(self) -> None:
        super().__init__()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.connections = 0

    def handle(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        token = path.removeprefix("/3/device/")
        scheme, _space, signed = headers["authorization"].partition(" ")
        claims = jwt.decode(signed, self.key.public_key(), ["ES256"])
        assert (scheme, claims["iss"], jwt.get_unverified_header(signed)["kid"]) == (
            "bearer",
            "TEAM123456",
            "KEY1234567",
        )
        assert claims["iat"] > time.time() - 3600
        assert (headers["apns-topic"], headers["apns-push-type"]) == ("org.example.app", "alert")
        assert len(body) <= 4096
        self.received.append((token, json.loads(body)))
        self.headers.append(headers)
        answer = self.answer(token)
        return answer._replace(status=200) if answer.status == 201 else answer

    def serve(self) -> Any:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        server = HTTP2Server(listener, self)
        threading.Thread(target=server.run, daemon=True).start()
        return server


class HTTP2Server:
    """Answers HTTP/2 requests, each connection in a thread."""

    def __init__(self, listener: socket.socket, service: APNsService) -> None:
        self.listener, self.service = listener, service
        self.threads: list[threading.Thread] = []

    def run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self.listener.accept()
                self.service.connections += 1
                self.threads.append(threading.Thread(target=self.serve_connection, args=(connection,), daemon=True))
                self.threads[-1].start()

    def shutdown(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)

    def server_close(self) -> None:
        self.listener.close()
        for thread in self.threads:
            thread.join(5)

    def serve_connection(self, sock: socket.socket) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        state.initiate_connection()
        requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        with sock, suppress(OSError):
            sock.settimeout(10)
            sock.sendall(state.data_to_send())
            while data := sock.recv(65536):
                for event in state.receive_data(data):
                    self.handle_event(state, event, requests)
                sock.sendall(state.data_to_send())

    def handle_event(self, state: Any, event: Any, requests: dict[int, tuple[dict[str, str], bytearray]]) -> None:
        if isinstance(event, h2.events.RequestReceived):
            requests[event.stream_id] = (dict(event.headers), bytearray())
        elif isinstance(event, h2.events.DataReceived):
            requests[event.stream_id][1].extend(event.data)
            state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            headers, body = requests.pop(event.stream_id)
            answer = self.service.receive(headers[":path"], headers, bytes(body))
            if answer.hang:
                return
            fields = [(":status", str(answer.status)), *((n.lower(), v) for n, v in answer.headers.items())]
            state.send_headers(event.stream_id, fields)
            state.send_data(event.stream_id, json.dumps(answer.body or {}).encode(), end_stream=True)


ServiceT = TypeVar("ServiceT", bound=Service)


@contextmanager
def running(service: ServiceT) -> Iterator[ServiceT]:
    """Run a service, and fail if it has received an invalid request."""
    server = service.serve()
    try:
        yield service
    finally:
        service.stopped.set()
        server.shutdown()
        server.server_close()
    assert service.errors == []
