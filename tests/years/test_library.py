"""The year of a library's club: 302 members of whom 40 take part, 25 seats, and one router for sixty sign-ups."""

import datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from activity.choices import NOT_EMAILED_DURING_PAUSE
from activity.models import Notification
from bookbridge.env import Rate
from clubs.models import Membership
from core.tasks.worker import run_pending
from tests.reviews.helpers import counter_differences
from tests.years.people import DAY, HOUR, V1, Person, moment, names

pytestmark = pytest.mark.django_db
JANUARY = datetime.datetime(2026, 1, 5, 15, tzinfo=datetime.UTC)
MARCH = datetime.datetime(2026, 3, 2, 15, tzinfo=datetime.UTC)
# The limits of a server without settings for them.
RATES = {"register": Rate(20, 60), "invite": Rate(10, 60), "anon": Rate(1200, 60), "write": Rate(120, 60)}


class Library:
    """The club, its librarian and the people who signed up with the invitation."""

    def __init__(self) -> None:
        self.librarian = Person(User.objects.create_user("marta", display_name="Marta", timezone="America/Sao_Paulo"))
        data = {"name": "Biblioteca Central", "visibility": "private", "timezone": "America/Sao_Paulo"}
        self.id = self.librarian.post("clubs/", data)["id"]
        self.people: list[Person] = []
        self.path = f"clubs/{self.id}/"

    @property
    def active(self) -> list[Person]:
        """The forty who take part, of whom the librarian is one."""
        return [self.librarian, *self.people[:39]]

    def sign_up(self, count: int) -> list[int]:
        """Let people register with one invitation from one address, and return the statuses of the responses."""
        code = self.librarian.post(f"{self.path}invites/")["code"]
        statuses = []
        for number in range(count):
            account = {"username": f"reader{number:02}", "password": "um-bom-segredo-7", "invite": code}
            response = APIClient(REMOTE_ADDR="198.51.100.7").post(f"{V1}auth/register/", account)
            statuses.append(response.status_code)
        self.people = [Person(user) for user in User.objects.filter(username__startswith="reader").order_by("pk")]
        return statuses

    def add_sleepers(self, count: int) -> None:
        """Add members who never come, as the sixty were added but in bulk."""
        users = [User(username=f"sleeper{number:03}") for number in range(count)]
        for user in users:
            user.update_derived_fields()
        User.objects.bulk_create(users)
        users = list(User.objects.filter(username__startswith="sleeper"))
        rows = [Membership(club_id=self.id, user=user, status="active", joined_at=timezone.now()) for user in users]
        Membership.objects.bulk_create(rows)
        counter_differences("--repair")

    def meeting(self, at: datetime.datetime, **fields: Any) -> str:
        data = {"title": "Torto Arado", "starts_at": moment(at), "place": "Sala 2", **fields}
        return f"{self.path}meetings/{self.librarian.post(f'{self.path}meetings/', data)['id']}/"


@pytest.fixture(scope="module", autouse=True)
def library(module_db: None) -> Library:
    """In January sixty people signed up; 241 others joined before."""
    with pytest.MonkeyPatch.context() as patch, time_machine.travel(JANUARY, tick=False):
        for scope, limit in RATES.items():
            patch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], scope, limit)
        library = Library()
        assert library.sign_up(60) == [201] * 60
        library.add_sleepers(241)
    return library


@pytest.fixture
def clock(library: Library) -> Any:
    # What the former test wrote, sessions among it, was rolled back.
    for person in (library.librarian, *library.people):
        person.sign_out()
    with time_machine.travel(MARCH, tick=False) as clock:
        yield clock


@pytest.fixture
def meeting(clock: Any, library: Library) -> str:
    """A meeting with 25 seats: 30 say yes, 4 no, and 6 of the forty say nothing."""
    path = library.meeting(MARCH + 10 * DAY, capacity=25)
    for number, person in enumerate(library.active[:34]):
        person.put(f"{path}rsvp/", {"answer": "yes" if number < 30 else "no"})
    return path


def pause_sleepers(library: Library) -> list[int]:
    """Pause 260 of the members who did nothing for 30 days, and return their ids."""
    known = {person.id for person in library.active}
    rows = library.librarian.rows(f"{library.path}members/?inactive_days=30&page_size=100")
    sleepers = [row["user"]["id"] for row in rows if row["user"]["id"] not in known]
    assert len(sleepers) == 262
    for ids in (sleepers[:200], sleepers[200:260]):
        done = library.librarian.post(f"{library.path}members/bulk/", {"action": "pause", "users": ids}, status=200)
        assert done == {"done": ids, "refused": []}
    return sleepers[:260]


def notified(kind: str, club: int) -> list[str]:
    """Run due tasks and return who was notified, in alphabetical order."""
    run_pending()
    rows = Notification.objects.filter(kind=kind, club=club)
    return sorted(rows.values_list("user__username", flat=True))


def test_all_sixty_have_joined(library: Library, clock: Any) -> None:
    assert library.librarian.get(library.path)["members_count"] == 302
    assert len(library.librarian.rows(f"{library.path}members/?page_size=100")) == 302
    assert counter_differences() == (0, [])


def test_librarian_reads_who_comes_by_name(library: Library, meeting: str) -> None:
    coming = library.librarian.get(f"{meeting}rsvps/?answer=yes&page_size=100")["results"]
    assert names(coming) == [person.user.username for person in library.active[:25]]
    waiting = library.librarian.get(f"{meeting}rsvps/?answer=waitlisted")["results"]
    assert [(row["user"]["username"], row["waitlist_position"]) for row in waiting] == [
        (person.user.username, position) for position, person in enumerate(library.active[25:30], start=1)
    ]
    assert library.people[0].get(f"{meeting}rsvps/?answer=yes&page_size=100")["results"] == coming
    library.people[0].get(f"{meeting}rsvps/?answer=none", status=403)


def test_paused_members_are_neither_reminded_nor_in_the_quorum(library: Library, meeting: str, clock: Any) -> None:
    sleepers = pause_sleepers(library)
    silent = {person.user.username for person in library.active[34:]} | {"sleeper239", "sleeper240"}
    assert set(names(library.librarian.rows(f"{meeting}rsvps/?answer=none"))) == silent
    assert library.librarian.post(f"{meeting}rsvps/remind/", status=202) == {"notified": 8}
    again = library.librarian.post(f"{meeting}rsvps/remind/", status=409)
    assert (again["code"], again["until"]) == ("reminded_already", moment(MARCH + DAY))
    assert notified("rsvp_reminder", library.id) == sorted(silent)
    # Each of the paused was told so, and has no e-mail about the meeting.
    assert len(notified("paused", library.id)) == len(sleepers)
    told = Notification.objects.filter(user__in=sleepers, kind__in=NOT_EMAILED_DURING_PAUSE, email_batch__isnull=False)
    assert not told.exists()
    result = vote_of_forty(library, clock)
    assert (result["outcome"], result["winner"], result["paused_count"]) == ("winner", result["first"], 260)


def test_moved_meeting_asks_again_and_fills_its_seats(library: Library, meeting: str, clock: Any) -> None:
    moved = library.librarian.patch(meeting, {"starts_at": moment(MARCH + 12 * DAY)})
    assert moved["counts"] == {"yes": 25, "maybe": 0, "no": 4, "waitlisted": 5, "unconfirmed": 25}
    library.people[3].put(f"{meeting}rsvp/", {"answer": "no"})
    first_waiting = library.active[25]
    assert first_waiting.get(meeting)["my_rsvp"]["answer"] == "yes"
    assert notified("seat_promoted", library.id) == [first_waiting.user.username]
    [text] = [
        row["text"]
        for row in library.people[8].rows("users/me/notifications/?page_size=100")
        if row["kind"] == "meeting_changed"
    ]
    assert text == (
        "The meeting “Torto Arado” of Biblioteca Central has changed: moved from Thursday, March 12, 2026 at noon"
        " (Brasília time) to Saturday, March 14, 2026 at noon (Brasília time); please say again whether you are coming."
    )
    clock.move_to(MARCH + 13 * DAY)
    attended = [person.id for person in library.active[:20]]
    library.librarian.put(f"{meeting}attendance/", {"attended": attended, "others": 3}, status=204)
    assert library.people[0].get(meeting)["attended_count"] == 23
    stats = library.people[0].get(f"{library.path}stats/")
    assert (stats["meetings_held"], stats["mean_attendance"]) == (1, 23)
    assert counter_differences() == (0, [])


def test_date_poll_finds_the_date_that_most_can(library: Library, clock: Any) -> None:
    starts = [MARCH + days * DAY for days in (14, 15, 16)]
    data = {
        "title": "Encontro de abril",
        "options": [moment(at) for at in starts],
        "closes_at": moment(MARCH + 7 * DAY),
        "capacity": 25,
        "place": "Sala 2",
    }
    poll = library.librarian.post(f"{library.path}date-polls/", data)
    path, options = f"{library.path}date-polls/{poll['id']}/", [option["id"] for option in poll["options"]]
    for number, person in enumerate(library.people[:30]):
        # The second date suits all of them, each of the others only some.
        answer = {"yes": [options[1], options[2 * (number % 2)]] if number < 28 else [], "maybe": []}
        person.put(f"{path}answer/", answer)
    clock.move_to(MARCH + 7 * DAY)
    run_pending()
    closed = library.librarian.get(path)
    assert (closed["status"], closed["outcome"], closed["answered_count"]) == ("closed", "chosen", 30)
    found = library.librarian.get(f"{library.path}meetings/{closed['meeting']}/")
    assert (found["starts_at"], found["place"], found["capacity"]) == (moment(starts[1]), "Sala 2", 25)
    coming = library.librarian.get(f"{library.path}meetings/{found['id']}/rsvps/?answer=yes&page_size=100")["results"]
    assert names(coming) == [person.user.username for person in library.people[:25]]
    assert found["counts"]["waitlisted"] == 3
    assert counter_differences() == (0, [])


def test_ballot_of_forty_votes_lacks_the_quorum_without_pauses(library: Library, clock: Any) -> None:
    result = vote_of_forty(library, clock)
    assert (result["outcome"], result["winner"], result["paused_count"]) == ("no_quorum", None, 0)


def vote_of_forty(library: Library, clock: Any) -> Any:
    """Let the forty vote in a ballot with a quorum of 30 %, and return its result."""
    entries = []
    for title in ("Torto Arado", "Grande Sertão: Veredas", "Água Viva"):
        book = library.librarian.post("books/", {"title": title, "author": f"Autor de {title}"})["id"]
        entries.append(library.people[1].post(f"{library.path}books/", {"book": book})["id"])
    data = {
        "title": "Próximo livro",
        "method": "ranked",
        "candidates": entries,
        "quorum_percent": 30,
        "closes_at": moment(MARCH + 3 * DAY),
    }
    path = f"{library.path}ballots/{library.librarian.post(f'{library.path}ballots/', data)['id']}/"
    for number, person in enumerate(library.active):
        person.put(f"{path}vote/", {"ranking": entries if number % 3 else entries[::-1]})
    clock.move_to(MARCH + 3 * DAY + HOUR)
    result = library.people[0].get(path)["result"]
    assert result["members_count"] == 302
    assert len(result["ballots"]) == 40
    assert result["rounds"][0]["counts"] == {str(entries[0]): 26, str(entries[1]): 0, str(entries[2]): 14}
    assert counter_differences() == (0, [])
    return result | {"first": entries[0]}
