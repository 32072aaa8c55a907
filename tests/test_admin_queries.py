"""No admin page takes more than thirty queries with hundreds of rows."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuthSession, User
from clubs.club.models import Club
from clubs.members.models import Invitation
from core.audit import log_audit_event
from core.tasks.models import QueuedTask
from discussions.models import Thread
from meetings.models import Meeting

pytestmark = pytest.mark.django_db

MAX_QUERIES = 30


@pytest.fixture(scope="module")
def populated_site(module_db):
    """A site with many rows; return a superuser."""
    call_command("load_demo", verbosity=0)
    call_command("seed_demo", users=300, clubs=60, reviews=600, verbosity=0)
    now, users, clubs = timezone.now(), list(User.objects.all()[:300]), list(Club.objects.all()[:300])
    AuthSession.objects.bulk_create(AuthSession(user=user, jti=f"{user.pk}", expires_at=now) for user in users)
    QueuedTask.objects.bulk_create(QueuedTask(key=n, task_path="x", run_after=now) for n in range(300))
    for user in users:
        log_audit_event("thing.done", by=user, target=user)
    for n, user in enumerate(users):
        club = clubs[n % len(clubs)]
        Invitation.objects.create(club=club, created_by=user, expires_at=now, digest=f"{n}", max_uses=1)
        Meeting.objects.create(
            **{"club": club, "created_by": user, "title": f"Meeting {n}", "starts_at": now, "ends_at": now},
            **{"timezone": "UTC", "local_date": now.date(), "local_time": now.time()},
        )
        Thread.objects.create(club=club, author=user, title=f"Thread {n}")
    return User.objects.create_user("staffer", is_staff=True, is_superuser=True)


@pytest.mark.parametrize("role", ["superuser", "Administrators", "Moderators"])
def test_pages_stay_below_query_limit(populated_site, make_user, role):
    user = populated_site if role == "superuser" else make_user("somebody", is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client, costs, long_lists = Client(), {}, 0
    client.force_login(user)

    def get(path):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
        costs[path] = len(queries)
        return response

    assert get("/admin/").status_code == 200
    for model in admin.site._registry:
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        response = get(reverse(f"{page}_changelist"))
        if response.status_code == 403:
            continue
        rows = list(response.context["cl"].result_list)
        long_lists += len(rows) >= 50
        for row in rows[:1]:
            for path in (f"{page}_change", f"{page}_history"):
                assert get(reverse(path, args=[row.pk])).status_code == 200, path
    assert {path: cost for path, cost in costs.items() if cost > MAX_QUERIES} == {}
    assert long_lists >= {"superuser": 12, "Administrators": 12, "Moderators": 4}[role]
