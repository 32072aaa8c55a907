"""What the tests of moderation share."""

from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from moderation.models import Case
from tests.clubs.helpers import bad_fields, problem

__all__ = ["APPEALS", "QUEUE", "REPORTS", "appeal", "bad_fields", "case_of", "problem", "report"]

REPORTS, APPEALS = "/api/v1/reports/", "/api/v1/moderation/appeals/"
QUEUE = "/admin/moderation/case/"
# As targets call themselves, by the names of their models.
WORDS = {"Review": "review", "Club": "club", "User": "user", "Book": "book", "Post": "post"}


def report(client: APIClient, thing: Any, **body: Any) -> Any:
    """Report something; the answer."""
    named = {"target_type": WORDS[type(thing).__name__], "target_id": thing.pk, "reason": "spam"}
    return client.post(REPORTS, named | body)


def appeal(client: APIClient, thing: Any, text: str = "I meant no harm.") -> Any:
    """Appeal against what was decided about something; the answer."""
    named = {"target_type": WORDS[type(thing).__name__], "target_id": thing.pk, "text": text}
    return client.post(APPEALS, named)


def case_of(thing: Any) -> Case:
    """The case about something, as it is now."""
    return Case.objects.get(target_type=WORDS[type(thing).__name__], target_id=thing.pk)


def page_of(case: Case) -> str:
    """The address of a case."""
    return f"{QUEUE}{case.pk}/change/"


def decide(desk: Client, case: Case, action: str, ground: str = "abuse", **fields: Any) -> list[str]:
    """Open the page of a case, and send its form: the messages of the next page."""
    opened = desk.get(page_of(case)).context
    shown = {"version": opened["case"].version, "seen": opened["form"].initial["seen"]}
    return send(desk, case, shown | {"decision": action, "ground": ground} | fields)


def undo(desk: Client, case: Case, ground: str = "mistake", **fields: Any) -> list[str]:
    """Open the page of a case, and take its last decision back: the messages of the next page."""
    opened = desk.get(page_of(case)).context
    shown = {"undo": opened["last"].pk, "undo-version": opened["case"].version}
    return send(desk, case, shown | {"undo-ground": ground} | {f"undo-{name}": value for name, value in fields.items()})


def send(desk: Client, case: Case, body: dict[str, Any]) -> list[str]:
    """Send something to the page of a case: the messages of the next page."""
    answer = desk.post(page_of(case), body, follow=True)
    assert answer.status_code == 200, answer.content
    return [str(message) for message in answer.context["messages"]]


def texts(client: APIClient) -> list[str]:
    """What a reader is told, the newest first."""
    return [row["text"] for row in client.get("/api/v1/users/me/notifications/").json()["results"]]
