"""A small sample of demo data: users in two languages, their clubs, reading lists and progress.

Everything is created by the model methods that the API uses, so that the data is valid.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ballots.models import Ballot
from catalog.models import title_sort_key
from clubs.club.models import Club
from clubs.reading.choices import EntryStatus, ReadingPosition, Unit
from clubs.reading.models import Entry, Milestone, Progress
from clubs.roles import Role
from demo.books import add_brazilian_editions, find_book
from demo.cases import seed_demo_cases
from demo.history import spread_over_a_year
from demo.meetings import create_demo_meetings
from demo.reviews import seed_demo_reviews
from demo.threads import create_demo_threads

# Name, display name, language, time zone.
DEMO_USERS = (
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
    starts_in: int | None = None
    days: int = 28
    note: str = ""


@dataclass(frozen=True)
class DemoBallot:
    """A ballot: the candidates, and the members' votes in order as digits that index the candidates, "-" for none.

    It is open for `days` days, or closed if that is 0.
    """

    title: str
    method: str
    candidates: tuple[str, ...]
    votes: str
    days: int = 0
    quorum: int = 0


@dataclass(frozen=True)
class DemoClub:
    """A club: its columns, its members by first name (owner, moderator, others) and its reading list.

    The titles of the milestones are `milestone_title` with a number.
    """

    name: str
    description: str
    language: str
    timezone: str
    members: str
    entries: tuple[DemoEntry, ...]
    milestone_title: str
    columns: dict[str, str] = field(default_factory=dict)
    ballots: tuple[DemoBallot, ...] = ()


DEMO_CLUBS = (
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
    """Create the users and their clubs and return the number of clubs, 0 if any club or demo user exists.

    Without a `password` nobody can log in as one of the users. Books that are not in the catalog are skipped.
    """
    names = [name for name, *_rest in DEMO_USERS]
    if Club.objects.exists() or User.objects.filter(username_key__in=names).exists():
        return 0
    users = {}
    for name, display_name, language, timezone_name in DEMO_USERS:
        columns = {"display_name": display_name, "language": language, "timezone": timezone_name}
        users[name.split(".")[0]] = User.objects.create_user(name, password, **columns)
    add_brazilian_editions()
    for demo_club in DEMO_CLUBS:
        _create_club(demo_club, [users[name] for name in demo_club.members.split()])
    seed_demo_reviews(users)
    seed_demo_cases(users)
    spread_over_a_year(users.values())
    return len(DEMO_CLUBS)


def _create_club(demo_club: DemoClub, users: list[User]) -> None:
    owner, *members = users
    columns = {name: getattr(demo_club, name) for name in ("name", "description", "language", "timezone")}
    club = Club.create_club(by=owner, **columns, **demo_club.columns)
    for user in members:
        club.get_membership(user).activate()
    club.memberships.filter(user=members[0]).update(role=Role.MODERATOR)
    for number, demo_entry in enumerate(demo_club.entries):
        book = find_book(demo_entry.title)
        if book is not None:
            by = users[number % len(users)] if demo_entry.status == EntryStatus.PROPOSED else owner
            entry = Entry.add_entry(club=club, book=book, by=by, status=demo_entry.status, note=demo_entry.note)
            _schedule(entry, demo_entry, demo_club, users)
    for demo_ballot in demo_club.ballots:
        _create_ballot(demo_ballot, club, users)
    create_demo_meetings(club, users)
    create_demo_threads(club, users)
    # After everything that would end the pause.
    club.get_membership(users[-1]).set_pause(by=users[-1], until=club.today + datetime.timedelta(days=30))


def _schedule(entry: Entry, demo_entry: DemoEntry, demo_club: DemoClub, users: list[User]) -> None:
    """Set the dates, the milestones and the members' progress of an entry."""
    if demo_entry.starts_in is None:
        return
    starts = timezone.localdate() + datetime.timedelta(demo_entry.starts_in)
    entry.update_entry(by=users[0], starts_on=starts, ends_on=starts + datetime.timedelta(demo_entry.days))
    for quarter in range(1, 5):
        due = starts + datetime.timedelta(demo_entry.days * quarter // 4)
        Milestone.create_milestone(
            entry=entry,
            by=users[0],
            title=f"{demo_club.milestone_title} {quarter}",
            up_to_percent=quarter * 25,
            due_on=due,
        )
    if demo_entry.status not in (EntryStatus.READING, EntryStatus.FINISHED):
        return
    for number, user in enumerate(users):
        position = (
            DEMO_PROGRESS[number % len(DEMO_PROGRESS)]
            if demo_entry.status == EntryStatus.READING
            else ReadingPosition(Unit.PERCENT, Decimal(100))
        )
        if position is not None:
            Progress.set_progress(entry=entry, by=user, position=position, hidden=number == 3)


def _create_ballot(demo_ballot: DemoBallot, club: Club, users: list[User]) -> None:
    """Create a ballot with its votes, unless one of its books is not on the reading list."""
    keys = [title_sort_key(title) for title in demo_ballot.candidates]
    found = [club.entries.filter(book__title_key__startswith=key).first() for key in keys]
    candidates = [entry.pk for entry in found if entry is not None]
    if len(candidates) < len(demo_ballot.candidates):
        return
    closes_at = timezone.now() + datetime.timedelta(days=demo_ballot.days or 7)
    ballot = Ballot.create_ballot(
        club=club,
        by=users[0],
        title=demo_ballot.title,
        method=demo_ballot.method,
        candidates=candidates,
        quorum_percent=demo_ballot.quorum,
        closes_at=closes_at,
    )
    for user, vote in zip(users, demo_ballot.votes.split(), strict=True):
        if vote != "-":
            ballot.vote(by=user, choices=[candidates[int(number)] for number in vote])
    if not demo_ballot.days:
        ballot.close(by=users[0])
