"""Helpers shared by the moderation tests."""

from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from moderation.models import Case
from tests.clubs.helpers import bad_fields, problem

__all__ = ["APPEALS", "QUEUE", "REPORTS", "appeal", "bad_fields", "case_of", "problem", "report"]

REPORTS, APPEALS = "/api/v1/reports/", "/api/v1/moderation/appeals/"
QUEUE = "/admin/moderation/case/"
TARGET_TYPES = {"Review": "review", "Club": "club", "User": "user", "Book": "book", "Post": "post"}


def report(client: APIClient, obj: Any, **body: Any) -> Any:
    """Report an object."""
    target = {"target_type": TARGET_TYPES[type(obj).__name__], "target_id": obj.pk, "reason": "spam"}
    return client.post(REPORTS, target | body)


def appeal(client: APIClient, obj: Any, text: str = "I meant no harm.") -> Any:
    """Appeal the decision about an object."""
    target = {"target_type": TARGET_TYPES[type(obj).__name__], "target_id": obj.pk, "text": text}
    return client.post(APPEALS, target)


def case_of(obj: Any) -> Case:
    """Return the current case about an object."""
    return Case.objects.get(target_type=TARGET_TYPES[type(obj).__name__], target_id=obj.pk)


def page_of(case: Case) -> str:
    """Return the URL of the case page."""
    return f"{QUEUE}{case.pk}/change/"


def decide(client: Client, case: Case, action: str, reason: str = "abuse", **fields: Any) -> list[str]:
    """Open the case page and submit a decision; return the messages shown."""
    context = client.get(page_of(case)).context
    hidden = {"version": context["case"].version, "digest": context["form"].initial["digest"]}
    return send(client, case, hidden | {"decision": action, "reason": reason} | fields)


def undo(client: Client, case: Case, reason: str = "mistake", **fields: Any) -> list[str]:
    """Open the case page and undo the last decision; return the messages shown."""
    context = client.get(page_of(case)).context
    hidden = {"undo": context["last_decision"].pk, "undo-version": context["case"].version}
    return send(
        client, case, hidden | {"undo-reason": reason} | {f"undo-{name}": value for name, value in fields.items()}
    )


def send(client: Client, case: Case, body: dict[str, Any]) -> list[str]:
    """Submit a form of the case page; return the messages shown."""
    response = client.post(page_of(case), body, follow=True)
    assert response.status_code == 200, response.content
    return [str(message) for message in response.context["messages"]]


def texts(client: APIClient) -> list[str]:
    """Return the texts of the user's notifications, newest first."""
    return [row["text"] for row in client.get("/api/v1/users/me/notifications/").json()["results"]]
