"""A small sample of demo data: users in two languages, their clubs, reading lists and progress.

It is created by the models' own methods, so that it cannot contain anything that they would not allow.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookbridge.api.text import fold
from catalog.models import Book
from clubs.ballots.models import Ballot
from clubs.clubs.models import Club
from clubs.reading.models import Entry, Milestone, Progress
from clubs.reading.rules import Mark, Status, Unit
from clubs.roles import Role
from clubs.seeding.meetings import meet
from clubs.seeding.talking import talk
from reviews.living import seed_living
from reviews.living_desk import seed_desk

# Name, display name, language, time zone.
READERS = (
    ("ana.ribeiro", "Ana Ribeiro", "pt-BR", "America/Sao_Paulo"),
    ("bruno.tavares", "Bruno Tavares", "pt-BR", "America/Sao_Paulo"),
    ("carla.nogueira", "Carla Nogueira", "pt-BR", "Europe/Lisbon"),
    ("davi.moraes", "Davi Moraes", "pt-BR", "America/Recife"),
    ("helena.prado", "Helena Prado", "pt-BR", "America/Sao_Paulo"),
    ("joao.vidal", "João Vidal", "pt-BR", "America/Manaus"),
    ("emma.clarke", "Emma Clarke", "en", "Europe/London"),
    ("oliver.hughes", "Oliver Hughes", "en", "Europe/London"),
    ("grace.miller", "Grace Miller", "en", "America/New_York"),
    ("liam.byrne", "Liam Byrne", "en", "Europe/Dublin"),
    ("nora.fischer", "Nora Fischer", "en", "Europe/Berlin"),
    ("theo.bennett", "Theo Bennett", "en", "America/Chicago"),
)


@dataclass(frozen=True)
class Shelf:
    """A book on a reading list: the beginning of its title, its status, and its start in days from today."""

    title: str
    status: str
    starts: int | None = None
    days: int = 28
    note: str = ""


@dataclass(frozen=True)
class Poll:
    """A ballot: the candidates, and the members' votes in order as digits that index the candidates, "-" for none.

    It is open for `days` days, or closed if that is 0.
    """

    title: str
    method: str
    on: tuple[str, ...]
    votes: str
    days: int = 0
    quorum: int = 0


@dataclass(frozen=True)
class Plan:
    """A club: its columns, its members by first name (owner, moderator, others) and its reading list."""

    name: str
    description: str
    language: str
    timezone: str
    people: str
    shelves: tuple[Shelf, ...]
    part: str
    columns: dict[str, str] = field(default_factory=dict)
    polls: tuple[Poll, ...] = ()


PLANS = (
    Plan(
        "Clube do Livro de Pinheiros",
        "Clássicos brasileiros, um capítulo por noite e café no último sábado do mês.",
        *("pt-br", "America/Sao_Paulo", "ana bruno helena davi joao carla"),
        (
            Shelf("Vidas Secas", Status.FINISHED, -70, note="Lido em voz alta no parque."),
            Shelf("O Alienista", Status.FINISHED, -40, 10),
            Shelf("Grande Sertão", Status.READING, -12, 42, "Sem pressa: é travessia."),
            Shelf("A Hora da Estrela", Status.PLANNED, 34, 14),
            Shelf("Quarto de Despejo", Status.PROPOSED),
            Shelf("Macunaíma", Status.PROPOSED),
            Shelf("Sagarana", Status.PROPOSED),
        ),
        "Até aqui",
        polls=(Poll("O que lemos no verão?", "ranked", ("Quarto", "Macunaíma", "Sagarana"), "20 1 021 2 - 12", 9, 50),),
    ),
    Plan(
        "Leituras de Lisboa",
        "Romances em português dos dois lados do Atlântico.",
        *("pt", "Europe/Lisbon", "carla joao ana"),
        (
            Shelf("O Primo Basílio", Status.READING, -20, 30),
            Shelf("Memorial de Aires", Status.PLANNED, 12, 21),
            Shelf("As Meninas", Status.PROPOSED),
            Shelf("Os Sertões", Status.DROPPED, note="Fica para o inverno."),
        ),
        "Parte",
        {"join_policy": "request"},
    ),
    Plan(
        "Leitores da Rua Sete",
        "Entre vizinhos.",
        *("pt-br", "America/Recife", "davi helena bruno"),
        (Shelf("Capitães da Areia", Status.READING, -6, 21), Shelf("Gabriela", Status.PROPOSED)),
        "Semana",
        {"visibility": "private"},
    ),
    Plan(
        "The Night Readers",
        "Long novels after dark. No spoilers before the milestone.",
        *("en", "Europe/London", "emma oliver liam nora theo grace"),
        (
            Shelf("Wuthering Heights", Status.FINISHED, -90),
            Shelf("Frankenstein", Status.FINISHED, -55, 21),
            Shelf("Jane Eyre", Status.READING, -15, 35, "Any edition will do; tell us your own page count."),
            Shelf("A Tale of Two Cities", Status.PLANNED, 28, 28),
            Shelf("The Odyssey", Status.PROPOSED),
            Shelf("Dracula", Status.PROPOSED),
            Shelf("The Picture of Dorian Gray", Status.PROPOSED),
        ),
        "Part",
        polls=(
            Poll(
                "Something dark for the long nights",
                *("ranked", ("Dracula", "The Odyssey", "The Picture"), "01 2 20 1 021 21"),
                quorum=50,
            ),
        ),
    ),
    Plan(
        "Slow Classics",
        "One book a season, one chapter a day, nobody left behind.",
        *("en", "America/New_York", "grace theo emma"),
        (
            Shelf("The Great Gatsby", Status.FINISHED, -60),
            Shelf("To Kill a Mockingbird", Status.READING, -9, 49),
            Shelf("Of Mice and Men", Status.PLANNED, 45, 14),
            Shelf("Lord of the Flies", Status.PROPOSED),
        ),
        "Part",
        {"join_policy": "request"},
    ),
    Plan(
        "Tomorrow's World",
        "Science fiction, old and new, in any translation you like.",
        *("en", "Europe/Berlin", "nora liam bruno oliver"),
        (
            Shelf("Fahrenheit 451", Status.FINISHED, -45, 21),
            Shelf("Brave New World", Status.READING, -10, 24),
            Shelf("1984", Status.PLANNED, 16, 28),
            Shelf("Slaughterhouse-Five", Status.PROPOSED),
            Shelf("The Hitchhiker", Status.PROPOSED),
        ),
        "Part",
        polls=(
            Poll("Which would you enjoy?", "approval", ("Slaughterhouse", "The Hitchhiker"), "01 1 - 0", 5),
            Poll("And after it?", "approval", ("Slaughterhouse", "The Hitchhiker"), "1 - - -", quorum=75),
        ),
    ),
)

# Progress of the members in turn: on schedule, ahead, behind, and one who has not started.
MARKS = (
    Mark(Unit.PERCENT, Decimal(45)),
    Mark(Unit.PAGE, Decimal(212), Decimal(320)),
    Mark(Unit.MINUTES, Decimal(150), Decimal(640)),
    Mark(Unit.PERCENT, Decimal(60)),
    None,
    Mark(Unit.PAGE, Decimal(18), Decimal(288)),
)


@transaction.atomic
def seed(*, password: str | None) -> int:
    """Create the users and their clubs and return the number of clubs, 0 if there are any clubs or such users.

    Without a `password` nobody can sign in as one of the users. Books that are not in the catalog are skipped.
    """
    names = [name for name, *_rest in READERS]
    if Club.objects.exists() or User.objects.filter(username_key__in=names).exists():
        return 0
    users = {}
    for name, shown, language, zone in READERS:
        columns = {"display_name": shown, "language": language, "timezone": zone}
        users[name.split(".")[0]] = User.objects.create_user(name, password, **columns)
    for plan in PLANS:
        _create_club(plan, [users[name] for name in plan.people.split()])
    seed_living(users)
    seed_desk(users)
    return len(PLANS)


def _create_club(plan: Plan, users: list[User]) -> None:
    owner, *members = users
    columns = {name: getattr(plan, name) for name in ("name", "description", "language", "timezone")}
    club = Club.found(by=owner, **columns, **plan.columns)
    for user in members:
        club.membership_of(user).enter()
    club.memberships.filter(user=members[0]).update(role=Role.MODERATOR)
    for number, shelf in enumerate(plan.shelves):
        book = Book.objects.filter(title_key__startswith=fold(shelf.title)).order_by("-ratings_count", "id").first()
        if book is not None:
            by = users[number % len(users)] if shelf.status == Status.PROPOSED else owner
            _list(shelf, Entry.add(club=club, book=book, by=by, status=shelf.status, note=shelf.note), users, plan)
    for poll in plan.polls:
        _vote(poll, club, users)
    meet(club, users)
    talk(club, users)


def _list(shelf: Shelf, entry: Entry, users: list[User], plan: Plan) -> None:
    """Set the dates, the schedule and the members' progress of an entry."""
    if shelf.starts is None:
        return
    starts = timezone.localdate() + datetime.timedelta(shelf.starts)
    entry.change(by=users[0], starts_on=starts, ends_on=starts + datetime.timedelta(shelf.days))
    for quarter in range(1, 5):
        due = starts + datetime.timedelta(shelf.days * quarter // 4)
        Milestone.add(entry=entry, by=users[0], title=f"{plan.part} {quarter}", up_to_percent=quarter * 25, due_on=due)
    for number, user in enumerate(users):
        mark = MARKS[number % len(MARKS)] if shelf.status == Status.READING else Mark(Unit.PERCENT, Decimal(100))
        if mark is not None and shelf.status in (Status.READING, Status.FINISHED):
            Progress.set(entry=entry, by=user, mark=mark, hidden=number == 3)


def _vote(poll: Poll, club: Club, users: list[User]) -> None:
    """Hold a ballot, unless one of its books is not on the reading list."""
    keys = [fold(title) for title in poll.on]
    found = [club.entries.filter(book__title_key__startswith=key).first() for key in keys]
    candidates = [entry.pk for entry in found if entry is not None]
    if len(candidates) < len(poll.on):
        return
    closes_at = timezone.now() + datetime.timedelta(days=poll.days or 7)
    columns = {"title": poll.title, "method": poll.method, "quorum_percent": poll.quorum, "closes_at": closes_at}
    ballot = Ballot.open(club=club, by=users[0], candidates=candidates, **columns)
    for user, vote in zip(users, poll.votes.split(), strict=True):
        if vote != "-":
            ballot.vote(by=user, choices=[candidates[int(number)] for number in vote])
    if not poll.days:
        ballot.close(by=users[0])
