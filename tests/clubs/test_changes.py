"""What `GET users/me/changes/` lists: the sentences of the contract."""

import datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.blocks import Block
from accounts.deletion import close_account
from activity.changes.models import RETENTION, Change
from activity.changes.services import record_missing
from activity.models import Notification
from activity.services import delete_expired_notifications
from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from clubs.feed import cursors
from clubs.models import Club, Entry
from clubs.reading.choices import ReadingPosition, Unit
from clubs.reading.models import Milestone, Progress
from core.tasks.worker import run_pending
from discussions.models import Post, Thread
from meetings.models import Meeting, Rsvp
from tests.ballots.helpers import poll
from tests.clubs.changes import CHANGES, changed, names, read, read_all
from tests.clubs.helpers import CLUBS, bad_parameters, bring_in, problem
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def book(title="Emma"):
    return Book.create_book(by=None, title=title, authors=["A"])


@pytest.fixture
def entry(club, alice):
    return Entry.add_entry(club=club, book=book(), by=alice)


@pytest.fixture
def thread(club, alice, entry):
    return Thread.create_thread(club=club, by=alice, title="T", body="B", entry=entry, spoiler_percent=Decimal(0))


@pytest.fixture
def meeting(club, alice):
    starts_at = timezone.now() + datetime.timedelta(days=9)
    return Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=starts_at)


def percent(amount):
    return ReadingPosition(Unit.PERCENT, Decimal(amount))


def cursor_of(client):
    return read_all(client)[1]


def post_of(thread, by, body="Me"):
    return Post.create_post(thread=thread, by=by, body=body)


def test_first_reading_lists_everything_oldest_first(as_bob, alice, club, entry, thread, meeting):
    milestone = Milestone.create_milestone(
        entry=entry, title="M", up_to_percent=50, due_on=datetime.date(2027, 1, 1), by=alice
    )
    ballot = poll(club, [entry, Entry.add_entry(club=club, book=book("Persuasion"), by=alice)])
    run_pending()
    rows, _cursor = read_all(as_bob, page_size=3)
    found = names(rows)
    assert found[:5] == [
        ("club", club.pk, False),
        ("entry", entry.pk, False),
        ("thread", thread.pk, False),
        ("post", thread.posts.get().pk, False),
        ("meeting", meeting.pk, False),
    ]
    assert {("milestone", milestone.pk, False), ("ballot", ballot.pk, False)} < set(found)
    assert sum(row["type"] == "notification" for row in rows) == 2
    assert len(set(found)) == len(found)
    times = [row["at"] for row in rows]
    assert times == sorted(times)
    for row in rows:
        assert row.keys() == {"type", "id", "club", "deleted", "at", "url"}
        assert row["club"] == club.pk
        assert as_bob.get(row["url"]).json()["id"] == row["id"]


def test_nothing_changed_gives_an_empty_page_and_the_same_cursor(as_bob, club, thread):
    cursor = cursor_of(as_bob)
    page = read(as_bob, cursor)
    assert page == {"cursor": cursor, "has_more": False, "results": []}
    response = as_bob.get(CHANGES, {"since": cursor})
    assert as_bob.get(CHANGES, {"since": cursor}, HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304


def test_pages_are_full_and_end(as_bob, thread, alice):
    cursor = cursor_of(as_bob)
    posts = [post_of(thread, alice, str(n)).pk for n in range(5)]
    pages = []
    while not pages or pages[-1]["has_more"]:
        pages.append(read(as_bob, cursor, page_size=2))
        cursor = pages[-1]["cursor"]
    assert [[row["id"] for row in page["results"]] for page in pages] == [posts[:2], posts[2:4], posts[4:]]


def test_object_changed_twice_is_listed_once(as_bob, thread, alice):
    cursor = cursor_of(as_bob)
    for title in ("One", "Two"):
        thread.update_thread(by=alice, title=title)
    assert changed(as_bob, cursor) == [("thread", thread.pk, False)]


def test_other_clubs_are_not_listed(as_charlie, as_bob, club, private_club, thread, alice):
    assert read_all(as_charlie)[0] == []
    cursor = cursor_of(as_bob)
    other = Club.create_club(by=alice, name="Other")
    Thread.create_thread(club=other, by=alice, title="T", body="B")
    assert changed(as_bob, cursor) == []


def test_joining_brings_the_club(as_charlie, charlie, club, entry, thread):
    cursor = cursor_of(as_charlie)
    as_charlie.post(f"{CLUBS}{club.pk}/join/")
    everything = {
        ("club", club.pk, False),
        ("entry", entry.pk, False),
        ("thread", thread.pk, False),
        ("post", thread.posts.get().pk, False),
    }
    rows, cursor = read_all(as_charlie, cursor, page_size=2)
    assert set(names(rows)) == everything
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert changed(as_charlie, cursor) == []
    assert set(names(read_all(as_charlie)[0])) == everything


def test_joining_brings_no_tombstones(as_charlie, charlie, alice, club, thread):
    cursor = cursor_of(as_charlie)
    thread.delete_thread(by=alice)
    bring_in(club, charlie)
    assert {deleted for _type, _id, deleted in changed(as_charlie, cursor)} == {False}


@pytest.mark.parametrize("action", ["leave", "remove", "ban"])
def test_leaving_gives_one_tombstone(as_bob, as_alice, bob, private_club, alice, action):
    Thread.create_thread(club=private_club, by=alice, title="T", body="B")
    cursor = cursor_of(as_bob)
    Thread.create_thread(club=private_club, by=alice, title="Later", body="B")
    poll(private_club, [Entry.add_entry(club=private_club, book=book(str(n)), by=alice) for n in range(2)])
    run_pending()
    assert Notification.objects.filter(user=bob, club=private_club).exists()
    member = f"{CLUBS}{private_club.pk}/members/{bob.pk}/"
    if action == "leave":
        as_bob.post(f"{CLUBS}{private_club.pk}/leave/")
    elif action == "remove":
        as_alice.delete(member)
    else:
        as_alice.patch(member, {"status": "banned"})
    Thread.create_thread(club=private_club, by=alice, title="Unseen", body="B")
    rows, cursor = read_all(as_bob, cursor)
    assert [{**row, "at": None} for row in rows] == [
        {
            "type": "club",
            "id": private_club.pk,
            "club": private_club.pk,
            "deleted": True,
            "at": None,
            "url": f"/api/v1/clubs/{private_club.pk}/",
        }
    ]
    assert changed(as_bob, cursor) == []
    assert read_all(as_bob)[0] == []


def test_rejoining_gives_a_tombstone_and_then_everything(as_bob, bob, alice, club, thread):
    cursor = cursor_of(as_bob)
    club.leave(bob)
    post_of(thread, alice)
    bring_in(club, bob)
    found = changed(as_bob, cursor)
    assert found[0] == ("club", club.pk, True)
    assert set(found[1:]) == set(names(read_all(as_bob)[0]))
    assert len(found) == 6


def test_deleted_club_is_one_tombstone_for_its_members(as_bob, as_charlie, alice, club, thread):
    cursors, tombstone = (cursor_of(as_bob), cursor_of(as_charlie)), ("club", club.pk, True)
    club.delete_club(by=alice)
    assert changed(as_bob, cursors[0]) == [tombstone]
    assert changed(as_charlie, cursors[1]) == []


def test_counters_alone_are_no_change(as_alice, as_bob, bob, club, entry, thread, meeting, make_user):
    cursor = cursor_of(as_alice)
    bring_in(club, make_user("newcomer"))
    Rsvp.set_rsvp(meeting=meeting, by=bob, answer="yes")
    Progress.set_progress(entry=entry, by=bob, position=percent(50))
    thread.posts.get().react("👍", by=bob)
    assert changed(as_alice, cursor) == []
    post = post_of(thread, bob)
    assert ("post", post.pk, False) in changed(as_alice, cursor)
    assert not any(type == "thread" for type, _id, _deleted in changed(as_alice, cursor))


def test_what_only_the_caller_sees_changes_for_the_caller(as_bob, bob, club, entry, thread, meeting):
    cursor = cursor_of(as_bob)
    Rsvp.set_rsvp(meeting=meeting, by=bob, answer="yes")
    Progress.set_progress(entry=entry, by=bob, position=percent(50))
    thread.posts.get().react("👍", by=bob)
    assert {type for type, _id, _deleted in changed(as_bob, cursor)} == {"meeting", "entry", "post"}


def test_next_meeting_and_current_entry_are_no_change_of_the_club(as_bob, alice, club, entry):
    cursor = cursor_of(as_bob)
    entry.update_entry(by=alice, status="planned")
    entry.update_entry(by=alice, status="reading")
    Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=timezone.now() + datetime.timedelta(days=3))
    assert {type for type, _id, _deleted in changed(as_bob, cursor)} == {"entry", "meeting"}


def test_deleted_post_is_a_change(as_bob, alice, thread):
    post = post_of(thread, alice)
    cursor = cursor_of(as_bob)
    post.soft_delete(by=alice)
    rows, _cursor = read_all(as_bob, cursor)
    assert names(rows) == [("post", post.pk, False)]
    assert as_bob.get(rows[0]["url"]).json()["deleted"] is True


def test_deleted_parents_take_their_children_along(as_bob, alice, entry, thread, meeting):
    milestone = Milestone.create_milestone(
        entry=entry, title="M", up_to_percent=50, due_on=datetime.date(2027, 1, 1), by=alice
    )
    Meeting.objects.filter(pk=meeting.pk).update(entry=entry)
    cursor, pk = cursor_of(as_bob), entry.pk
    entry.delete_entry(by=alice)
    rows, cursor = read_all(as_bob, cursor)
    assert set(names(rows)) == {
        ("entry", pk, True),
        ("milestone", milestone.pk, True),
        ("thread", thread.pk, False),
        ("meeting", meeting.pk, False),
    }
    assert f"/api/v1/clubs/{entry.club_id}/books/{pk}/milestones/{milestone.pk}/" in {r["url"] for r in rows}
    post = thread.posts.get().pk
    thread.refresh_from_db()
    thread.delete_thread(by=alice)
    assert set(changed(as_bob, cursor)) == {("thread", thread.pk, True), ("post", post, True)}


def test_moved_entry_changes_the_entries_between(as_bob, alice, club):
    entries = [Entry.add_entry(club=club, book=book(str(n)), by=alice) for n in range(4)]
    cursor = cursor_of(as_bob)
    entries[0].update_entry(by=alice, position=3)
    assert {pk for _type, pk, _deleted in changed(as_bob, cursor)} == {entry.pk for entry in entries[:3]}


def test_hidden_post_is_a_tombstone_for_all_but_its_author(as_bob, as_charlie, bob, charlie, alice, club, thread):
    post = post_of(thread, bob)
    as_alice = as_charlie
    bring_in(club, charlie)
    cursors = cursor_of(as_bob), cursor_of(as_alice)
    post.hide()
    assert changed(as_bob, cursors[0]) == [("post", post.pk, False)]
    assert changed(as_alice, cursors[1]) == [("post", post.pk, True)]
    assert post.pk not in {row["id"] for row in read_all(as_alice)[0] if row["type"] == "post"}
    post.restore()
    assert changed(as_alice, cursors[1]) == [("post", post.pk, False)]


def test_block_removes_and_its_end_restores(as_bob, bob, mallory, club):
    bring_in(club, mallory)
    thread = Thread.create_thread(club=club, by=mallory, title="T", body="B")
    post, cursor = thread.posts.get(), cursor_of(as_bob)
    Block.objects.block(on=mallory, by=bob)
    gone, cursor = read_all(as_bob, cursor)
    assert set(names(gone)) == {("thread", thread.pk, True), ("post", post.pk, True)}
    thread.update_thread(by=mallory, title="Unseen")
    unseen = Thread.create_thread(club=club, by=mallory, title="Unseen", body="B")
    assert changed(as_bob, cursor) == []
    unseen.delete_thread(by=mallory)
    assert changed(as_bob, cursor) == []
    assert {type for type, _id, _deleted in names(read_all(as_bob)[0])} == {"club"}
    Block.objects.unblock(on=mallory, by=bob)
    assert {("thread", thread.pk, False), ("post", post.pk, False)} <= set(changed(as_bob, cursor))


@pytest.mark.parametrize("blocks_first", [True, False])
@pytest.mark.parametrize("by_mallory", [True, False])
def test_deletion_is_listed_despite_a_block(as_bob, alice, bob, mallory, club, blocks_first, by_mallory):
    """The app has the objects from before the block."""
    bring_in(club, mallory)
    threads = [Thread.create_thread(club=club, by=by, title="T", body="B") for by in (mallory, alice)]
    for thread, by in zip(threads, (alice, mallory), strict=True):
        post_of(thread, by)
    expected = {("thread", thread.pk, True) for thread in threads}
    expected |= {("post", pk, True) for pk in Post.objects.values_list("pk", flat=True)}
    cursor = cursor_of(as_bob)
    blocker, blocked = (mallory, bob) if by_mallory else (bob, mallory)
    if blocks_first:
        Block.objects.block(on=blocked, by=blocker)
    for thread in threads:
        thread.delete_thread(by=alice)
    if not blocks_first:
        Block.objects.block(on=blocked, by=blocker)
    assert set(changed(as_bob, cursor)) == expected


def test_new_name_of_a_club_changes_its_notifications(as_bob, bob, alice, club):
    notification = Notification.objects.create(user=bob, kind="meeting_new", club=club)
    record_missing(Notification.objects.all(), "notification", user="user_id")
    cursor = cursor_of(as_bob)
    club.update_club(by=alice, name="Day readers")
    assert set(changed(as_bob, cursor)) == {("club", club.pk, False), ("notification", notification.pk, False)}
    cursor = cursor_of(as_bob)
    club.update_club(by=alice, description="We read.")
    assert changed(as_bob, cursor) == [("club", club.pk, False)]


def test_block_before_an_edit_is_not_overlooked(as_bob, bob, mallory, club):
    bring_in(club, mallory)
    thread = Thread.create_thread(club=club, by=mallory, title="T", body="B")
    cursor = cursor_of(as_bob)
    Block.objects.block(on=mallory, by=bob)
    thread.update_thread(by=mallory, title="Later")
    assert ("thread", thread.pk, True) in changed(as_bob, cursor)


def test_progress_unlocks_posts(as_bob, bob, alice, entry, thread):
    post = Post.create_post(thread=thread, by=alice, body="He did it", spoiler_percent=60)
    cursor = cursor_of(as_bob)
    Progress.set_progress(entry=entry, by=bob, position=percent(40))
    assert changed(as_bob, cursor) == [("entry", entry.pk, False)]
    Progress.set_progress(entry=entry, by=bob, position=percent(80))
    assert ("post", post.pk, False) in changed(as_bob, cursor)


def test_notifications_are_listed_to_their_user_alone(as_alice, as_bob, bob, alice, club):
    cursors = cursor_of(as_alice), cursor_of(as_bob)
    Entry.add_entry(club=club, book=book(), by=alice, status="planned")
    run_pending()
    notification = Notification.objects.get(user=bob)
    own = ("notification", notification.pk, False)
    rows, cursor = read_all(as_bob, cursors[1])
    assert own in names(rows)
    assert own[:2] not in {row[:2] for row in changed(as_alice, cursors[0])}
    url = f"/api/v1/users/me/notifications/{notification.pk}/"
    assert url in {row["url"] for row in rows}
    problem(as_alice.get(url), 404, "not_found")
    as_bob.post("/api/v1/users/me/notifications/read/", {"all": True})
    assert changed(as_bob, cursor) == [own]
    assert as_bob.get(url).json()["read"] is True
    Notification.objects.update(created_at=timezone.now() - datetime.timedelta(days=100))
    assert delete_expired_notifications() >= 1
    assert changed(as_bob, cursor) == [("notification", notification.pk, True)]


def test_merge_and_its_end_are_changes(as_bob, alice, moe, club, entry, thread):
    other = Entry.add_entry(club=club, book=book("Emma, a novel"), by=alice)
    milestone = Milestone.create_milestone(
        entry=entry, title="M", up_to_percent=50, due_on=datetime.date(2027, 1, 1), by=alice
    )
    cursor = cursor_of(as_bob)
    merge = merge_books(target=other.book, source=entry.book, by=moe, reason="The same work")
    rows, cursor = read_all(as_bob, cursor)
    assert set(names(rows)) == {
        ("entry", entry.pk, True),
        ("entry", other.pk, False),
        ("milestone", milestone.pk, False),
        ("thread", thread.pk, False),
    }
    assert as_bob.get(next(row["url"] for row in rows if row["type"] == "milestone")).status_code == 200
    undo_merge(merge, by=moe, reason="Two works")
    found = changed(as_bob, cursor)
    assert {("entry", entry.pk, False), ("milestone", milestone.pk, False), ("thread", thread.pk, False)} <= set(found)


def test_deleted_account_changes_what_it_wrote(as_bob, charlie, client_of, club, thread):
    bring_in(club, charlie)
    post = post_of(thread, charlie)
    as_charlie = client_of(charlie)
    as_charlie.put(f"{CLUBS}{club.pk}/posts/{post.pk}/reactions/👍/")
    cursor, pk = cursor_of(as_bob), charlie.pk
    close_account(charlie, password=PASSWORD, reviews="anonymise")
    assert ("post", post.pk, False) in changed(as_bob, cursor)
    assert not Change.objects.filter(stream=-pk).exists()


def test_club_that_turns_private_takes_notifications_of_outsiders(as_charlie, alice, charlie, club, thread):
    bring_in(club, charlie)
    club.leave(charlie)
    Notification.objects.create(user=charlie, kind="moderation", club=club)
    cursor = cursor_of(as_charlie)
    club.update_club(by=alice, visibility="private")
    assert [(type, deleted) for type, _id, deleted in changed(as_charlie, cursor)] == [("notification", True)]


@pytest.mark.parametrize("since", ["nonsense", "a:b", "👍", "x" * 3000])
def test_bad_cursor_is_rejected(as_bob, since):
    problem(as_bob.get(CHANGES, {"since": since}), 400, "invalid_cursor")


def test_cursor_of_another_user_is_rejected(as_bob, as_alice, club):
    problem(as_bob.get(CHANGES, {"since": cursor_of(as_alice)}), 400, "invalid_cursor")


def test_cursor_is_good_for_thirty_days(as_bob, thread, monkeypatch):
    cursor, today = cursor_of(as_bob), cursors.today()
    monkeypatch.setattr(cursors, "today", lambda: today + 30)
    assert changed(as_bob, cursor) == []
    monkeypatch.setattr(cursors, "today", lambda: today + 31)
    problem(as_bob.get(CHANGES, {"since": cursor}), 410, "cursor_expired")


@pytest.mark.parametrize("size", ["0", "101", "x"])
def test_bad_page_size_is_rejected(as_bob, size):
    assert bad_parameters(as_bob.get(CHANGES, {"page_size": size})) == {"page_size"}


def test_unknown_parameter_is_rejected(as_bob):
    assert bad_parameters(as_bob.get(CHANGES, {"until": "x"})) == {"until"}


def test_page_takes_a_constant_number_of_queries(as_bob, alice, thread, meeting, django_assert_num_queries):
    cursor = cursor_of(as_bob)
    for count in (1, 8):
        for n in range(count):
            post_of(thread, alice, str(n))
            Thread.create_thread(club=thread.club, by=alice, title=str(n), body="B")
            meeting.update_meeting(by=alice, place=f"{count} {n}")
        # Session with user; memberships; counts; positions; changes; visible posts and threads.
        with django_assert_num_queries(7):
            assert read(as_bob, cursor, page_size=100)["results"]
    # And the newest change, the last settled one, and the counts of the own stream; none are checked.
    with django_assert_num_queries(10):
        read(as_bob, page_size=100)
    cursor = cursor_of(as_bob)
    with django_assert_num_queries(4):
        assert read(as_bob, cursor)["results"] == []


def test_cleanup_keeps_what_first_readings_need(as_bob, alice, thread):
    kept = post_of(thread, alice)
    kept.update_post(by=alice, body="Other")
    gone = Thread.create_thread(club=thread.club, by=alice, title="T", body="B")
    gone.delete_thread(by=alice)
    before = names(read_all(as_bob)[0])
    Change.objects.update(at=timezone.now() - RETENTION - datetime.timedelta(days=1))
    while Change.objects.delete_outdated(2):
        pass
    assert names(read_all(as_bob)[0]) == before
    assert not Change.objects.filter(type="thread", object_id=gone.pk).exists()
    assert Change.objects.filter(type="post", object_id=kept.pk).count() == 1


def test_objects_without_changes_get_them_once(as_bob, thread, entry):
    before = set(names(read_all(as_bob)[0]))
    Change.objects.filter(type__in=["entry", "post"]).delete()
    for _again in range(2):
        record_missing(Entry.objects.all(), "entry")
        record_missing(Post.objects.all(), "post")
    assert set(names(read_all(as_bob)[0])) == before
    assert Change.objects.filter(type__in=["entry", "post"]).count() == 2
