"""E-mails say which club and object, when and where, to readers of English in London and Portuguese in Recife."""

import datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings

from accounts.models import User
from activity.choices import NotificationKind
from activity.models import NotificationPreference
from core.tasks.worker import run_pending
from tests.years.people import DAY, HOUR, Person, moment

pytestmark = pytest.mark.django_db
START = datetime.datetime(2026, 3, 2, 15, tzinfo=datetime.UTC)
SUNDAY = (
    "Sunday, March 15, 2026 at 1 p.m. (Brasília time); for you: Sunday, March 15, 2026 at 4 p.m. (London time)",
    "domingo, 15 de março de 2026, às 13h (horário de Brasília)",
)
THURSDAY = (
    "Thursday, March 5, 2026 at noon (Brasília time); for you: Thursday, March 5, 2026 at 3 p.m. (London time)",
    "quinta-feira, 5 de março de 2026, às 12h (horário de Brasília)",
)
AUDITORIUM = ("Where: Auditório", "Local: Auditório")


class Club:
    """A club in São Paulo, whose members get e-mails of every kind."""

    def __init__(self, mailoutbox: list[Any]) -> None:
        self.mailoutbox = mailoutbox
        self.ana, self.eve, self.rui = (
            Person(User.objects.create_user(name, display_name=name.title(), **fields))
            for name, fields in {
                "ana": {},
                "eve": {"language": "en", "timezone": "Europe/London"},
                "rui": {"language": "pt-BR", "timezone": "America/Recife"},
            }.items()
        )
        data = {"name": "Biblioteca Central", "timezone": "America/Sao_Paulo"}
        self.path = f"clubs/{self.ana.post('clubs/', data)['id']}/"
        for person in self.readers:
            person.post(f"{self.path}join/")
            user = person.user
            user.email, user.email_verified = f"{user.username}@example.org", True
            user.update_derived_fields()
            user.save()
            kinds = {kind.value: {"email": True} for kind in NotificationKind if kind != NotificationKind.SECURITY}
            NotificationPreference.objects.update_preferences(user, kinds)
        run_pending()
        mailoutbox.clear()

    @property
    def readers(self) -> tuple[Person, Person]:
        return self.eve, self.rui

    def check(self, link: str, *parts: tuple[str, str]) -> None:
        """Check that both readers have got one e-mail, with a link to this page and these parts in their languages."""
        run_pending()
        mails = sorted(self.mailoutbox, key=lambda message: message.to)
        assert [message.to for message in mails] == [["eve@example.org"], ["rui@example.org"]]
        for number, message in enumerate(mails):
            assert message.subject.startswith("Biblioteca Central: ")
            assert f"\n{settings.APP_URL}/{link.rstrip('/')}\n" in message.body
            [(html, _type)] = message.alternatives
            assert f'<a href="{settings.APP_URL}/{link.rstrip("/")}">' in html
            for part in parts:
                assert part[number] in message.body
        self.mailoutbox.clear()


@pytest.fixture
def club(mailoutbox: list[Any], db: None) -> Any:
    with time_machine.travel(START, tick=False):
        yield Club(mailoutbox)


@pytest.fixture
def meeting(club: Club) -> str:
    starts_at = moment(START + 13 * DAY + HOUR)
    data = {"title": "Torto Arado", "starts_at": starts_at, "place": "Auditório", "capacity": 1}
    path = f"{club.path}meetings/{club.ana.post(f'{club.path}meetings/', data)['id']}/"
    club.check(path, SUNDAY, AUDITORIUM, ("New meeting of Biblioteca Central: “Torto Arado”, ", "Novo encontro de"))
    return path


def test_emails_about_a_meeting(club: Club, meeting: str) -> None:
    ana = club.ana
    ana.put(f"{meeting}rsvp/", {"answer": "yes"})
    ana.post(f"{meeting}rsvps/remind/", status=202)
    club.check(meeting, SUNDAY, AUDITORIUM, ("Are you coming to “Torto Arado”", "Você vai a “Torto Arado”"))
    for person in club.readers:
        person.put(f"{meeting}rsvp/", {"answer": "yes"})
    ana.patch(meeting, {"capacity": 3})
    club.check(meeting, SUNDAY, AUDITORIUM, ("you can now attend “Torto Arado”", "você tem lugar em “Torto Arado”"))
    ana.patch(meeting, {"starts_at": moment(START + 3 * DAY)})
    club.check(meeting, THURSDAY, AUDITORIUM, ("moved from Sunday, March 15", "passou de domingo, 15 de março"))
    with time_machine.travel(START + 2 * DAY, tick=False):
        club.check(meeting, THURSDAY, AUDITORIUM, ("Upcoming meeting of", "Próximo encontro de"))
    ana.patch(meeting, {"status": "cancelled"})
    club.check(meeting, THURSDAY, ("it is cancelled; it was planned for", "foi cancelado; estava marcado para"))


def test_email_about_a_seat_of_the_last_hours(club: Club, meeting: str) -> None:
    for person in (club.ana, *club.readers):
        person.put(f"{meeting}rsvp/", {"answer": "yes"})
    with time_machine.travel(START + 13 * DAY, tick=False):
        run_pending()
        club.mailoutbox.clear()
        club.ana.put(f"{meeting}rsvp/", {"answer": "no"})
        club.check(meeting, SUNDAY, AUDITORIUM, ("A seat at “Torto Arado”", "Há uma vaga em “Torto Arado”"))


def test_emails_about_polls_and_ballots(club: Club) -> None:
    closes_at, entries = moment(START + 3 * DAY), []
    options = [moment(START + days * DAY) for days in (9, 10)]
    poll = club.ana.post(f"{club.path}date-polls/", {"title": "Abril", "options": options, "closes_at": closes_at})
    club.check(
        f"{club.path}date-polls/{poll['id']}", THURSDAY, ("date poll of", "enquete de datas de"), ("“Abril”",) * 2
    )
    for title in ("Torto Arado", "Água Viva"):
        book = club.ana.post("books/", {"title": title, "author": "A"})["id"]
        entries.append(club.ana.post(f"{club.path}books/", {"book": book})["id"])
    with time_machine.travel(START + DAY, tick=False):
        ballot = {"title": "Maio", "method": "approval", "candidates": entries, "closes_at": closes_at}
        path = f"{club.path}ballots/{club.ana.post(f'{club.path}ballots/', ballot)['id']}/"
        club.check(path, THURSDAY, ("New ballot in", "Nova votação em"), ("“Maio”", "“Maio”"))
        club.ana.put(f"{path}vote/", {"approved": entries[1:]})
    with time_machine.travel(START + 2 * DAY, tick=False):
        club.check(path, THURSDAY, ("is open until", "está aberta até"), ("“Maio”", "“Maio”"))
    with time_machine.travel(START + 4 * DAY, tick=False):
        club.ana.get(path)
        run_pending()
        [text] = {message.body for message in club.mailoutbox if "Água Viva" in message.body and "eve" in message.to[0]}
        assert "“Água Viva” was chosen" in text


def test_emails_about_the_schedule_and_the_membership(club: Club) -> None:
    book = club.ana.post("books/", {"title": "Torto Arado", "author": "A"})["id"]
    data = {"book": book, "status": "proposed", "ends_on": "2026-04-20", "starts_on": "2026-03-20"}
    path = f"{club.path}books/{club.ana.post(f'{club.path}books/', data)['id']}/"
    club.ana.patch(path, {"status": "planned"})
    start = ("We start on Friday, March 20, 2026.", "Início da leitura: sexta-feira, 20 de março de 2026.")
    club.check(path, start, ("“Torto Arado”", "“Torto Arado”"))
    club.ana.post(f"{path}shift/", {"days": 7, "from": "2026-03-21", "meetings": True}, status=200)
    moved = ("Saturday, March 21, 2026 on is 7 days later", "sábado, 21 de março de 2026 fica para 7 dias depois")
    club.check(path, moved)
    thread = club.ana.post(f"{club.path}threads/", {"title": "A sala", "body": "Mudou.", "announce": True})
    club.check(f"{club.path}threads/{thread['id']}", ("Ana announced in", "Ana publicou um aviso em"), ("Mudou.",) * 2)
    for person in club.readers:
        club.ana.put(f"{club.path}members/{person.id}/pause/", {"until": "2026-06-30"})
    club.check(club.path, ("until Tuesday, June 30, 2026.", "até terça-feira, 30 de junho de 2026."))
