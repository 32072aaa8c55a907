"""List of clubs: visibility, filters, ordering and query count."""

import pytest
from django.utils import timezone

from clubs.models import Club
from meetings.models import Meeting
from tests.clubs.helpers import CLUBS, bad_parameters, bring_in

pytestmark = pytest.mark.django_db


def names(response):
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["results"]]


def test_list_shows_public_and_own_private_clubs(make_club, client_of, anonymous, charlie, bob, alice):
    make_club("Open")
    hidden = make_club("Hidden", visibility="public")
    bring_in(hidden, charlie, status="pending")
    hidden.update_club(by=alice, visibility="private")
    seen = {username: set(names(client_of(user).get(CLUBS))) for username, user in (("bob", bob), ("charlie", charlie))}
    assert seen == {"bob": {"Open", "Hidden"}, "charlie": {"Open", "Hidden"}}
    assert names(anonymous.get(CLUBS)) == ["Open"]
    hidden.get_membership(charlie).update_membership(by=alice, status="banned")
    assert names(client_of(charlie).get(CLUBS)) == ["Open"]
    hidden.get_membership(bob).remove(by=alice)
    assert names(client_of(bob).get(CLUBS)) == ["Open"]


def test_list_shows_the_users_membership(make_club, as_alice, as_moe, as_bob, as_charlie, anonymous, charlie):
    club = make_club()
    own = {"alice": as_alice, "moe": as_moe, "bob": as_bob, "charlie": as_charlie, "nobody": anonymous}

    def memberships():
        rows = {username: client.get(CLUBS).json()["results"][0] for username, client in own.items()}
        assert all(client.get(f"{CLUBS}{club.pk}/").json() == rows[username] for username, client in own.items())
        return {username: (row["my_role"], row["my_status"]) for username, row in rows.items()}

    expected = {
        "alice": ("owner", "active"),
        "moe": ("moderator", "active"),
        "bob": ("member", "active"),
        "charlie": (None, None),
        "nobody": (None, None),
    }
    assert memberships() == expected
    bring_in(club, charlie, status="pending")
    assert memberships() == expected | {"charlie": (None, "pending")}
    club.get_membership(charlie).update_membership(by=None, status="banned")
    assert memberships() == expected | {"charlie": (None, "banned")}
    club.get_membership(charlie).remove(by=None)
    assert memberships() == expected


def test_filter_mine(make_club, alice, bob, charlie, as_bob, as_charlie, anonymous):
    make_club("With Bob")
    Club.create_club(by=charlie, name="Charlie's")
    requested = Club.create_club(by=alice, name="Asked", join_policy="request")
    bring_in(requested, bob, status="pending")
    banned = Club.create_club(by=alice, name="Banned")
    bring_in(banned, bob, status="banned")
    left = Club.create_club(by=alice, name="Left")
    bring_in(left, bob, status="left")
    assert set(names(as_bob.get(CLUBS, {"mine": "true"}))) == {"With Bob", "Asked"}
    assert names(as_charlie.get(CLUBS, {"mine": "true"})) == ["Charlie's"]
    assert len(names(as_charlie.get(CLUBS, {"mine": "false"}))) == 5
    assert names(anonymous.get(CLUBS, {"mine": "true"})) == []


@pytest.mark.django_db(transaction=True)
def test_search_by_words(make_club, alice, anonymous, as_bob):
    make_club("Círculo de Leitura", description="Ficção científica às terças", alone=True)
    make_club("Night readers", description="Ghost stories", alone=True)
    make_club("Secret Círculo", visibility="private")
    for text in ("circulo", "CÍRC", "leitura circulo", "ficcao", "de"):
        assert names(anonymous.get(CLUBS, {"search": text})) == ["Círculo de Leitura"], text
    for text in ("irculo", "ghosts", "circulo ghost", "secret", "!!!", "%", '"', "*"):
        assert names(anonymous.get(CLUBS, {"search": text})) == [], text
    assert set(names(as_bob.get(CLUBS, {"search": "circulo"}))) == {"Círculo de Leitura", "Secret Círculo"}
    club = Club.objects.get(name="Night readers")
    club.update_club(by=alice, name="Day readers")
    assert names(anonymous.get(CLUBS, {"search": "night"})) == []
    assert names(anonymous.get(CLUBS, {"search": "day"})) == ["Day readers"]


def test_filter_language(make_club, anonymous):
    for tag in ("en", "pt-br", "pt", "ptx"):
        make_club(tag, alone=True, language=tag)
    assert set(names(anonymous.get(CLUBS, {"language": "PT"}))) == {"pt", "pt-br"}
    assert names(anonymous.get(CLUBS, {"language": "pt-BR"})) == ["pt-br"]
    assert set(names(anonymous.get(CLUBS, {"language": "por"}))) == {"pt", "pt-br"}
    assert names(anonymous.get(CLUBS, {"language": "de"})) == []


def test_ordering(make_club, make_user, anonymous):
    for index, name in enumerate(["banana", "Ábaco", "abacus", "Cherry"]):
        club = make_club(name, alone=True)
        for n in range(index):
            bring_in(club, make_user(f"r{index}{n}"))
        Club.objects.filter(pk=club.pk).update(created_at=timezone.now() - timezone.timedelta(days=index))
    by_size = ["Cherry", "abacus", "Ábaco", "banana"]
    assert names(anonymous.get(CLUBS)) == by_size
    assert names(anonymous.get(CLUBS, {"ordering": "-members_count"})) == by_size
    assert names(anonymous.get(CLUBS, {"ordering": "name"})) == ["Ábaco", "abacus", "banana", "Cherry"]
    assert names(anonymous.get(CLUBS, {"ordering": "-created_at"})) == ["banana", "Ábaco", "abacus", "Cherry"]


@pytest.mark.parametrize("ordering", ["-members_count", "name", "-created_at"])
def test_pagination_is_complete_in_both_directions(alice, anonymous, ordering):
    now = timezone.now()
    for n in range(13):
        # Ties in every ordering must be neither skipped nor repeated.
        club = Club.create_club(by=alice, name=f"Club {n // 4}")
        Club.objects.filter(pk=club.pk).update(created_at=now - timezone.timedelta(days=n // 4))
    whole = [row["id"] for row in anonymous.get(CLUBS, {"ordering": ordering}).json()["results"]]
    page = anonymous.get(CLUBS, {"ordering": ordering, "page_size": 4}).json()
    seen = [row["id"] for row in page["results"]]
    while page["next"]:
        page = anonymous.get(page["next"]).json()
        seen += [row["id"] for row in page["results"]]
    assert seen == whole
    back = [row["id"] for row in page["results"]]
    while page["previous"]:
        page = anonymous.get(page["previous"]).json()
        back = [row["id"] for row in page["results"]] + back
    assert back == whole


@pytest.mark.parametrize(
    ("parameters", "bad"),
    [
        ({"mine": "yes"}, {"mine"}),
        ({"mine": "True"}, {"mine"}),
        ({"mine": ""}, {"mine"}),
        ({"visibility": "private"}, {"visibility"}),
        ({"ordering": "-id"}, {"ordering"}),
        ({"ordering": "-created_at,name"}, {"ordering"}),
        ({"language": "english!"}, {"language"}),
        ({"search": "  "}, {"search"}),
        ({"search": "x" * 201}, {"search"}),
        ({"page_size": "0"}, {"page_size"}),
        ({"owner": "1"}, {"owner"}),
    ],
)
def test_invalid_parameters_are_rejected(anonymous, parameters, bad):
    assert bad_parameters(anonymous.get(CLUBS, parameters)) == bad


@pytest.mark.parametrize("clubs", [3, 30])
def test_list_query_count_is_constant(make_user, client_of, django_assert_num_queries, clubs):
    ana = make_user("ana")
    for n in range(clubs):
        club = Club.create_club(by=make_user(f"owner{n}"), name=f"Club {n}")
        repeats = {"every": "weekly", "count": 2}
        Meeting.create_meeting(club=club, by=club.owner, title="Tea", starts_at=timezone.now(), repeats=repeats)
        if n % 2:
            bring_in(club, ana)
    client = client_of(ana)
    # Session, clubs with membership, owners, current entries, next meetings, their series, the user's RSVPs.
    with django_assert_num_queries(7):
        assert len(names(client.get(CLUBS))) == min(clubs, 20)
    # The same for one club, whose owner is joined.
    with django_assert_num_queries(6):
        client.get(f"{CLUBS}{club.pk}/")
