"""Asks every page of the admin once warm and prints how long it takes and by how many queries, the slowest first.

    DATABASE_URL=mysql://... python benchmarks/admin.py [--audit 5000000]

Fill the database first: `manage.py seed_demo --users 100000 --clubs 5000 --reviews 1000000`. `--audit N` tops the audit
log up to N entries. Leaves one account of staff behind; everything else it only reads.
"""

import argparse
import datetime
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")
os.environ["ADMIN_SECOND_FACTOR"] = "off"

import django

django.setup()

from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.staff import sittings
from bookbridge.api.audit.models import AuditEntry

FILTERED = {
    "accounts.user": ["?is_staff__exact=1", "?q=ana", "?q=ana@"],
    "api.auditentry": [
        *("?verb=verb.3", "?outcome__exact=refused", "?who=7", "?who=7&verb=verb.3", "?q=accounts.user:77"),
        *(
            "?verb=verb.3&outcome__exact=refused",
            "?at_from_0=2026-01-01&at_to_0=2026-01-02",
            "?q=198.51.100.7",
            "?p=100",
        ),
    ],
    "catalog.book": ["?q=dom", "?language=pt"],
    "reviews.review": ["?hidden_at__isempty=0", "?o=7"],
    "clubs.club": ["?visibility__exact=private", "?q=clube"],
}


def fill_audit(wanted: int) -> None:
    """Top the audit log up."""
    have, now = AuditEntry.objects.count(), timezone.now()
    while have < wanted:
        AuditEntry.objects.bulk_create(
            AuditEntry(
                at=now - datetime.timedelta(seconds=6 * (wanted - n)),
                verb=f"verb.{n % 30}",
                outcome="refused" if n % 100 == 7 else "done",
                actor=n % 50_000,
                target_type="accounts.user",
                target_id=n % 70_000,
                address=f"198.51.{n % 200}.{n % 250}",
                agent="Benchmark/1",
            )
            for n in range(have, min(have + 5_000, wanted))
        )
        have += 5_000


def main() -> None:
    """Ask them all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--audit", type=int, default=0)
    fill_audit(options.parse_args().audit)
    user = User.objects.filter(username="benchmark").first() or User.objects.create_superuser("benchmark", None)
    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(user, "accounts.authentication.AdminBackend")
    session = client.session
    session[sittings.SITTING] = {"since": time.time(), "seen": time.time(), "factor": None}
    session.save()
    found = []

    def ask(path: str) -> object:
        client.get(path)  # warm
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            answer = client.get(path)
            found.append((time.perf_counter() - started, len(queries), answer.status_code, path))
        return answer

    ask("/admin/")
    for model in admin.site._registry:
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for query in ["", *FILTERED.get(model._meta.label_lower, [])]:
            ask(reverse(f"{page}_changelist") + query)
        row = model._default_manager.order_by("-pk").first()
        if row:
            ask(reverse(f"{page}_change", args=[row.pk]))
    for seconds, queries, status, path in sorted(found, reverse=True):
        print(f"{seconds * 1000:8.0f} ms {queries:3} queries {status} {path}")


if __name__ == "__main__":
    main()
