"""Replicas that lag behind the primary are not used."""

import time

import pytest
from django.conf import settings

from core.db import replicas
from core.tasks.models import PeriodicTask

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def replica(monkeypatch):
    monkeypatch.setattr(settings, "REPLICAS", ["default"], raising=False)
    monkeypatch.setattr(settings, "REPLICA_MAX_LAG", 10)
    monkeypatch.setattr(replicas.connections["default"], "close", lambda: None)
    replicas._next_check.clear()
    yield
    replicas._next_check.clear()
    replicas.breakers.clear()


def test_replica_with_a_recent_heartbeat_is_used():
    replicas.write_heartbeat()
    assert replicas._pick_replica().alias == "default"


@pytest.mark.parametrize("written", [None, 60])
def test_late_replica_is_not_used(written):
    if written:
        PeriodicTask.objects.create(task_path=replicas.HEARTBEAT, period=int(time.time()) - written)
    assert replicas._pick_replica() is None
    assert replicas.breakers["default"].is_open
    replicas.write_heartbeat()
    replicas._next_check.clear()
    replicas.breakers.clear()
    assert replicas._pick_replica().alias == "default"


@pytest.mark.parametrize(("written", "status"), [(0, "ok"), (60, "late")])
def test_readyz_is_degraded_with_a_late_replica(client, written, status):
    PeriodicTask.objects.create(task_path=replicas.HEARTBEAT, period=int(time.time()) - written)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert (response.json()["default"], response.json()["status"]) == (status, "ok" if status == "ok" else "degraded")


def test_replica_is_checked_once_a_second(django_assert_num_queries):
    replicas.write_heartbeat()
    with django_assert_num_queries(1):
        for _ in range(5):
            replicas._pick_replica()
