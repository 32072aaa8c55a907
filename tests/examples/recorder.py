"""Call operations by their id and record the first exchange of each."""

import datetime
import json
import re
from typing import Any
from urllib.parse import urlencode

import time_machine
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from core.api.schema_hooks import is_id
from core.tasks.worker import run_pending

START = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
# Fields whose values are random or grant access, with what the examples have instead.
SECRETS = {
    "access": "example.access.token",
    "access_token": "example.access.token",
    "refresh": "example.refresh.token",
    "code": "example-invitation-code",
    "cursor": "example-cursor",
    "token": "example-token",
}
# What else differs each time.
REPLACEMENTS = (
    (r"http://(testserver|localhost(:\d+)?)", "https://bookbridge.example"),
    (r"cursor=[^&\"\\]+", "cursor=example-cursor"),
    (r"(/media/[a-z-]+/)[^\"\\]+\.webp", r"\1example.webp"),
)
UUID = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
Exchange = dict[str, Any]


class Walk:
    """A client of all users that records `{operation id: {"request": body, "responses": {status: body}}}`.

    The first call of an operation gives its request, the first one with a status its response. `objects` has the ids
    that later areas need.
    """

    def __init__(self, document: dict[str, Any], clock: time_machine.Traveller) -> None:
        self.operations = {
            operation["operationId"]: (method, path)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        self.clock = clock
        self.clients: dict[str | None, APIClient] = {}
        self.exchanges: dict[str, Exchange] = {}
        self.objects: dict[str, int] = {}
        self.users: dict[str, User] = {}
        self.secrets: dict[str, str] = {}

    def next_day(self) -> None:
        """Continue a day later, with new tokens."""
        self.clock.shift(datetime.timedelta(days=1))
        self.clients.clear()

    def call(
        self,
        operation_id: str,
        by: str | None,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        file: SimpleUploadedFile | None = None,
        **path: Any,
    ) -> Any:
        """Call an operation as a user, run the tasks that it enqueues, and return the decoded response."""
        self.clock.shift(datetime.timedelta(seconds=10))
        method, template = self.operations[operation_id]
        url = template.format(**path) + (f"?{urlencode(query)}" if query else "")
        send = getattr(self.client(by), method)
        parts, options = (body, {}) if file is None else ({**(body or {}), "file": file}, {"format": "multipart"})
        response = send(url, parts, **options)
        assert response.status_code < 300, (operation_id, response.status_code, response.getvalue())
        run_pending()
        answer = self.decode(response)
        exchange = self.exchanges.setdefault(operation_id, {"responses": {}})
        if not exchange["responses"] and body is not None:
            exchange["request"] = body if file is None else self.describe_upload(body, file)
        exchange["responses"].setdefault(str(response.status_code), answer)
        return answer

    def client(self, name: str | None) -> APIClient:
        """Return the client of a user, who reads responses in the language of the account."""
        if name not in self.clients:
            self.clients[name] = client = APIClient()
            if name is not None:
                user = User.objects.get(pk=self.users[name].pk)
                access = tokens.sign_in(user, device="Pixel 9").access
                client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}", HTTP_ACCEPT_LANGUAGE=user.language)
        return self.clients[name]

    def decode(self, response: Any) -> Any:
        """Return the body of a response, and remember its secrets."""
        content = response.getvalue()
        if not content:
            return None
        if not response["Content-Type"].startswith("application/json"):
            return content.decode()
        answer = json.loads(content)
        for name, made_up in SECRETS.items():
            # The token of a browser that is registered for push is a URL.
            if isinstance(answer, dict) and isinstance(answer.get(name), str) and "://" not in answer[name]:
                self.secrets[answer[name]] = made_up
        return answer

    def describe_upload(self, body: dict[str, Any] | None, file: SimpleUploadedFile) -> dict[str, Any] | None:
        """Return the parts of a multipart body, None if the file is not a text."""
        if file.content_type != "text/csv":
            return None
        file.seek(0)
        return {**(body or {}), "file": file.read().decode()}

    def emailed_token(self) -> str:
        """Return the token of the link in the newest e-mail."""
        found = re.search(r"\?token=(\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
        assert found
        self.secrets[found[1]] = "example-token-from-the-email"
        return found[1]

    def examples(self) -> dict[str, Exchange]:
        """Return the exchanges with bodies, sorted, without what is random or secret."""
        found: dict[str, Exchange] = {}
        for operation_id, exchange in sorted(self.exchanges.items()):
            responses = {status: body for status, body in exchange["responses"].items() if body is not None}
            request = {"request": exchange["request"]} if exchange.get("request") is not None else {}
            found[operation_id] = request | ({"responses": responses} if responses else {})
        text = json.dumps({name: exchange for name, exchange in found.items() if exchange}, ensure_ascii=False)
        for secret, made_up in self.secrets.items():
            text = text.replace(secret, made_up)
        for pattern, replacement in REPLACEMENTS:
            text = re.sub(pattern, replacement, text)
        for number, uuid in enumerate(dict.fromkeys(re.findall(UUID, text)), 1):
            text = text.replace(uuid, f"00000000-0000-4000-8000-{number:012}")
        result: dict[str, Exchange] = json.loads(text)
        return result


# Lists of ids; outside lists these names are numbers of users, rows and answers.
ID_LISTS = ("users", "done", "yes", "maybe")
# Ids whose names the document uses for other things too.
OTHER_IDS = ("to", "without")


def without_ids(value: Any, name: str = "") -> Any:
    """Return a body with 0 for all ids, which depend on the rows that a database has had before."""
    if isinstance(value, dict):
        # The counts of a ballot have ids as keys.
        named = ((f"id {n}" if key.isdigit() else key, key, child) for n, (key, child) in enumerate(value.items()))
        return {shown: without_ids(child, key) for shown, key, child in named}
    if isinstance(value, list):
        return [0] * len(value) if name in ID_LISTS else [without_ids(child, name) for child in value]
    if isinstance(value, str):
        return re.sub(r"/\d+|(?<=\n)\d+(?=,)", "/0", value)  # in URLs, and in the first column of CSV files
    return 0 if isinstance(value, int) and not isinstance(value, bool) and (is_id(name) or name in OTHER_IDS) else value
