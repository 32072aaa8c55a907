"""What the constraints, the session and the locks of each database must be like, whatever its defaults are."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import connection

from tests.core.test_live_server import Live

needs_mysql = pytest.mark.skipif("connection.vendor != 'mysql'", reason="MariaDB and MySQL only")

# NULL means no limit here: reviews and reports of deleted accounts, and books that were not imported.
NULLABLE = {("reviews.Review", "author"), ("moderation.Report", "reporter"), ("catalog.Book", "origin")}


def test_unique_constraints_contain_no_other_nullable_columns():
    """All databases allow any number of rows that have NULL in one of the columns."""
    found = set()
    for model in apps.get_models():
        unique = [(field.name,) for field in model._meta.local_fields if field.unique]
        unique += [constraint.fields for constraint in model._meta.total_unique_constraints]
        found |= {(model._meta.label, name) for names in unique for name in names if model._meta.get_field(name).null}
    assert found == NULLABLE


@pytest.mark.django_db
def test_database_creates_every_constraint_and_index():
    """MariaDB and MySQL leave out those with conditions, for example, with a warning (W036 to W046)."""
    assert run_checks(databases=["default"]) == []


@needs_mysql
@pytest.mark.django_db
def test_session_is_strict_and_read_committed():
    isolation = "tx_isolation" if connection.mysql_is_mariadb else "transaction_isolation"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT @@SESSION.sql_mode, @@SESSION.{isolation}, @@SESSION.innodb_lock_wait_timeout")
        modes, level, timeout = cursor.fetchone()
    assert {"STRICT_TRANS_TABLES", "ONLY_FULL_GROUP_BY", "NO_ENGINE_SUBSTITUTION"} <= set(modes.split(","))
    assert (level, timeout) == ("READ-COMMITTED", 5)


def test_simultaneous_writes_on_sqlite_wait_for_each_other(tmp_path):
    """With Django's options, most of them would fail with `database is locked`."""
    live = Live(tmp_path, WEB_CONCURRENCY="2")
    try:
        bodies = [{"username": f"reader{n}", "password": "um-bom-segredo-7"} for n in range(40)]
        with ThreadPoolExecutor(8) as threads:
            calls = threads.map(lambda body: live.call("POST", "/api/v1/auth/register/", body).status, bodies)
            assert list(calls) == [201] * len(bodies)
    finally:
        live.stop()
