"""Posts of a deleted account."""

import pytest

from accounts.deletion import close_account
from discussions.models import Post
from tests.clubs.helpers import bring_in
from tests.conftest import PASSWORD
from tests.discussions.helpers import check_thread_counters, rows, threads

pytestmark = pytest.mark.django_db


@pytest.fixture
def spoiler_post(club, thread, make_post, charlie, bob):
    """Charlie's post with spoilers, and Bob's reply."""
    bring_in(club, charlie)
    post = make_post(charlie, "She marries", at=90)
    make_post(bob, "Does she?", to=post)
    return post


def test_anonymized_posts_keep_their_spoiler_protection(club, thread, spoiler_post, charlie, as_bob):
    close_account(charlie, password=PASSWORD, reviews="anonymise")
    row = rows(as_bob.get(threads(club, thread, "posts/")))[1]
    assert row["author"] == {"id": None, "username": None, "display_name": "Deleted reader", "avatar_url": None}
    assert (row["locked"], row["body"], row["deleted"]) == (True, None, False)
    assert as_bob.get(threads(club, thread)).json()["posts_count"] == 3
    check_thread_counters()


def test_deleted_posts_are_blanked_out(club, thread, spoiler_post, charlie, as_bob):
    close_account(charlie, password=PASSWORD, reviews="delete")
    row = rows(as_bob.get(threads(club, thread, "posts/")))[1]
    assert (row["id"], row["author"], row["locked"], row["body"], row["deleted"]) == (
        spoiler_post.pk,
        None,
        False,
        None,
        True,
    )
    assert Post.objects.get(pk=spoiler_post.pk).body == ""
    assert as_bob.get(threads(club, thread)).json()["posts_count"] == 2
    check_thread_counters()


def test_thread_with_anonymized_posts_can_be_deleted(club, thread, spoiler_post, charlie, as_moe):
    close_account(charlie, password=PASSWORD, reviews="anonymise")
    assert as_moe.delete(threads(club, thread)).status_code == 204
    assert not Post.objects.filter(thread=thread.pk).exists()
