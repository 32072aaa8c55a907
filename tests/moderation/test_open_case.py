"""Moderators open a case from the admin page of a user, club, book or review; others cannot."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.roles import ADMINISTRATORS, CATALOG_EDITORS, MODERATORS
from moderation.models import Case, CaseView
from tests.moderation.helpers import TARGET_TYPES

TARGETS = ("alice", "club", "book", "review")


@pytest.fixture
def sign_in_as(make_user):
    def sign_in(role):
        user = make_user("helper", is_staff=True)
        user.groups.set(Group.objects.filter(name=role))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def page_of(obj, view="change"):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{view}", args=[obj.pk])


@pytest.mark.parametrize("role", [MODERATORS, ADMINISTRATORS])
@pytest.mark.parametrize("name", TARGETS)
def test_moderator_opens_the_case_of_an_object(sign_in_as, request, role, name):
    obj, client = request.getfixturevalue(name), sign_in_as(role)
    url = page_of(obj, "open_case")
    assert f'href="{url}"' in client.get(page_of(obj)).content.decode()
    page = client.get(url, follow=True)
    case = Case.objects.get()
    assert page.redirect_chain[-1][0] == reverse("admin:moderation_case_change", args=[case.pk])
    assert (case.target_type, case.target_id) == (TARGET_TYPES[type(obj).__name__], obj.pk)
    assert CaseView.objects.get().case == case
    assert client.get(url, follow=True).context["case"] == case  # reused
    missing = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_open_case", args=[987654321])
    assert client.get(missing, follow=True).status_code == 404


@pytest.mark.parametrize("pk", ["x", "-1", "9" * 30])
@pytest.mark.parametrize("page", ["accounts/user", "clubs/club", "catalog/book", "reviews/review"])
def test_open_case_with_invalid_id_is_not_found(sign_in_as, page, pk):
    assert sign_in_as(MODERATORS).get(f"/admin/{page}/{pk}/case/").status_code == 404


@pytest.mark.parametrize(("name", "status"), [("alice", 403), ("club", 403), ("book", 200), ("review", 403)])
def test_catalog_editor_cannot_open_cases(sign_in_as, request, name, status):
    obj, client = request.getfixturevalue(name), sign_in_as(CATALOG_EDITORS)
    page = client.get(page_of(obj))
    assert page.status_code == status
    assert page_of(obj, "open_case") not in page.content.decode()
    assert client.get(page_of(obj, "open_case")).status_code == 403
    assert not Case.objects.exists()
