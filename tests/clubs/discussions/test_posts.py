"""Posts: how they are written, listed, changed and deleted."""

import pytest

from activity.models import Event
from clubs.models import Post
from tests.clubs.discussions.helpers import bodies, check_figures, posts, reaction, rows, threads
from tests.clubs.helpers import bad_fields, bad_parameters, bring_in, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(club, chat):
    """Where the posts of the thread about no book are."""
    return threads(club, chat, "posts/")


def test_posts_stand_in_the_order_they_were_written(club, address, as_bob, as_moe):
    for n in range(4):
        (as_bob, as_moe)[n % 2].post(address, {"body": f"P{n}"})
    assert bodies(as_bob.get(address)) == ["Who brings them?", "P0", "P1", "P2", "P3"]
    assert bodies(as_bob.get(address, {"ordering": "-created_at", "page_size": 2})) == ["P3", "P2"]
    found, url = [], address + "?page_size=2"
    while url:
        page = as_bob.get(url).json()
        found += [row["body"] for row in page["results"]]
        url = page["next"]
    assert found == ["Who brings them?", "P0", "P1", "P2", "P3"]
    assert bad_parameters(as_bob.get(address, {"search": "P0"})) == {"search"}


@pytest.mark.parametrize("body", ["", " ", "\u200b\u200d", "x" * 10_001, None, 7])
def test_what_says_nothing_is_no_post(address, as_bob, body):
    assert set(bad_fields(as_bob.post(address, {"body": body}))) == {"body"}


def test_a_reply_answers_a_post_of_its_thread(club, address, thread, chat, as_bob):
    elsewhere = thread.posts.get()
    for sent in (elsewhere.pk, 10**9, 10**30):
        assert bad_fields(as_bob.post(address, {"body": "B", "reply_to": sent})) == {"reply_to": "does_not_exist"}
    assert bad_fields(as_bob.post(address, {"body": "B", "reply_to": "x"})) == {"reply_to": "invalid"}
    first = chat.posts.get()
    assert as_bob.post(address, {"body": "B", "reply_to": first.pk}).json()["reply_to"] == first.pk
    assert as_bob.post(address, {"body": "B", "reply_to": None}).json()["reply_to"] is None


def test_the_same_post_is_found_in_its_thread_and_in_its_club(club, chat, as_bob):
    post = chat.posts.get()
    assert as_bob.get(posts(club, post)).json() == as_bob.get(threads(club, chat, f"posts/{post.pk}/")).json()


@pytest.mark.django_db(transaction=True)  # InnoDB finds words once they are committed
def test_its_author_changes_a_post(club, address, as_bob, as_moe):
    post = as_bob.post(address, {"body": "Me"}).json()
    url = posts(club, post["id"])
    answer = as_bob.patch(url, {"body": "I", "author": 1, "reply_to": 1, "created_at": "2020-01-01"}).json()
    assert answer.pop("edited_at").endswith("Z")
    assert answer == {name: value for name, value in (post | {"body": "I"}).items() if name != "edited_at"}
    assert as_bob.patch(url, {"body": "I"}).json()["edited_at"] == as_bob.get(url).json()["edited_at"]
    assert bad_fields(as_bob.patch(url, {"body": ""})) == {"body": "blank"}
    problem(as_bob.put(url, {"body": "I"}), 405, "method_not_allowed")
    problem(as_moe.patch(url, {"body": "You"}), 403, "author_only")
    assert as_bob.get(posts(club), {"search": "me"}).json()["results"] == []
    assert bodies(as_bob.get(posts(club), {"search": "i"})) == ["I"]


def test_a_conditional_change_meets_what_came_between(club, address, as_bob, as_moe):
    url = posts(club, as_bob.post(address, {"body": "Me"}).json()["id"])
    tag = as_bob.get(url)["ETag"]
    assert as_bob.get(url, headers={"If-None-Match": tag}).status_code == 304
    as_moe.put(f"{url}reactions/👍/")
    problem(as_bob.patch(url, {"body": "I"}, headers={"If-Match": tag}), 412, "precondition_failed")
    tag = as_bob.get(url)["ETag"]
    assert as_bob.patch(url, {"body": "I"}, headers={"If-Match": tag}).status_code == 200
    problem(as_bob.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")


def test_a_deleted_post_leaves_its_place(club, chat, address, charlie, as_bob, as_moe, as_charlie):
    bring_in(club, charlie)
    post = as_bob.post(address, {"body": "Me and my secret"}).json()
    url = posts(club, post["id"])
    reply = as_moe.post(address, {"body": "You", "reply_to": post["id"]}).json()
    as_moe.put(reaction(club, post["id"], "👍"))
    as_bob.patch(url, {"body": "Me, and my secret"})
    problem(as_charlie.delete(url), 403, "moderators_only")
    assert as_bob.delete(url).status_code == 204
    shown = as_moe.get(url).json()
    assert shown == post | {"author": None, "body": None, "deleted": True}
    assert [row["id"] for row in rows(as_moe.get(address))][1:] == [post["id"], reply["id"]]
    kept = Post.objects.get(pk=post["id"])
    assert (kept.body, kept.search_text, kept.author_id, kept.edited_at) == ("", "", None, None)
    assert as_moe.get(posts(club), {"search": "secret"}).json()["results"] == []
    check_figures()


def test_a_deleted_post_takes_no_change(club, address, chat, charlie, as_bob, as_alice, as_moe, as_charlie):
    bring_in(club, charlie)
    post = as_bob.post(address, {"body": "Me"}).json()["id"]
    as_moe.delete(posts(club, post))
    for client in (as_moe, as_alice, as_bob, as_charlie):
        problem(client.delete(posts(club, post)), 409, "post_deleted")
        problem(client.patch(posts(club, post), {"spoiler_percent": 3}), 409, "post_deleted")
        problem(client.put(posts(club, post, "reveal/")), 409, "post_deleted")
        problem(client.put(reaction(club, post, "👍")), 409, "post_deleted")
        problem(client.post(address, {"body": "B", "reply_to": post}), 409, "post_deleted")


def test_a_hidden_post_is_left_to_its_author(club, chat, address, bob, as_bob, as_moe):
    post = Post.write(thread=chat, by=bob, body="Buy my biscuits")
    post.hide()
    assert bodies(as_bob.get(address)) == ["Who brings them?", "Buy my biscuits"]
    assert bodies(as_moe.get(address)) == ["Who brings them?"]
    assert bodies(as_moe.get(posts(club), {"search": "buy"})) == []
    problem(as_moe.get(posts(club, post)), 404, "not_found")
    assert bad_fields(as_moe.post(address, {"body": "B", "reply_to": post.pk})) == {"reply_to": "does_not_exist"}
    assert as_moe.get(threads(club, chat)).json()["posts_count"] == 1
    post.restore()
    assert bodies(as_moe.get(address)) == ["Who brings them?", "Buy my biscuits"]
    check_figures()


def test_a_retried_post_is_written_once(address, as_bob, as_moe):
    answers = [as_bob.post(address, {"body": "Me"}, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert (
        as_moe.post(address, {"body": "Me"}, headers={"Idempotency-Key": "k"}).json()["id"] != answers[0].json()["id"]
    )
    assert Post.objects.count() == 3


def test_each_change_is_in_the_log_once(club, chat, address, alice, bob, moe, as_bob, as_moe):
    post = as_bob.post(address, {"body": "Me"}).json()["id"]
    as_bob.patch(posts(club, post), {"body": "I"})
    as_bob.patch(posts(club, post), {"body": "I"})
    as_moe.put(posts(club, post, "reveal/"))
    for _ in range(2):
        as_moe.put(reaction(club, post, "👍"))
    for _ in range(2):
        as_moe.delete(reaction(club, post, "👍"))
    as_moe.delete(posts(club, post))
    found = Event.objects.filter(object_type="post").order_by("id")
    assert list(found.values_list("verb", "actor", "object_id", "object_title", "club", "subject")) == [
        ("post.created", bob.pk, post, "Biscuits", club.pk, None),
        ("post.changed", bob.pk, post, "Biscuits", club.pk, None),
        # What one does for oneself is no news of the club's.
        ("post.revealed", moe.pk, post, "", None, None),
        ("post.reacted", moe.pk, post, "", None, None),
        ("post.unreacted", moe.pk, post, "", None, None),
        ("post.deleted", moe.pk, post, "Biscuits", club.pk, bob.pk),
    ]


@pytest.mark.parametrize("count", [3, 300])
def test_a_thread_costs_the_same_at_any_size(club, thread, alice, bob, as_bob, count, django_assert_num_queries):
    made = [
        Post(club=club, thread=thread, author=(alice, bob)[n % 2], body=f"P{n}", spoiler_percent=n % 2 * 50)
        for n in range(count)
    ]
    for post in made:
        post.save()
    for post in made[:50]:
        post.react("👍", by=bob)
        post.react("🎉", by=alice)
        post.reveal(by=bob)
    address, one, found = threads(club, thread, "posts/"), posts(club, made[1]), posts(club)
    # 1 the sign-in with its reader, 2 the club with the caller's standing, 3 the thread, 4 the posts with their authors
    # behind the wall, 5 how often each was reacted to
    with django_assert_num_queries(5):
        assert len(rows(as_bob.get(address, {"page_size": 100}))) == min(count + 1, 100)
    # The same without the thread.
    with django_assert_num_queries(4):
        as_bob.get(one)
    with django_assert_num_queries(4):
        as_bob.get(found, {"page_size": 100})
