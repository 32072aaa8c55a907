"""Moderation cases of the demo data."""

import io

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import MODERATORS
from moderation.models import Appeal, Case, Decision
from reviews.models import Review
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db

QUEUE = reverse("admin:moderation_case_changelist")


@pytest.fixture(scope="module")
def demo(module_db):
    call_command("load_demo", verbosity=0)
    call_command("seed_demo", stdout=io.StringIO(), password="correct horse battery")


@pytest.fixture
def moderator(make_user):
    user = make_user("helper", is_staff=True)
    user.groups.set(Group.objects.filter(name=MODERATORS))
    client = Client()
    client.force_login(user)
    return client


def test_demo_has_open_appealed_and_decided_cases(demo, moderator):
    assert moderator.get(QUEUE).context["cl"].result_list[0].target_type == "post"
    sizes = {}
    for queue in ("open", "appealed", "hidden", "closed"):
        sizes[queue] = len(moderator.get(QUEUE, {"queue": queue}).context["cl"].result_list)
    assert sizes == {"open": 4, "appealed": 1, "hidden": 2, "closed": 2}
    assert set(Decision.objects.values_list("action", flat=True)) == {"hide", "warn", "dismiss"}
    for case in Case.objects.all():
        assert moderator.get(reverse("admin:moderation_case_change", args=[case.pk])).status_code == 200
    assert counter_differences() == (0, [])


def test_hidden_demo_review_is_visible_to_its_author_only(demo, client_of, anonymous):
    hidden = Review.objects.get(hidden_at__isnull=False, author__username="theo.bennett")
    url = f"/api/v1/reviews/{hidden.pk}/"
    assert client_of(hidden.author).get(url).json()["moderation"]["status"] == "hidden"
    assert anonymous.get(url).status_code == 404
    assert Appeal.objects.get().author == hidden.author


def test_demo_moderator_cannot_log_in(demo, anonymous):
    moderator = User.objects.get(is_staff=True)
    assert set(Decision.objects.values_list("by_name", flat=True)) == {moderator.username}
    assert not moderator.has_usable_password()
    assert moderator.email == ""
    for password in ("correct horse battery", "", "!"):
        body = {"username": moderator.username, "password": password}
        assert anonymous.post("/api/v1/auth/login/", body).status_code in (400, 401)
        assert Client().post("/admin/login/", body).status_code == 200
