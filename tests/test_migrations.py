"""Every migration is undone and done again, one by one, with rows in the tables; what was there is there again."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration, RunPython
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)

ROOMS = ("accounts", "activity", "api", "catalog", "clubs", "moderation", "reviews")
# A migration fills it for events without a title too, where nobody asks for it.
FILLED_FURTHER = "object_author_id"
# What counts rows that later migrations count too, so that undoing an earlier one forgets more than it brings back.
TOTALS = "api_total"


@pytest.fixture
def rows() -> Iterator[None]:
    """The demo in every table; whatever becomes of the test, the database is whole afterwards."""
    call_command("load_demo", verbosity=0)
    call_command("seed_demo", verbosity=0)
    yield
    call_command("migrate", verbosity=0)


def ours() -> list[Migration]:
    """The migrations of the rooms and those that stand on them, in the order in which they are done."""
    graph = MigrationExecutor(connection).loader.graph
    plan = list(dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf)))
    first = [key for app in ROOMS for key in graph.root_nodes(app)]
    standing = {key for root in first for key in graph.backwards_plan(root)}
    return [graph.nodes[key] for key in plan if key in standing]


def run(steps: Iterable[Migration], *, backwards: bool) -> None:
    """Undo them or do them, one after the other."""
    MigrationExecutor(connection).migrate([], [(step, backwards) for step in steps])


def tables() -> dict[str, Any]:
    """Each table with its columns and constraints, without the names that databases give by themselves."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            columns = sorted(
                (column.name, column.null_ok, column.type_code, column.collation)
                for column in connection.introspection.get_table_description(cursor, table)
            )
            rules = sorted(
                str((rule["columns"], rule["primary_key"], rule["unique"], rule["foreign_key"], rule["index"]))
                for rule in connection.introspection.get_constraints(cursor, table).values()
            )
            found[table] = (columns, rules)
    return found


def contents() -> dict[str, Counter[str]]:
    """The rows of each table of the rooms."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            # The search index of SQLite is a table that is written anew.
            if table.partition("_")[0] in ROOMS and table != TOTALS and "_search_" not in table:
                columns = {c.name for c in connection.introspection.get_table_description(cursor, table)}
                names = ", ".join(map(connection.ops.quote_name, sorted(columns - {FILLED_FURTHER})))
                cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(table)}")
                found[table] = Counter(map(str, cursor.fetchall()))
    return found


def test_each_migration_goes_back_and_forward(rows: None) -> None:
    """Back to nothing and forward to the end: the same tables. What fills tables finds the rows that were there."""
    whole, before, plan = tables(), contents(), ours()
    assert sum(map(len, before.values())) > 1_000
    assert len(plan) > 40
    undone: list[Migration] = []
    for migration in reversed(plan):
        if any(isinstance(operation, RunPython) for operation in migration.operations):
            run(undone, backwards=True)
            undone, kept = [], contents()
            run([migration], backwards=True)
            run([migration], backwards=False)
            assert contents() == kept, migration
        undone.append(migration)
    run(undone, backwards=True)
    assert not [table for table in tables() if table.partition("_")[0] in ROOMS]
    run(plan, backwards=False)
    assert tables() == whole
