"""The areas of the walk in order. Users are fictional, books are real."""

from collections.abc import Callable
from typing import Any

import time_machine

from accounts.models import User
from tests.conftest import PASSWORD
from tests.examples import (
    accounts,
    activity,
    ballots,
    catalog,
    clubs,
    date_polls,
    devices,
    discussions,
    meetings,
    moderation,
    opinions,
    reading,
    reviews,
    statistics,
)
from tests.examples.recorder import Walk

AREAS: tuple[Callable[[Walk], None], ...] = (
    catalog.record,
    clubs.record,
    reading.record,
    reading.record_readings,
    meetings.record,
    date_polls.record,
    ballots.record,
    opinions.record,
    discussions.record,
    reviews.record,
    catalog.record_reads,
    clubs.record_reads,
    statistics.record,
    activity.record,
    accounts.record,
    moderation.record,
    devices.record,
)
# Username, display name, language, time zone.
USERS = (
    ("ana.ribeiro", "Ana Ribeiro", "pt-BR", "America/Sao_Paulo"),
    ("bruno.tavares", "Bruno Tavares", "pt-BR", "America/Sao_Paulo"),
    ("carla.nogueira", "Carla Nogueira", "pt-BR", "America/Recife"),
    ("davi.moraes", "Davi Moraes", "pt-BR", "America/Manaus"),
    ("emma.clarke", "Emma Clarke", "en", "Europe/London"),
)


def record_examples(document: dict[str, Any], clock: time_machine.Traveller) -> dict[str, Any]:
    """Walk through all areas and return the examples."""
    walk = Walk(document, clock)
    for username, display_name, language, timezone in USERS:
        walk.users[username.partition(".")[0]] = User.objects.create_user(
            username,
            PASSWORD,
            display_name=display_name,
            language=language,
            timezone=timezone,
            email=f"{username}@example.org",
            email_verified=True,
        )
    for record in AREAS:
        record(walk)
        walk.next_day()
    return walk.examples()
