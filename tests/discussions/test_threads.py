"""Creating, listing, updating and deleting threads."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from accounts.blocks import Block
from activity.models import Event
from clubs.models import Entry
from discussions.models import Post, Thread
from tests.clubs.helpers import bad_fields, bad_parameters, bring_in, problem
from tests.discussions.helpers import bodies, check_thread_counters, posts, rows, threads

pytestmark = pytest.mark.django_db

DELETED_READER = {"id": None, "username": None, "display_name": "Deleted reader", "avatar_url": None}


def titles(response):
    return [row["title"] for row in rows(response)]


def test_thread_is_created_with_first_post(club, entry, bob, as_bob):
    response = as_bob.post(threads(club), {"title": "Hartfield", "body": "What a house.", "entry": entry.pk})
    assert response.status_code == 201, response.content
    thread = dict(response.json())
    person = {"id": bob.pk, "username": "bob", "display_name": "Bob", "avatar_url": None}
    assert thread.pop("created_at").endswith("Z")
    assert thread.pop("last_post_at").endswith("Z")
    assert thread == {
        "id": thread["id"],
        "title": "Hartfield",
        "entry": entry.pk,
        "author": person,
        "pinned": False,
        "closed": False,
        "posts_count": 1,
    }
    assert rows(as_bob.get(threads(club))) == [response.json()] == [as_bob.get(threads(club, thread["id"])).json()]
    first = rows(as_bob.get(threads(club, thread["id"], "posts/")))[0]
    assert first.pop("created_at").endswith("Z")
    assert first == {
        "id": first["id"],
        "thread": thread["id"],
        "author": person,
        "body": "What a house.",
        "reply_to": None,
        # Bob has no progress, so nobody knows how much he tells.
        "spoiler_percent": 100,
        "locked": False,
        "unlocks_at_percent": None,
        "unlocks_at_section": None,
        "deleted": False,
        "reactions": {},
        "my_reactions": [],
        "moderation": None,
        "edited_at": None,
    }


@pytest.mark.parametrize(
    ("body", "bad"),
    [
        ({}, {"title": "required", "body": "required"}),
        ({"title": " ", "body": "\u200b"}, {"title": "blank", "body": "invisible"}),
        ({"title": "x" * 201, "body": "x" * 10_001}, {"title": "max_length", "body": "max_length"}),
        ({"title": "a\x00", "body": "B"}, {"title": "null_characters_not_allowed"}),
        ({"title": "T", "body": "B", "entry": 10**30}, {"entry": "does_not_exist"}),
        ({"title": "T", "body": "B", "entry": "x"}, {"entry": "invalid"}),
        ({"title": "T", "body": "B", "spoiler_percent": 101}, {"spoiler_percent": "max_value"}),
        ({"title": "T", "body": "B", "spoiler_percent": -1}, {"spoiler_percent": "min_value"}),
        ({"title": "T", "body": "B", "spoiler_percent": "NaN"}, {"spoiler_percent": "invalid"}),
        # A post must not be unprotected although its author asked for protection.
        ({"title": "T", "body": "B", "spoiler_percent": 10}, {"spoiler_percent": "no_entry"}),
    ],
)
def test_invalid_thread_is_rejected(club, as_bob, body, bad):
    assert bad_fields(as_bob.post(threads(club), body)) == bad
    assert not Thread.objects.exists()


def test_body_may_have_10000_characters(club, as_bob):
    response = as_bob.post(threads(club), {"title": "x" * 200, "body": "é" * 10_000, "spoiler_percent": None})
    assert response.status_code == 201
    assert bodies(as_bob.get(threads(club, response.json()["id"], "posts/"))) == ["é" * 10_000]


def test_entry_of_another_club_is_rejected(club, make_club, entry, as_bob, alice):
    other = make_club("Others")
    response = as_bob.post(threads(other), {"title": "T", "body": "B", "entry": entry.pk})
    assert bad_fields(response) == {"entry": "does_not_exist"}


def test_thread_under_another_club_is_not_found(club, private_club, thread, as_alice):
    post = thread.posts.get()
    for path in (
        threads(private_club, thread),
        threads(private_club, thread, "posts/"),
        threads(private_club, thread, f"posts/{post.pk}/"),
        posts(private_club, post),
        threads(club, 10**25),
        threads(club, 10**25, "posts/"),
        posts(club, 10**25),
    ):
        problem(as_alice.get(path), 404, "not_found")
    empty = Thread.objects.create(club=club, title="Empty")
    problem(as_alice.get(threads(club, empty, f"posts/{post.pk}/")), 404, "not_found")


def test_pinned_threads_come_first_then_latest(club, alice, as_bob, as_alice):
    made = {name: Thread.create_thread(club=club, by=alice, title=name, body="B") for name in "abcde"}
    as_bob.post(threads(club, made["b"], "posts/"), {"body": "News"})
    as_alice.patch(threads(club, made["a"]), {"pinned": True})
    as_alice.patch(threads(club, made["c"]), {"pinned": True})
    assert titles(as_bob.get(threads(club))) == ["c", "a", "b", "e", "d"]
    found, page = [], as_bob.get(threads(club), {"page_size": 1}).json()
    while True:
        found += [row["title"] for row in page["results"]]
        if not page["next"]:
            break
        page = as_bob.get(page["next"]).json()
    assert found == ["c", "a", "b", "e", "d"]


def test_order_is_total(club, alice, as_bob):
    for n in range(12):
        Thread.create_thread(club=club, by=alice, title=f"T{n}", body="B")
    Thread.objects.update(last_post_at=timezone.now())
    Thread.objects.filter(title__in=["T1", "T2"]).update(last_post_at=None)
    found, url = [], threads(club) + "?page_size=5"
    while url:
        page = as_bob.get(url).json()
        found += [row["title"] for row in page["results"]]
        url = page["next"]
    assert found == ["T11", "T10", "T9", "T8", "T7", "T6", "T5", "T4", "T3", "T0", "T2", "T1"]


def test_filter_by_entry(club, entry, thread, chat, as_bob):
    assert titles(as_bob.get(threads(club), {"entry": entry.pk})) == ["Hartfield"]
    assert titles(as_bob.get(threads(club), {"entry": 10**9})) == []
    assert bad_parameters(as_bob.get(threads(club), {"entry": "x", "pinned": "1"})) == {"pinned"}
    assert bad_parameters(as_bob.get(threads(club), {"entry": "x"})) == {"entry"}
    assert bad_parameters(as_bob.get(threads(club), {"entry": 10**30})) == {"entry"}
    assert bad_parameters(as_bob.get(threads(club), {"ordering": "title"})) == {"ordering"}


def test_author_updates_title_and_moderators_all_fields(club, bob, charlie, as_bob, as_moe, as_charlie):
    bring_in(club, charlie)
    thread = Thread.create_thread(club=club, by=bob, title="Hartfeld", body="B")
    url = threads(club, thread)
    assert as_bob.patch(url, {"title": "Hartfield"}).json()["title"] == "Hartfield"
    for body in ({"pinned": True}, {"closed": True}, {"title": "Mine", "closed": False}):
        problem(as_bob.patch(url, body), 403, "moderators_only")
    problem(as_charlie.patch(url, {"title": "Mine"}), 403, "moderators_only")
    response = as_moe.patch(
        url, {"title": "Emma's house", "pinned": True, "closed": True, "posts_count": 7, "entry": 1}
    )
    assert {name: response.json()[name] for name in ("title", "pinned", "closed", "posts_count", "entry")} == {
        "title": "Emma's house",
        "pinned": True,
        "closed": True,
        "posts_count": 1,
        "entry": None,
    }
    assert bad_fields(as_moe.patch(url, {"title": "", "pinned": "perhaps", "closed": None})) == {
        "title": "blank",
        "pinned": "invalid",
        "closed": "null",
    }


def test_update_with_stale_if_match_is_rejected(club, thread, as_alice, as_bob):
    url = threads(club, thread)
    tag = as_alice.get(url)["ETag"]
    assert as_alice.get(url, headers={"If-None-Match": tag}).status_code == 304
    as_bob.post(f"{url}posts/", {"body": "News"})
    problem(as_alice.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")
    assert as_alice.patch(url, {"title": "New"}, headers={"If-Match": tag}).status_code == 200
    problem(as_alice.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")


def test_deleting_thread_deletes_its_posts(club, thread, make_post, bob, as_moe, as_bob):
    response = make_post(bob)
    make_post(bob, to=response)
    as_moe.put(posts(club, response, "reactions/👍/"))
    as_moe.put(posts(club, response, "reveal/"))
    assert as_moe.delete(threads(club, thread)).status_code == 204
    problem(as_bob.get(threads(club, thread)), 404, "not_found")
    problem(as_bob.get(posts(club, response)), 404, "not_found")
    problem(as_moe.delete(threads(club, thread)), 404, "not_found")
    assert not Post.objects.exists()


def test_author_deletes_thread_without_posts_of_others(club, charlie, bob, as_charlie, as_bob):
    bring_in(club, charlie)
    thread = Thread.create_thread(club=club, by=bob, title="T", body="B")
    problem(as_charlie.delete(threads(club, thread)), 403, "moderators_only")
    response = as_charlie.post(threads(club, thread, "posts/"), {"body": "Hello"}).json()
    problem(as_bob.delete(threads(club, thread)), 403, "moderators_only")
    as_charlie.delete(posts(club, response["id"]))
    assert as_bob.delete(threads(club, thread)).status_code == 204


def test_closed_thread_rejects_new_content(club, thread, make_post, bob, alice, as_bob, as_moe, as_alice):
    own = make_post(bob, at=0)
    as_moe.patch(threads(club, thread), {"closed": True})
    for client in (as_bob, as_moe, as_alice):
        problem(client.post(threads(club, thread, "posts/"), {"body": "More"}), 409, "thread_closed")
        problem(client.put(posts(club, own, "reactions/👍/")), 409, "thread_closed")
    problem(as_bob.patch(posts(club, own), {"body": "Other"}), 409, "thread_closed")
    problem(as_alice.patch(threads(club, thread), {"title": "Other"}), 409, "thread_closed")
    # Spoiler protection can still be raised but not lowered, and posts can be deleted.
    assert as_bob.patch(posts(club, own), {"spoiler_percent": 50}).json()["spoiler_percent"] == 50
    problem(as_bob.patch(posts(club, own), {"spoiler_percent": 40}), 409, "thread_closed")
    assert as_bob.delete(posts(club, own)).status_code == 204
    assert as_moe.patch(threads(club, thread), {"closed": False, "title": "Open"}).status_code == 200
    assert as_bob.post(threads(club, thread, "posts/"), {"body": "More"}).status_code == 201
    check_thread_counters()


def test_counters_follow_posts(club, thread, make_post, bob, as_bob):
    with time_machine.travel(thread.created_at + datetime.timedelta(minutes=1), tick=False) as clock:
        first = make_post(bob)
        clock.shift(60)
        second = make_post(bob)
    url = threads(club, thread)
    moment = f"{second.created_at:%Y-%m-%dT%H:%M:%SZ}"
    shown = as_bob.get(url).json()
    assert (shown["posts_count"], shown["last_post_at"]) == (3, moment)
    as_bob.delete(posts(club, second))
    moment = f"{first.created_at:%Y-%m-%dT%H:%M:%SZ}"
    shown = as_bob.get(url).json()
    assert (shown["posts_count"], shown["last_post_at"]) == (2, moment)
    first.hide()
    check_thread_counters()
    first.restore()
    check_thread_counters()
    Post.objects.get(author=thread.author).soft_delete(by=thread.author)
    as_bob.delete(posts(club, first))
    assert as_bob.get(url).json()["last_post_at"] is None
    check_thread_counters()


def test_thread_outlives_entry_and_stays_locked(
    club, entry, thread, make_post, alice, bob, set_progress, as_bob, as_moe
):
    set_progress(bob, 60)
    set_progress(alice, 60)
    post = make_post(alice, "She marries", at=50)
    assert bodies(as_bob.get(threads(club, thread, "posts/"))) == ["What a house.", "She marries"]
    entry.delete_entry(by=alice)
    assert as_bob.get(threads(club, thread)).json()["entry"] is None
    # Without an entry nobody has progress.
    assert bodies(as_bob.get(threads(club, thread, "posts/"))) == ["What a house.", None]
    response = as_bob.post(threads(club, thread, "posts/"), {"body": "Indeed", "reply_to": post.pk}).json()
    assert response["spoiler_percent"] == 50
    assert bodies(as_moe.get(threads(club, thread, "posts/"))) == ["What a house.", None, None]
    assert as_moe.put(posts(club, post, "reveal/")).json()["body"] == "She marries"


def test_club_deletion_deletes_threads(club, thread, chat, make_post, bob, alice):
    make_post(bob, to=thread.posts.get())
    club.delete_club(by=alice)
    assert not Thread.objects.exists()
    assert not Entry.objects.exists()


def test_block_hides_threads_and_posts_from_both(club, bob, charlie, chat, as_bob, as_charlie, as_moe, as_alice):
    bring_in(club, charlie)
    thread = Thread.create_thread(club=club, by=bob, title="Bob's", body="One")
    inside = Post.create_post(thread=thread, by=charlie, body="Two")
    elsewhere = Post.create_post(thread=chat, by=bob, body="Three")
    Block.objects.block(on=charlie, by=bob)
    assert titles(as_charlie.get(threads(club))) == ["Biscuits"]
    problem(as_charlie.get(threads(club, thread)), 404, "not_found")
    problem(as_charlie.get(threads(club, thread, "posts/")), 404, "not_found")
    problem(as_charlie.post(threads(club, thread, "posts/"), {"body": "Four"}), 404, "not_found")
    assert bodies(as_charlie.get(threads(club, chat, "posts/"))) == ["Who brings them?"]
    assert bodies(as_charlie.get(posts(club))) == ["Who brings them?"]
    assert bodies(as_bob.get(threads(club, thread, "posts/"))) == ["One"]
    assert bodies(as_bob.get(posts(club))) == ["Three", "One", "Who brings them?"]
    problem(as_charlie.get(posts(club, elsewhere)), 404, "not_found")
    problem(as_charlie.put(posts(club, elsewhere, "reactions/👍/")), 404, "not_found")
    response = as_charlie.post(threads(club, chat, "posts/"), {"body": "B", "reply_to": elsewhere.pk})
    assert bad_fields(response) == {"reply_to": "does_not_exist"}
    assert bodies(as_alice.get(threads(club, thread, "posts/"))) == ["One", "Two"]
    assert as_moe.get(posts(club, inside)).status_code == 200


def test_block_does_not_hide_threads_from_moderators(club, bob, moe, as_moe):
    thread = Thread.create_thread(club=club, by=bob, title="Bob's", body="One")
    Block.objects.block(on=moe, by=bob)
    assert titles(as_moe.get(threads(club))) == []
    assert as_moe.get(threads(club, thread)).status_code == 200
    assert as_moe.delete(posts(club, thread.posts.get())).status_code == 204
    assert as_moe.delete(threads(club, thread)).status_code == 204


def test_thread_of_deleted_account_stays(club, bob, make_user, as_bob):
    dora = make_user("dora")
    bring_in(club, dora)
    thread = Thread.create_thread(club=club, by=dora, title="T", body="B")
    Thread.objects.filter(pk=thread.pk).update(author=None)
    assert as_bob.get(threads(club, thread)).json()["author"] == DELETED_READER


def test_each_change_records_one_event(club, thread, alice, as_alice):
    url = threads(club, thread)
    as_alice.patch(url, {"title": "Hartfield"})
    as_alice.patch(url, {"pinned": True})
    as_alice.patch(url, {"pinned": True})
    as_alice.delete(url)
    found = Event.objects.filter(object_type="thread").order_by("id")
    assert list(found.values_list("verb", "actor", "object_id", "object_title", "club")) == [
        (f"thread.{what}", alice.pk, thread.pk, "Hartfield", club.pk) for what in ("created", "changed", "deleted")
    ]


@pytest.mark.parametrize("count", [3, 300])
def test_list_query_count_is_constant(club, entry, alice, bob, as_bob, count, django_assert_num_queries):
    Thread.objects.bulk_create(
        Thread(club=club, entry=entry, author=(alice, bob)[n % 2], title=f"T{n}", last_post_at=timezone.now())
        for n in range(count)
    )
    # 1 session with user, 2 club with the caller's rank, 3 threads with their authors
    with django_assert_num_queries(3):
        assert len(rows(as_bob.get(threads(club), {"page_size": 100}))) == min(count, 100)
    one = threads(club, Thread.objects.first())
    with django_assert_num_queries(3):
        as_bob.get(one)


def test_block_hides_thread_titles_everywhere(club, bob, charlie, as_bob, as_charlie, as_moe, as_alice):
    bring_in(club, charlie)
    thread = Thread.create_thread(club=club, by=bob, title="Bob's", body="One")
    mine = as_charlie.post(threads(club, thread, "posts/"), {"body": "Two"}).json()
    as_moe.post(threads(club, thread, "posts/"), {"body": "Three, @charlie", "reply_to": mine["id"]})
    as_moe.patch(threads(club, thread), {"pinned": True})
    feed, own, notifications = (
        f"/api/v1/clubs/{club.pk}/activity/",
        "/api/v1/users/me/activity/",
        "/api/v1/users/me/notifications/",
    )
    home, export = "/api/v1/users/me/home/", "/api/v1/users/me/export/"

    def unread():
        return as_charlie.get(home).json()["unread_notifications"]

    def text_of(client, url):
        return b"".join(client.get(url)).decode()

    for url in (feed, own, notifications, export):
        assert "Bob's" in text_of(as_charlie, url)
    before = unread()
    Block.objects.block(on=charlie, by=bob)
    for is_deleted in (False, True):
        if is_deleted:
            assert as_moe.delete(threads(club, thread)).status_code == 204
        for url in (feed, own, notifications, export):
            assert "Bob's" not in text_of(as_charlie, url)
        assert "Bob's" in text_of(as_alice, feed)
    assert unread() == before - 1
    # Their own actions stay in their activity log.
    assert {"type": "post", "id": mine["id"], "title": ""} in [row["object"] for row in rows(as_charlie.get(own))]
    Block.objects.unblock(on=charlie, by=bob)
    assert "Bob's" in text_of(as_charlie, feed)
