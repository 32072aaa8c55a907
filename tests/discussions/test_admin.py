"""Admin of threads; texts of private clubs are hidden."""

import pytest
from django.urls import reverse

from discussions.models import Thread

pytestmark = pytest.mark.django_db


def test_admin_hides_titles_of_private_clubs(as_staff, alice, private_club, thread):
    hidden = Thread.create_thread(club=private_club, by=alice, title="Our revolution", body="On Monday")
    pages = [reverse("admin:discussions_thread_changelist")]
    pages += [reverse("admin:discussions_thread_change", args=[row.pk]) for row in (hidden, thread)]
    texts = [as_staff.get(page).content.decode() for page in pages]
    assert "Hartfield" in texts[0]
    assert "Hartfield" in texts[2]
    assert not any("revolution" in text or "Monday" in text or "What a house" in text for text in texts)


def test_admin_searches_threads_by_club(as_staff, club, thread, chat):
    url = reverse("admin:discussions_thread_changelist")
    assert b"Biscuits" in as_staff.get(url, {"q": club.name[:5]}).content
    assert b"Biscuits" not in as_staff.get(url, {"q": "Nobody"}).content


@pytest.mark.parametrize("count", [3, 60])
def test_admin_list_query_count_is_constant(as_staff, club, alice, count, django_assert_max_num_queries):
    Thread.objects.bulk_create(Thread(club=club, author=alice, title=f"T{n}") for n in range(count))
    with django_assert_max_num_queries(12):
        assert as_staff.get(reverse("admin:discussions_thread_changelist")).status_code == 200
