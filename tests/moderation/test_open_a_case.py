"""From the page of a reader, a club, a book or a review, who decides opens its case; nobody else is shown the way."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.staff.roles import ADMINISTRATORS, CATALOGUE_EDITORS, MODERATORS
from moderation.models import Case, Opening
from tests.moderation.helpers import WORDS

THINGS = ("alice", "club", "book", "review")


@pytest.fixture
def come_in(make_user):
    def sign_in(role):
        user = make_user("helper", is_staff=True)
        user.groups.set(Group.objects.filter(name=role))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def page_of(thing, view="change"):
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_{view}", args=[thing.pk])


@pytest.mark.parametrize("role", [MODERATORS, ADMINISTRATORS])
@pytest.mark.parametrize("name", THINGS)
def test_who_decides_opens_it(come_in, request, role, name):
    thing, client = request.getfixturevalue(name), come_in(role)
    way = page_of(thing, "open_a_case")
    assert f'href="{way}"' in client.get(page_of(thing)).content.decode()
    page = client.get(way, follow=True)
    case = Case.objects.get()
    assert page.redirect_chain[-1][0] == reverse("admin:moderation_case_change", args=[case.pk])
    assert (case.target_type, case.target_id) == (WORDS[type(thing).__name__], thing.pk)
    assert Opening.objects.get().case == case
    assert client.get(way, follow=True).context["case"] == case  # the same one
    gone = reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_open_a_case", args=[987654321])
    assert client.get(gone, follow=True).status_code == 404


@pytest.mark.parametrize("word", ["x", "-1", "9" * 30])
@pytest.mark.parametrize("page", ["accounts/user", "clubs/club", "catalog/book", "reviews/review"])
def test_what_is_no_id_is_not_found(come_in, page, word):
    assert come_in(MODERATORS).get(f"/admin/{page}/{word}/case/").status_code == 404


@pytest.mark.parametrize(("name", "status"), [("alice", 403), ("club", 403), ("book", 200), ("review", 403)])
def test_who_cares_for_the_catalogue_does_not(come_in, request, name, status):
    thing, client = request.getfixturevalue(name), come_in(CATALOGUE_EDITORS)
    page = client.get(page_of(thing))
    assert page.status_code == status
    assert page_of(thing, "open_a_case") not in page.content.decode()
    assert client.get(page_of(thing, "open_a_case")).status_code == 403
    assert not Case.objects.exists()
