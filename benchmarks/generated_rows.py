"""Rows that the database server generates with SQL expressions of the row number `n`. Needs MariaDB or MySQL."""

import time

from django.db import connection, models
from django.db.models import Max

BATCH_SIZE = 100_000


def random_int(limit: int | str, seed: str, of: str = "n") -> str:
    """Return SQL for a pseudo-random number from 0 to below `limit`, determined by the row number."""
    return f"MOD(CRC32(CONCAT('{seed}', {of})), {limit})"


def random_word(words: str, seed: str, of: str = "n") -> str:
    """Return SQL that picks one of these words."""
    listed = words.split()
    return f"ELT(1 + {random_int(len(listed), seed, of)}, {', '.join(repr(word) for word in listed)})"


def past_time(days: int, seed: str) -> str:
    """Return SQL for a time within the last `days` days."""
    return f"TIMESTAMPADD(SECOND, -{random_int(days * 86_400, seed)}, UTC_TIMESTAMP(6))"


def isbn(of: str = "n") -> str:
    """Return SQL for an ISBN-13 with its check digit."""
    core = f"CONCAT('978', LPAD(500000000 + {of}, 9, '0'))"
    weighed = " + ".join(f"{(1, 3)[i % 2]} * SUBSTRING({core}, {i + 1}, 1)" for i in range(12))
    return f"CONCAT({core}, CAST(MOD(10 - MOD({weighed}, 10), 10) AS CHAR))"


def last_id(model: type[models.Model]) -> int:
    """Return the greatest id, or 0."""
    return model._base_manager.aggregate(last=Max("pk"))["last"] or 0


def fill(model: type[models.Model], count: int, **columns: str | None) -> int:
    """Insert `count` rows with consecutive ids; return the id before the first.

    `columns` are SQL expressions of `n`; all other columns have their default.
    """
    began, base = time.monotonic(), last_id(model)
    names, values, params = ["id"], [f"{base} + n"], []
    if unknown := columns.keys() - {field.name for field in model._meta.local_concrete_fields}:
        raise ValueError(f"{model._meta.label} has no {unknown}")
    for field in model._meta.local_concrete_fields:
        if field.primary_key or field.generated:
            continue
        names.append(connection.ops.quote_name(field.column))
        if field.name in columns:
            values.append(columns[field.name] or "NULL")
        else:
            values.append("%s")
            params.append(field.get_db_prep_save(field.get_default(), connection))
    table = connection.ops.quote_name(model._meta.db_table)
    rows = f"SELECT {', '.join(values)} FROM benchmark_numbers WHERE n BETWEEN %s AND %s"
    with connection.cursor() as cursor:
        for start in range(1, count + 1, BATCH_SIZE):
            ends = [start, min(start + BATCH_SIZE - 1, count)]
            cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) {rows}", [*params, *ends])
    print(f"{model._meta.label:24}{count:>10,} rows {time.monotonic() - began:6.1f} s", flush=True)
    return base


def create_numbers(count: int) -> None:
    """Create the table of row numbers, with at least `count` rows."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_numbers")
        cursor.execute("CREATE TABLE benchmark_numbers (n INT PRIMARY KEY)")
        cursor.execute("INSERT INTO benchmark_numbers VALUES (1)")
        have = 1
        while have < count:
            cursor.execute("INSERT INTO benchmark_numbers SELECT n + %s FROM benchmark_numbers", [have])
            have *= 2


def update_counters(*names: str) -> None:
    """Update the stored counters of books, users, likes and threads, or only the given ones."""
    stars = ", ".join(f"stars_{n} = rated.s{n}" for n in range(1, 11))
    each = ", ".join(f"SUM(rating = {n}) AS s{n}" for n in range(1, 11))
    statements = {
        "books": (
            "UPDATE catalog_book JOIN (SELECT book_id, COUNT(*) AS n, SUM(rating) AS total, " + each + " FROM"
            " reviews_review WHERE audience = 'public' AND rating IS NOT NULL GROUP BY book_id) AS rated"
            f" ON rated.book_id = catalog_book.id SET ratings_count = n, ratings_sum = total, {stars},"
            " average_rating = ((total * 100 + n) - MOD(total * 100 + n, 2 * n)) / (2 * n) / 100"
        ),
        "users": (
            "UPDATE accounts_user JOIN (SELECT author_id, COUNT(*) AS n FROM reviews_review WHERE audience = 'public'"
            " GROUP BY author_id) AS counted ON author_id = accounts_user.id SET reviews_count = n"
        ),
        "likes": (
            "UPDATE reviews_review JOIN (SELECT review_id, COUNT(*) AS n FROM reviews_like GROUP BY review_id)"
            " AS counted ON review_id = reviews_review.id SET likes_count = n"
        ),
        "threads": (
            "UPDATE discussions_thread JOIN (SELECT thread_id, COUNT(*) AS n, MAX(created_at) AS newest"
            " FROM discussions_post GROUP BY thread_id) AS counted ON thread_id = discussions_thread.id"
            " SET posts_count = n, last_post_at = newest"
        ),
    }
    with connection.cursor() as cursor:
        for name in names or statements:
            began = time.monotonic()
            cursor.execute(statements[name])
            print(f"counters of {name:24}      {time.monotonic() - began:6.1f} s", flush=True)


def analyze() -> None:
    """Update the statistics of the query optimizer."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"ANALYZE TABLE {connection.ops.quote_name(table)}")
            cursor.fetchall()
