"""Every migration is reversible and keeps the rows."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations import AddField, Migration, RunPython
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[1]
APPS = sorted(path.parents[1].name for path in ROOT.glob("*/migrations/0001_initial.py"))
# A migration also fills the first one for events without a title; reversing loses which tasks are bulk tasks
# and their trace contexts.
IGNORED_COLUMNS = {"object_author_id", "bulk", "traceparent"}
# Later migrations change this table too, so reversing an earlier one loses rows.
IGNORED_TABLE = "core_counter"


@pytest.fixture
def rows() -> Iterator[None]:
    """Demo rows in all tables. Migrates the database forward again after the test."""
    call_command("load_demo", verbosity=0)
    call_command("seed_demo", verbosity=0)
    yield
    call_command("migrate", verbosity=0)


def app_migrations() -> list[Migration]:
    """Return the migrations of our apps and those that depend on them, in order."""
    graph = MigrationExecutor(connection).loader.graph
    plan = list(dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf)))
    first = [key for app in APPS for key in graph.root_nodes(app)]
    included = {key for root in first for key in graph.backwards_plan(root)}
    return [graph.nodes[key] for key in plan if key in included]


def run(steps: Iterable[Migration], *, backwards: bool) -> None:
    """Apply or reverse the migrations one by one."""
    MigrationExecutor(connection).migrate([], [(step, backwards) for step in steps])


def tables() -> dict[str, Any]:
    """Return the columns and constraints of each table, without generated names."""
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
    """Return the rows of each table of our apps."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            # The search index of SQLite is a table that is rebuilt.
            if table.partition("_")[0] in APPS and table != IGNORED_TABLE and "_search_" not in table:
                columns = {c.name for c in connection.introspection.get_table_description(cursor, table)}
                names = ", ".join(map(connection.ops.quote_name, sorted(columns - IGNORED_COLUMNS)))
                cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(table)}")
                found[table] = Counter(map(str, cursor.fetchall()))
    return found


# Added before the first release.
WITHOUT_DEFAULT = {("catalog", "0004_match_key"), ("clubs", "0012_membership_joined_change")}


def test_added_columns_have_a_default_in_the_database() -> None:
    """A server of the former release writes to the new schema during an update, and does not know the column."""
    for migration in app_migrations():
        if not migration.initial and (migration.app_label, migration.name) not in WITHOUT_DEFAULT:
            for operation in migration.operations:
                if isinstance(operation, AddField) and not operation.field.null:
                    has_default = operation.field.many_to_many or operation.field.has_db_default()
                    assert has_default, f"{migration}: {operation.name} needs db_default, null=True, or both"


def changed_since_releases(root: Path) -> list[str]:
    """Return the migrations that have been changed or deleted since a release (a tag v1.0.0 or later)."""
    tags = git(root, "tag", "--list", "v[1-9]*").split()
    paths = ("--", "*/migrations/*.py", "migrations/*.py")
    return sorted(
        {
            f"{tag}: {path}"
            for tag in tags
            for path in git(root, "diff", "--name-only", "--no-renames", "--diff-filter=MD", tag, *paths).split()
        }
    )


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("git") or not (ROOT / ".git").exists(), reason="not a clone, or without git")
def test_released_migrations_are_unchanged() -> None:
    assert changed_since_releases(ROOT) == []


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_change_of_a_released_migration_is_found(tmp_path: Path) -> None:
    home = tmp_path / "clubs" / "migrations"
    home.mkdir(parents=True)
    for name in ("0001_initial.py", "0002_name.py", "0003_place.py"):
        (home / name).write_text(name)
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, *identity, "commit", "-qm", "First")
    git(tmp_path, "tag", "v0.9.0")
    (home / "0001_initial.py").write_text("edited before the release")
    git(tmp_path, *identity, "commit", "-qam", "Second")
    git(tmp_path, "tag", "v1.0.0")
    assert changed_since_releases(tmp_path) == []
    (home / "0002_name.py").write_text("edited")
    (home / "0003_place.py").unlink()
    (home / "0004_added.py").write_text("added")
    assert changed_since_releases(tmp_path) == [
        "v1.0.0: clubs/migrations/0002_name.py",
        "v1.0.0: clubs/migrations/0003_place.py",
    ]


def test_all_migrations_are_reversible(rows: None) -> None:
    """Reverse and reapply all migrations. Data migrations are checked with the rows of their state."""
    schema, before, plan = tables(), contents(), app_migrations()
    assert sum(map(len, before.values())) > 1_000
    assert {migration.app_label for migration in plan} >= set(APPS)
    assert len(plan) >= 17
    reversed_steps: list[Migration] = []
    for migration in reversed(plan):
        if any(isinstance(operation, RunPython) for operation in migration.operations):
            run(reversed_steps, backwards=True)
            reversed_steps, before_step = [], contents()
            run([migration], backwards=True)
            run([migration], backwards=False)
            assert contents() == before_step, migration
        reversed_steps.append(migration)
    run(reversed_steps, backwards=True)
    assert not [table for table in tables() if table.partition("_")[0] in APPS]
    run(plan, backwards=False)
    assert tables() == schema
