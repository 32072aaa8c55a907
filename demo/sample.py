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
from ballots.models import Ballot
from catalog.models import Book
from clubs.club.models import Club
from clubs.reading.choices import EntryStatus, ReadingPosition, Unit
from clubs.reading.models import Entry, Milestone, Progress
from clubs.roles import Role
from core.search.normalize import fold_case_and_accents
from demo.cases import seed_demo_cases
from demo.meetings import create_demo_meetings
from demo.reviews import seed_demo_reviews
from demo.threads import create_demo_threads

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
class DemoEntry:
    """A book on a reading list: the beginning of its title, its status, and its start in days from today."""

    title: str
    status: str
    starts: int | None = None
    days: int = 28
    note: str = ""


@dataclass(frozen=True)
class DemoBallot:
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
class DemoClub:
    """A club: its columns, its members by first name (owner, moderator, others) and its reading list."""

    name: str
    description: str
    language: str
    timezone: str
    members: str
    entries: tuple[DemoEntry, ...]
    part: str
    columns: dict[str, str] = field(default_factory=dict)
    ballots: tuple[DemoBallot, ...] = ()


PLANS = (
    DemoClub(
        "Clube do Livro de Pinheiros",
        "Clássicos brasileiros, um capítulo por noite e café no último sábado do mês.",
        *("pt-br", "America/Sao_Paulo", "ana bruno helena davi joao carla"),
        (
            DemoEntry("Vidas Secas", EntryStatus.FINISHED, -70, note="Lido em voz alta no parque."),
            DemoEntry("O Alienista", EntryStatus.FINISHED, -40, 10),
            DemoEntry("Grande Sertão", EntryStatus.READING, -12, 42, "Sem pressa: é travessia."),
            DemoEntry("A Hora da Estrela", EntryStatus.PLANNED, 34, 14),
            DemoEntry("Quarto de Despejo", EntryStatus.PROPOSED),
            DemoEntry("Macunaíma", EntryStatus.PROPOSED),
            DemoEntry("Sagarana", EntryStatus.PROPOSED),
        ),
        "Até aqui",
        ballots=(
            DemoBallot(
                "O que lemos no verão?", "ranked", ("Quarto", "Macunaíma", "Sagarana"), "20 1 021 2 - 12", 9, 50
            ),
        ),
    ),
    DemoClub(
        "Leituras de Lisboa",
        "Romances em português dos dois lados do Atlântico.",
        *("pt", "Europe/Lisbon", "carla joao ana"),
        (
            DemoEntry("O Primo Basílio", EntryStatus.READING, -20, 30),
            DemoEntry("Memorial de Aires", EntryStatus.PLANNED, 12, 21),
            DemoEntry("As Meninas", EntryStatus.PROPOSED),
            DemoEntry("Os Sertões", EntryStatus.DROPPED, note="Fica para o inverno."),
        ),
        "Parte",
        {"join_policy": "request"},
    ),
    DemoClub(
        "Leitores da Rua Sete",
        "Entre vizinhos.",
        *("pt-br", "America/Recife", "davi helena bruno"),
        (DemoEntry("Capitães da Areia", EntryStatus.READING, -6, 21), DemoEntry("Gabriela", EntryStatus.PROPOSED)),
        "Semana",
        {"visibility": "private"},
    ),
    DemoClub(
        "The Night Readers",
        "Long novels after dark. No spoilers before the milestone.",
        *("en", "Europe/London", "emma oliver liam nora theo grace"),
        (
            DemoEntry("Wuthering Heights", EntryStatus.FINISHED, -90),
            DemoEntry("Frankenstein", EntryStatus.FINISHED, -55, 21),
            DemoEntry("Jane Eyre", EntryStatus.READING, -15, 35, "Any edition will do; tell us your own page count."),
            DemoEntry("A Tale of Two Cities", EntryStatus.PLANNED, 28, 28),
            DemoEntry("The Odyssey", EntryStatus.PROPOSED),
            DemoEntry("Dracula", EntryStatus.PROPOSED),
            DemoEntry("The Picture of Dorian Gray", EntryStatus.PROPOSED),
        ),
        "Part",
        ballots=(
            DemoBallot(
                "Something dark for the long nights",
                *("ranked", ("Dracula", "The Odyssey", "The Picture"), "01 2 20 1 021 21"),
                quorum=50,
            ),
        ),
    ),
    DemoClub(
        "Slow Classics",
        "One book a season, one chapter a day, nobody left behind.",
        *("en", "America/New_York", "grace theo emma"),
        (
            DemoEntry("The Great Gatsby", EntryStatus.FINISHED, -60),
            DemoEntry("To Kill a Mockingbird", EntryStatus.READING, -9, 49),
            DemoEntry("Of Mice and Men", EntryStatus.PLANNED, 45, 14),
            DemoEntry("Lord of the Flies", EntryStatus.PROPOSED),
        ),
        "Part",
        {"join_policy": "request"},
    ),
    DemoClub(
        "Tomorrow's World",
        "Science fiction, old and new, in any translation you like.",
        *("en", "Europe/Berlin", "nora liam bruno oliver"),
        (
            DemoEntry("Fahrenheit 451", EntryStatus.FINISHED, -45, 21),
            DemoEntry("Brave New World", EntryStatus.READING, -10, 24),
            DemoEntry("1984", EntryStatus.PLANNED, 16, 28),
            DemoEntry("Slaughterhouse-Five", EntryStatus.PROPOSED),
            DemoEntry("The Hitchhiker", EntryStatus.PROPOSED),
        ),
        "Part",
        ballots=(
            DemoBallot("Which would you enjoy?", "approval", ("Slaughterhouse", "The Hitchhiker"), "01 1 - 0", 5),
            DemoBallot("And after it?", "approval", ("Slaughterhouse", "The Hitchhiker"), "1 - - -", quorum=75),
        ),
    ),
)

# Progress of the members in turn: on schedule, ahead, behind, and one who has not started.
DEMO_PROGRESS = (
    ReadingPosition(Unit.PERCENT, Decimal(45)),
    ReadingPosition(Unit.PAGE, Decimal(212), Decimal(320)),
    ReadingPosition(Unit.MINUTES, Decimal(150), Decimal(640)),
    ReadingPosition(Unit.PERCENT, Decimal(60)),
    None,
    ReadingPosition(Unit.PAGE, Decimal(18), Decimal(288)),
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
        _create_club(plan, [users[name] for name in plan.members.split()])
    seed_demo_reviews(users)
    seed_demo_cases(users)
    return len(PLANS)


def _create_club(plan: DemoClub, users: list[User]) -> None:
    owner, *members = users
    columns = {name: getattr(plan, name) for name in ("name", "description", "language", "timezone")}
    club = Club.create_club(by=owner, **columns, **plan.columns)
    for user in members:
        club.get_membership(user).activate()
    club.memberships.filter(user=members[0]).update(role=Role.MODERATOR)
    for number, shelf in enumerate(plan.entries):
        book = (
            Book.objects.filter(title_key__startswith=fold_case_and_accents(shelf.title))
            .order_by("-ratings_count", "id")
            .first()
        )
        if book is not None:
            by = users[number % len(users)] if shelf.status == EntryStatus.PROPOSED else owner
            _list(
                shelf, Entry.add_entry(club=club, book=book, by=by, status=shelf.status, note=shelf.note), users, plan
            )
    for poll in plan.ballots:
        _vote(poll, club, users)
    create_demo_meetings(club, users)
    create_demo_threads(club, users)


def _list(shelf: DemoEntry, entry: Entry, users: list[User], plan: DemoClub) -> None:
    """Set the dates, the schedule and the members' progress of an entry."""
    if shelf.starts is None:
        return
    starts = timezone.localdate() + datetime.timedelta(shelf.starts)
    entry.update_entry(by=users[0], starts_on=starts, ends_on=starts + datetime.timedelta(shelf.days))
    for quarter in range(1, 5):
        due = starts + datetime.timedelta(shelf.days * quarter // 4)
        Milestone.create_milestone(
            entry=entry, by=users[0], title=f"{plan.part} {quarter}", up_to_percent=quarter * 25, due_on=due
        )
    for number, user in enumerate(users):
        position = (
            DEMO_PROGRESS[number % len(DEMO_PROGRESS)]
            if shelf.status == EntryStatus.READING
            else ReadingPosition(Unit.PERCENT, Decimal(100))
        )
        if position is not None and shelf.status in (EntryStatus.READING, EntryStatus.FINISHED):
            Progress.set_progress(entry=entry, by=user, position=position, hidden=number == 3)


def _vote(poll: DemoBallot, club: Club, users: list[User]) -> None:
    """Hold a ballot, unless one of its books is not on the reading list."""
    keys = [fold_case_and_accents(title) for title in poll.on]
    found = [club.entries.filter(book__title_key__startswith=key).first() for key in keys]
    candidates = [entry.pk for entry in found if entry is not None]
    if len(candidates) < len(poll.on):
        return
    closes_at = timezone.now() + datetime.timedelta(days=poll.days or 7)
    columns = {"title": poll.title, "method": poll.method, "quorum_percent": poll.quorum, "closes_at": closes_at}
    ballot = Ballot.create_ballot(club=club, by=users[0], candidates=candidates, **columns)
    for user, vote in zip(users, poll.votes.split(), strict=True):
        if vote != "-":
            ballot.vote(by=user, choices=[candidates[int(number)] for number in vote])
    if not poll.days:
        ballot.close(by=users[0])
