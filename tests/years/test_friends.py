"""The year of nine friends who read together in a private club."""

import datetime
import re
from collections import Counter
from typing import Any

import pytest
import time_machine
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator

from accounts.models import User
from core.tasks.worker import run_pending
from tests.reviews.helpers import counter_differences
from tests.years.people import DAY, Person, moment

pytestmark = pytest.mark.django_db
START = datetime.datetime(2026, 2, 2, 18, tzinfo=datetime.UTC)
NAMES = ("ana", "bia", "caio", "davi", "elis", "fabio", "gal", "hugo", "iara")
SECRET = "zephyrine"


class Friends:
    """The club of Ana and her eight friends. They have e-mail addresses and read Portuguese."""

    def __init__(self) -> None:
        self.people = [
            Person(
                User.objects.create_user(
                    name,
                    display_name=name.title(),
                    email=f"{name}@example.org",
                    email_verified=True,
                    language="pt-BR",
                    timezone="America/Sao_Paulo",
                )
            )
            for name in NAMES
        ]
        self.owner, self.others = self.people[0], self.people[1:]
        data = {"name": "Nove amigos", "visibility": "private", "timezone": "America/Sao_Paulo"}
        self.path = f"clubs/{self.owner.post('clubs/', data)['id']}/"
        code = self.owner.post(f"{self.path}invites/")["code"]
        for person in self.others:
            person.post("invites/accept/", {"code": code})

    def list_book(self, title: str, *, by: Person | None = None, **fields: Any) -> dict[str, Any]:
        person = by or self.owner
        book = person.post("books/", {"title": title, "author": f"Autora de {title}", "page_count": 300})
        return person.post(f"{self.path}books/", {"book": book["id"], **fields})

    def entry(self, entry: dict[str, Any], rest: str = "") -> str:
        return f"{self.path}books/{entry['id']}/{rest}"


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def friends(clock: Any, db: None) -> Any:
    yield Friends()
    # What the year has written agrees with the figures.
    run_pending()
    assert counter_differences() == (0, [])


def test_reader_without_a_mark_cannot_spoil(friends: Friends, mailoutbox: list[Any]) -> None:
    entry = friends.list_book("Torto Arado", status="reading")
    bia, caio, davi = friends.others[:3]
    caio.put(friends.entry(entry, "progress/"), {"percent": 60})
    data = {"title": "O fim", "body": f"@caio {SECRET}", "entry": entry["id"]}
    thread = bia.post(f"{friends.path}threads/", data)
    [post] = caio.rows(f"{friends.path}threads/{thread['id']}/posts/")
    assert (post["body"], post["locked"], post["unlocks_at_percent"]) == (None, True, 100)
    # Who means it to be open says so.
    open_post = {"body": "Quem vem?", "spoiler_percent": 0}
    bia.post(f"{friends.path}threads/{thread['id']}/posts/", open_post)
    assert davi.rows(f"{friends.path}threads/{thread['id']}/posts/")[1]["body"] == "Quem vem?"
    run_pending()
    assert SECRET not in "".join(str(message.message()) for message in mailoutbox)
    caio.put(friends.entry(entry, "progress/"), {"percent": 100})
    assert SECRET in caio.rows(f"{friends.path}threads/{thread['id']}/posts/")[0]["body"]


def test_book_of_2019_counts_in_2019(friends: Friends) -> None:
    friends.list_book("Quarto de Despejo", status="finished", starts_on="2019-05-02", finished_on="2019-06-10")
    bia = friends.others[0]
    years = {year: bia.get(f"{friends.path}year/{year}/") for year in (2019, 2026)}
    assert [(row["title"], row["finished_on"]) for row in years[2019]["books"]] == [("Quarto de Despejo", "2019-06-10")]
    assert years[2019]["months"] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert (years[2019]["pages"], years[2026]["books_finished"], years[2026]["pages"]) == (300, 0, 0)
    assert {"month": "2019-06", "count": 1} in bia.get(f"{friends.path}stats/")["finished_by_month"]


def test_second_reading_stands_beside_the_first(friends: Friends) -> None:
    first = friends.list_book("Água Viva", status="finished", finished_on="2019-06-10")
    bia = friends.others[0]
    bia.put(friends.entry(first, "progress/"), {"percent": 100, "finished_on": "2019-06-08"})
    again = {"book": first["book"]["id"], "status": "reading"}
    second = friends.owner.post(f"{friends.path}books/", again)
    assert (first["reading_number"], second["reading_number"]) == (1, 2)
    assert bia.get(friends.entry(second))["my_progress"] is None
    bia.put(friends.entry(second, "progress/"), {"percent": 100})
    friends.owner.patch(friends.entry(second), {"status": "finished"})
    listed = [row for row in bia.rows(f"{friends.path}books/") if row["book"]["id"] == first["book"]["id"]]
    assert [(row["reading_number"], row["finished_on"]) for row in listed] == [(1, "2019-06-10"), (2, "2026-02-02")]
    readings = bia.rows("users/me/readings/")
    assert sorted(row["finished_on"] for row in readings) == ["2019-06-08", "2026-02-02"]
    for year in (2019, 2026):
        assert bia.get(f"users/me/year/{year}/")["books_finished"] == 1
        assert bia.get(f"{friends.path}year/{year}/")["books_finished"] == 1


@pytest.fixture
def sealed(friends: Friends) -> dict[str, Any]:
    """An entry, sealed with a meeting in a week, of which everybody has said something."""
    entry = friends.list_book("Torto Arado", status="reading")
    data = {"title": "Torto Arado", "starts_at": moment(START + 7 * DAY), "entry": entry["id"]}
    meeting = friends.owner.post(f"{friends.path}meetings/", data)
    friends.owner.patch(friends.entry(entry), {"sealed_with": meeting["id"]})
    for person in friends.others:
        person.put(friends.entry(entry, "opinion/"), {"rating": 4, "text": "Gostei", "read": "all"})
    return entry | {"meeting": meeting["id"]}


def get_everything(friends: Friends, person: Person, entry: dict[str, Any]) -> dict[str, bytes]:
    """Return the responses to every GET of the OpenAPI document, also about the owner's objects.

    What they write, such as the record of an export, is rolled back.
    """
    assert person.client
    ids = {
        "club_id": friends.path.split("/")[1],
        "entry_id": entry["id"],
        "book_id": entry["book"]["id"],
        "meeting_id": entry["meeting"],
        "user_id": friends.owner.id,
        "username": friends.owner.user.username,
        "year": START.year,
    }
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    routes = [path for path, methods in schema["paths"].items() if "get" in methods]
    found = {}
    with transaction.atomic():
        for route in routes:
            path = re.sub(r"\{(\w+)\}", lambda match: str(ids.get(match[1], 1)), route)
            response = person.client.get(path, headers={"X-Request-ID": "the-same"})
            assert response.status_code < 500, path
            content = response.getvalue() if response.streaming else response.content
            # An export has the record of itself, whose id is the next of all events.
            found[path] = re.sub(rb'"id": \d+', b"", content) if path.endswith("/export/") else content
        transaction.set_rollback(True)
    assert len(found) > 60
    return found


def test_sealed_rating_of_the_owner_is_in_no_answer(
    friends: Friends, sealed: dict[str, Any], clock: Any, mailoutbox: list[Any]
) -> None:
    path = friends.entry(sealed, "opinion/")
    friends.owner.put(path, {"rating": 4, "text": "Bom", "read": "all"})
    friends.owner.patch(friends.entry(sealed), {"status": "finished"})
    moderator, member = friends.others[:2]
    friends.owner.patch(f"{friends.path}members/{moderator.id}/", {"role": "moderator"})
    run_pending()
    before = [get_everything(friends, person, sealed) for person in (moderator, member)]
    mailoutbox.clear()
    friends.owner.put(path, {"rating": 0.5, "text": SECRET, "read": "part"})
    run_pending()
    after = [get_everything(friends, person, sealed) for person in (moderator, member)]
    assert [path for old, new in zip(before, after, strict=True) for path in old if old[path] != new[path]] == []
    assert SECRET.encode() not in b"".join(content for pages in after for content in pages.values())
    assert not mailoutbox
    clock.move_to(START + 7 * DAY - datetime.timedelta(seconds=1))
    run_pending()
    for person in (moderator, member):
        assert SECRET.encode() not in b"".join(get_everything(friends, person, sealed).values())
    assert SECRET not in "".join(str(message.message()) for message in mailoutbox)
    clock.move_to(START + 7 * DAY)
    for person in (moderator, member):
        opinions = person.get(friends.entry(sealed, "opinions/"))
        [owners] = [row for row in opinions["results"] if row["user"]["username"] == "ana"]
        assert (owners["rating"], owners["text"]) == (0.5, SECRET)


def count_by_hand(ballots: list[list[int]], proposed: list[int]) -> int | None:
    """Return the winner of an instant run-off among entries in the order of their proposals, as the rules say."""
    left = list(proposed)
    first_choices = Counter(next(iter(ballot), None) for ballot in ballots)
    mentions = Counter(entry for ballot in ballots for entry in ballot)
    while left:
        papers = [[entry for entry in ballot if entry in left] for ballot in ballots]
        tops = Counter(paper[0] for paper in papers if paper)
        best = max(left, key=lambda entry: tops[entry])
        if tops[best] * 2 > tops.total() or len(left) == 1:
            return best
        left.remove(
            min(left, key=lambda entry: (tops[entry], first_choices[entry], mentions[entry], -proposed.index(entry)))
        )
    return None


def test_winner_nobody_can_get_is_replaced_by_a_recount(friends: Friends, clock: Any) -> None:
    titles = ("Esgotado", "Torto Arado", "Água Viva", "Dom Casmurro")
    entries = []
    for title, person in zip(titles, friends.people, strict=False):
        entries.append(friends.list_book(title, by=person)["id"])
        clock.shift(60)
    sold_out, arado, agua, dom = entries
    closes_at = moment(START + 3 * DAY)
    data = {"title": "Maio", "method": "ranked", "candidates": entries, "closes_at": closes_at}
    path = f"{friends.path}ballots/{friends.owner.post(f'{friends.path}ballots/', data)['id']}/"
    rankings = [[sold_out, agua]] * 5 + [[arado, dom], [arado], [dom, agua], [agua, dom]]
    for person, ranking in zip(friends.people, rankings, strict=True):
        person.put(f"{path}vote/", {"ranking": ranking})
    clock.move_to(START + 4 * DAY)
    result = friends.others[0].get(path)["result"]
    assert result["winner"] == sold_out == count_by_hand(result["ballots"], entries)
    for person in friends.people:
        person.put(f"{friends.path}books/{sold_out}/access/mine/", {"answer": "cannot"})
    friends.others[0].post(f"{path}recount/", {"without": sold_out, "reason": "Esgotado"}, status=403)
    friends.owner.post(f"{path}recount/", {"without": sold_out, "reason": "Esgotado"}, status=200)
    for person in friends.people:
        result = person.get(path)["result"]
        assert sorted(map(tuple, result["ballots"])) == sorted(map(tuple, rankings))
        others = [[entry for entry in ballot if entry != sold_out] for ballot in result["ballots"]]
        assert result["winner"] == agua == count_by_hand(others, entries[1:])
        assert result["recounts"][-1]["winner"] == agua
    statuses = {row["id"]: row["status"] for row in friends.owner.rows(f"{friends.path}books/")}
    assert statuses == {sold_out: "proposed", arado: "proposed", agua: "planned", dom: "proposed"}
