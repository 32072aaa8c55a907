"""Fills every table that the staff's room shows, as full as a platform with a million books and a million reviews.

    DATABASE_URL=mysql://... python manage.py migrate && python manage.py load_demo
    python manage.py seed_demo --users 100000 --clubs 5000
    python benchmarks/filling.py [--scale 1.0]

The rows are made by the server itself, some columns of each by a formula of its number: the same ones every time. A
few are much heavier than the rest: a case with thousands of reports, an author with thousands of cases, a reader with
thousands of reviews and notifications, some hundred groups of fifty likely duplicates. MariaDB and MySQL.
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")

import django

django.setup()

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models import Max, Min

from accounts.models import AuthSession, User
from activity.models import Event, Notification
from bookbridge.api.audit.models import AuditEntry
from bookbridge.api.tasks.models import QueuedTask
from catalog.models import Book, BookAuthor, BookSubject, Edition, Merge, Moved, Revision
from clubs.models import Ballot, Candidate, Club, Entry, EntryChange, Invitation, Meeting, Post, Thread
from moderation.models import Appeal, Case, Decision, Opening, Report
from reviews.models import Like, Review

# So many of each at full scale.
SIZES: dict[type[models.Model], int] = {
    Book: 1_000_000,
    Review: 1_000_000,
    Like: 300_000,
    Thread: 100_000,
    Post: 500_000,
    Ballot: 20_000,
    Meeting: 100_000,
    EntryChange: 300_000,
    Invitation: 20_000,
    AuthSession: 200_000,
    Event: 1_000_000,
    Notification: 500_000,
    QueuedTask: 200_000,
    AuditEntry: 1_000_000,
    LogEntry: 200_000,
    Revision: 300_000,
    Merge: 20_000,
    Case: 50_000,
    Report: 150_000,
    Decision: 60_000,
    Appeal: 10_000,
    Opening: 200_000,
}
BATCH = 100_000
TITLE = (
    "Quiet Winter Last Hidden Burning Distant Silent Golden Broken Northern Secret Endless Little Paper Blue Salt",
    "River House Garden Letters Road Island Summer Daughter Library Orchard Harbour Mountain Mirror Season Bridge Map",
)
AUTHOR = ("Ana Beatriz Clara Davi Helena Igor Rosa Tomas", "Lima Souza Prado Miller Hughes Walker Carter Ramos")


def some(most: int | str, seed: str, of: str = "n") -> str:
    """A number from 0 up to `most`, which depends on the row's and on nothing else."""
    return f"MOD(CRC32(CONCAT('{seed}', {of})), {most})"


def one_of(words: str, seed: str, of: str = "n") -> str:
    """One of these words."""
    listed = words.split()
    return f"ELT(1 + {some(len(listed), seed, of)}, {', '.join(repr(word) for word in listed)})"


def ago(days: int, seed: str) -> str:
    """A moment within so many days."""
    return f"TIMESTAMPADD(SECOND, -{some(days * 86_400, seed)}, UTC_TIMESTAMP(6))"


def isbn(of: str = "n") -> str:
    """An ISBN-13 with its check digit."""
    core = f"CONCAT('978', LPAD(500000000 + {of}, 9, '0'))"
    weighed = " + ".join(f"{(1, 3)[i % 2]} * SUBSTRING({core}, {i + 1}, 1)" for i in range(12))
    return f"CONCAT({core}, CAST(MOD(10 - MOD({weighed}, 10), 10) AS CHAR))"


def last(model: type[models.Model]) -> int:
    """The greatest id there is."""
    return model._base_manager.aggregate(last=Max("pk"))["last"] or 0


def fill(model: type[models.Model], count: int, source: str = "", **columns: str | None) -> int:
    """Write `count` rows, ids in one run: a column by an SQL expression of `n`, any other by its default.

    Returns the id before the first.
    """
    began, base = time.monotonic(), last(model)
    names, values, params = ["id"], [f"{base} + n"], []
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
    rows = f"SELECT {', '.join(values)} FROM benchmark_numbers {source} WHERE n BETWEEN %s AND %s"
    with connection.cursor() as cursor:
        for start in range(1, count + 1, BATCH):
            ends = [start, min(start + BATCH - 1, count)]
            cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) {rows}", [*params, *ends])
    print(f"{model._meta.label:24}{count:>10,} rows {time.monotonic() - began:6.1f} s", flush=True)
    return base


def numbers(most: int) -> None:
    """The numbers that rows are made of."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_numbers")
        cursor.execute("CREATE TABLE benchmark_numbers (n INT PRIMARY KEY)")
        cursor.execute("INSERT INTO benchmark_numbers VALUES (1)")
        have = 1
        while have < most:
            cursor.execute("INSERT INTO benchmark_numbers SELECT n + %s FROM benchmark_numbers", [have])
            have *= 2


def catalogue(sizes: dict[type[models.Model], int], user: str) -> int:
    """Books, of which each 25th is there twice and the first five thousand fifty times each."""
    # Books of one number are one work.
    work = "IF(n <= 5000, n - MOD(n, 50), IF(MOD(n, 25) < 2, n - MOD(n, 25), n))"
    words = [one_of(TITLE[0], "a", work), one_of(TITLE[1], "b", work), f"CAST({work} AS CHAR)"]
    names = [one_of(AUTHOR[0], "c", work), one_of(AUTHOR[1], "d", work)]
    title, author = f"CONCAT_WS(' ', {', '.join(words)})", f"CONCAT_WS(' ', {', '.join(names)})"
    base = fill(
        Book,
        sizes[Book],
        title=title,
        title_key=f"LOWER({title})",
        author=author,
        search_text=f"LOWER(CONCAT('qq', CONCAT_WS(' qq', {', '.join([*words, *names])})))",
        work_key=f"LOWER(CONCAT({', '.join(names)}, ' ', {title}))",
        print_key=f"IF(MOD(n, 5), LOWER(CONCAT('978-', {some(3000, 'p')}, ' ', {title})), NULL)",
        told_apart=f"MOD(n, 25) < 2 AND {some(10, 't', work)} = 0",
        isbn13=f"IF(MOD(n, 5), {isbn()}, NULL)",
        language=f"ELT(1 + {some(12, 'l')}, 'en','en','en','en','en','pt','pt-br','pt-br','es','fr','de','')",
        published_year=f"1850 + {some(175, 'y')}",
        page_count=f"80 + {some(700, 'g')}",
        description="REPEAT('What it is about. ', 12)",
        created_at=ago(900, "age"),
        added_by=f"IF(MOD(n, 20) = 0, {user}, NULL)",
    )
    named, key = f"CONCAT_WS(' ', {', '.join(names)})", f"LOWER(CONCAT_WS(' ', {', '.join(names)}))"
    fill(BookAuthor, sizes[Book], book=f"{base} + n", position="1", name=named, key=key)
    subject = f"CONCAT('Subject ', {some(500, 's')})"
    fill(BookSubject, sizes[Book], book=f"{base} + n", position="1", name=subject, key=f"LOWER({subject})")
    language = f"(SELECT language FROM catalog_book WHERE catalog_book.id = {base} + n)"
    fill(Edition, sizes[Book], book=f"{base} + n", isbn13=isbn("2000000 + n"), language=language)
    changes = '\'{"title": {"before": "The former title", "after": "The title of today"}}\''
    # The first of them has been changed ten thousand times.
    book = f"{base} + 1 + IF(n <= 10000, 0, MOD(n, 200000))"
    fill(Revision, sizes[Revision], book=book, number="n", editor=user, at=ago(700, "r"), changes=changes)
    return base


def opinions(sizes: dict[type[models.Model], int], base: int, first: int, users: int) -> int:
    """Reviews: readers have ten each, of ten parts of the best known books, and their first book's far more often."""
    part = f"FLOOR((n - 1) / {users})"
    place = f"{part} * 500 + FLOOR(500 * POW({some(1000003, 'z')} / 1000003e0, 3))"
    before = fill(
        Review,
        sizes[Review],
        book=f"{base} + 1 + {place}",
        author=f"{first} + MOD(n - 1, {users})",
        rating=f"ELT(1 + {some(20, 'r')}, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 10, 10)",
        title="IF(MOD(n, 3), 'Worth it', '')",
        body="REPEAT('Slow at first, worth the wait. ', 1 + MOD(n, 20))",
        language="IF(MOD(n, 2), 'en', 'pt-br')",
        visibility=f"ELT(1 + LEAST({some(20, 'v')}, 3), 'private', 'clubs', 'clubs', 'public')",
        hidden_at=f"IF({some(500, 'h')} = 0, {ago(300, 'hid')}, NULL)",
        created_at=ago(700, "c"),
    )
    liked = f"FLOOR({sizes[Review]} * POW({some(1000003, 'k')} / 1000003e0, 2))"
    # So that nobody likes one twice: each turn through the readers likes another part of the reviews.
    turn = f"FLOOR((n - 1) / {users})"
    fill(
        Like,
        sizes[Like],
        review=f"{before} + 1 + MOD({liked} - MOD({liked}, 4) + {turn}, {sizes[Review]})",
        user=f"{first} + MOD(n - 1, {users})",
        created_at=ago(300, "x"),
    )
    return before


def talk(sizes: dict[type[models.Model], int], clubs: str, club_count: int, club_first: int, user: str) -> int:
    """Threads, posts, ballots, meetings and what else clubs have."""
    threads = fill(
        Thread,
        sizes[Thread],
        club=clubs,
        entry=None,
        author=user,
        title="CONCAT('What about chapter ', n)",
        closed=f"{some(20, 'x')} = 0",
        pinned=f"{some(50, 'p')} = 0",
        created_at=ago(300, "t"),
    )
    thread = f"MOD(n, {sizes[Thread]})"
    posts = fill(
        Post,
        sizes[Post],
        club=f"{club_first} + MOD({thread} + IF({thread}, 0, {sizes[Thread]}), {club_count})",
        thread=f"{threads} + {thread} + IF({thread}, 0, {sizes[Thread]})",
        author=user,
        body="REPEAT('I did not see that coming. ', 1 + MOD(n, 10))",
        search_text="CONCAT('qqsee qqthat qqcoming qq', n)",
        created_at=ago(300, "t"),
    )
    rounds = '\'[{"counts": [[1, 5], [2, 3]], "eliminated": null, "exhausted": 0}]\''
    ballots = fill(
        Ballot,
        sizes[Ballot],
        club=clubs,
        title="CONCAT('The next book, ', n)",
        method="ELT(1 + MOD(n, 2), 'approval', 'ranked')",
        status=f"IF({some(10, 'o')}, 'closed', 'open')",
        closes_at=ago(200, "c"),
        created_by=user,
        outcome="'winner'",
        rounds=rounds,
        created_at=ago(300, "t"),
    )
    entries = Entry.objects.aggregate(first=Min("pk"), last=Max("pk"))
    entry = f"{entries['first']} + MOD(7 * n, {entries['last'] - entries['first']})"
    ballot, place = "FLOOR((n - 1) / 2)", "1 + MOD(n - 1, 2)"
    fill(Candidate, 2 * sizes[Ballot], ballot=f"{ballots} + 1 + {ballot}", place=place, entry=f"{entry} + {place}")
    fill(
        Meeting,
        sizes[Meeting],
        club=clubs,
        series=None,
        entry=None,
        title="CONCAT('Meeting ', n)",
        starts_at=ago(700, "s"),
        ends_at=ago(1, "s"),
        timezone="'America/Sao_Paulo'",
        local_date="'2026-03-02'",
        local_time="'19:00'",
        status=f"IF({some(30, 'q')}, 'scheduled', 'cancelled')",
        deleted_at=f"IF({some(100, 'd')}, NULL, UTC_TIMESTAMP(6))",
        uid="LEFT(SHA2(CONCAT('meeting', n), 256), 32)" if not connection.features.has_native_uuid_field else "UUID()",
        created_by=user,
        capacity="IF(MOD(n, 3), NULL, 12)",
    )
    book = f"(SELECT book_id FROM clubs_entry WHERE id = {entry})"
    fill(EntryChange, sizes[EntryChange], club=clubs, book=f"COALESCE({book}, 1)", actor=user, field="'note'")
    fill(
        Invitation,
        sizes[Invitation],
        club=clubs,
        digest="SHA2(n, 256)",
        created_by=user,
        expires_at=ago(100, "e"),
        revoked_at="IF(MOD(n, 9), NULL, UTC_TIMESTAMP(6))",
    )
    return posts


def news(sizes: dict[type[models.Model], int], clubs: str, user: str) -> None:
    """Sign-ins, what happened, who was told, and what is to be done."""
    fill(
        AuthSession,
        sizes[AuthSession],
        user=user,
        device="'Benchmark/1'",
        expires_at="TIMESTAMPADD(DAY, 30, UTC_TIMESTAMP(6))",
        jti="LEFT(SHA2(n, 256), 32)",
        created_at=ago(60, "c"),
        ended_at=f"IF(MOD(n, 3), NULL, {ago(50, 'e')})",
    )
    verbs = "review.posted review.liked progress.set member.joined meeting.answered post.posted book.added"
    fill(
        Event,
        sizes[Event],
        at=ago(700, "t"),
        verb=one_of(verbs, "v"),
        actor=user,
        subject=f"IF(MOD(n, 4), NULL, {user})",
        club=f"IF(MOD(n, 2), {clubs}, NULL)",
        object_type=one_of("review book meeting thread", "o"),
        object_id=some(200000, "i"),
        object_title="CONCAT('Thing ', n)",
    )
    fill(
        Notification,
        sizes[Notification],
        # One reader has not looked for years.
        user=f"IF(n <= 20000, 1, {user})",
        actor=user.replace("'u'", "'w'"),
        kind=one_of("review_liked meeting_planned post_reply", "k"),
        key="CONCAT('b', n)",
        at=ago(300, "t"),
        club=f"IF(MOD(n, 2), {clubs}, NULL)",
    )
    fill(
        QueuedTask,
        sizes[QueuedTask],
        name=one_of("activity.mail accounts.mail catalog.cover", "j"),
        key=None,
        state=f"IF({some(200, 'f')}, 'done', 'failed')",
        due_at=ago(30, "d"),
        ended_at=ago(30, "d"),
        created_at=ago(30, "d"),
    )
    fill(
        AuditEntry,
        sizes[AuditEntry],
        at=ago(365, "a"),
        verb=f"CONCAT('verb.', {some(30, 'v')})",
        outcome=f"IF({some(100, 'o')}, 'done', 'refused')",
        actor=user,
        target_type="'accounts.user'",
        target_id=user.replace("'u'", "'w'"),
        address=f"CONCAT('198.51.', {some(200, 'x')}, '.', {some(250, 'y')})",
    )


def deeds(sizes: dict[type[models.Model], int], base: int) -> None:
    """What staff have done in the admin, and merges."""
    staff = User.objects.filter(username="benchmark").first() or User.objects.create_superuser("benchmark", None)
    kind = ContentType.objects.get_for_model(Book).pk
    fill(
        LogEntry,
        sizes[LogEntry],
        user=str(staff.pk),
        content_type=str(kind),
        object_id=f"CAST({base} + MOD(n, 50000) AS CHAR)",
        object_repr="CONCAT('Book ', n)",
        action_flag="2",
        change_message='\'[{"changed": {"fields": ["Title"]}}]\'',
        action_time=ago(700, "l"),
    )
    # The last books of all are part of others by now.
    gone = f"{base} + {sizes[Book]} - n"
    merges = fill(
        Merge,
        sizes[Merge],
        kept=f"{base} + n",
        gone=gone,
        state=f"IF({some(20, 's')}, 'merged', 'undone')",
        by=str(staff.pk),
        reason="'The same work'",
        undone_by=None,
        filled=None,
        at=ago(400, "m"),
    )
    fill(Moved, 5 * sizes[Merge], merge=f"{merges} + 1 + FLOOR((n - 1) / 5)", kind="'review'", row="n")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE catalog_book JOIN catalog_merge ON gone_id = catalog_book.id AND state = 'merged'"
            " SET merged_into = kept_id, work_key = NULL, print_key = NULL"
        )


def cases(sizes: dict[type[models.Model], int], bases: dict[str, int], user: str) -> None:
    """Cases about reviews, posts, books and readers; the first has thousands of reports, one author a tenth of all."""
    kinds = "ELT(1 + MOD(n, 4), 'review', 'post', 'book', 'user')"
    targets = ", ".join(f"{bases[word]} + FLOOR((n - 1) / 4) + 1" for word in ("review", "post", "book", "user"))
    state = one_of("open open open closed closed closed closed closed closed gone", "s")
    opened = f"{state} = 'open'"
    first = fill(
        Case,
        sizes[Case],
        target_type=kinds,
        target_id=f"ELT(1 + MOD(n, 4), {targets})",
        title="CONCAT('Thing ', n)",
        author=f"IF(MOD(n, 10) = 0, {bases['user'] + 1}, {user})",
        state=state,
        concealed=f"IF({some(4, 'h')}, '', IF({opened}, 'pending', 'hidden'))",
        ground="'spam'",
        harm=f"IF({opened}, 10 + {some(50, 'm')}, 0)",
        reports_count=f"IF({opened}, 1 + {some(9, 'c')}, 0)",
        is_appealed=f"{opened} AND {some(20, 'a')} = 0",
        opened_at=ago(200, "o"),
        decided_at=f"IF({opened}, NULL, {ago(100, 'd')})",
    )
    case = f"{first} + 1 + IF(n <= 5000, 0, MOD(n, {sizes[Case]}))"
    # Each round through the cases has other readers.
    fill(
        Report,
        sizes[Report],
        case=case,
        reporter=f"{bases['user']} + 1 + MOD(n, 90000)",
        reason=one_of("spam abuse spoiler copyright other", "w"),
        note="'Please have a look.'",
        decision=None,
        at=ago(200, "o"),
    )
    decided = fill(
        Decision,
        sizes[Decision],
        case=f"{first} + 1 + MOD(n, {sizes[Case]})",
        action=one_of("hide hide dismiss dismiss warn suspend conceal", "d"),
        ground="'spam'",
        by=None,
        by_name="'benchmark'",
        subject=f"IF(MOD(n, 10) = 0, {bases['user'] + 1}, {user})",
        undoes=None,
        at=ago(200, "o"),
    )
    fill(
        Appeal,
        sizes[Appeal],
        case=f"{first} + 1 + MOD(n, {sizes[Case]})",
        decision=f"{decided} + n",
        author=user,
        text="'I see it otherwise.'",
        answer=None,
        at=ago(100, "p"),
    )
    opened = f"{first} + 1 + IF(n <= 2000, 0, {some(sizes[Case], 'q')})"
    fill(Opening, sizes[Opening], case=opened, by=None, by_name="'benchmark'", at=ago(200, "z"))


def figures(*names: str) -> None:
    """What is counted beside the rows: of books, readers, likes and threads, or of some of them."""
    stars = ", ".join(f"stars_{n} = rated.s{n}" for n in range(1, 11))
    each = ", ".join(f"SUM(rating = {n}) AS s{n}" for n in range(1, 11))
    statements = {
        "books": (
            "UPDATE catalog_book JOIN (SELECT book_id, COUNT(*) AS n, SUM(rating) AS total, " + each + " FROM"
            " reviews_review WHERE audience = 'public' AND rating IS NOT NULL GROUP BY book_id) AS rated"
            f" ON rated.book_id = catalog_book.id SET ratings_count = n, ratings_sum = total, {stars},"
            " average_rating = ((total * 100 + n) - MOD(total * 100 + n, 2 * n)) / (2 * n) / 100"
        ),
        "readers": (
            "UPDATE accounts_user JOIN (SELECT author_id, COUNT(*) AS n FROM reviews_review WHERE audience = 'public'"
            " GROUP BY author_id) AS counted ON author_id = accounts_user.id SET reviews_count = n"
        ),
        "likes": (
            "UPDATE reviews_review JOIN (SELECT review_id, COUNT(*) AS n FROM reviews_like GROUP BY review_id)"
            " AS counted ON review_id = reviews_review.id SET likes_count = n"
        ),
        "threads": (
            "UPDATE clubs_thread JOIN (SELECT thread_id, COUNT(*) AS n, MAX(created_at) AS newest FROM clubs_post"
            " GROUP BY thread_id) AS counted ON thread_id = clubs_thread.id SET posts_count = n, last_post_at = newest"
        ),
    }
    with connection.cursor() as cursor:
        for name in names or statements:
            began = time.monotonic()
            cursor.execute(statements[name])
            print(f"figures of {name:24}       {time.monotonic() - began:6.1f} s", flush=True)


def analyze() -> None:
    """Have the server look at how the tables are filled."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"ANALYZE TABLE {connection.ops.quote_name(table)}")
            cursor.fetchall()


def main() -> None:
    """Fill them all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--scale", type=float, default=1.0)
    scale, began = options.parse_args().scale, time.monotonic()
    sizes = {model: int(size * scale) for model, size in SIZES.items()}
    people = User.objects.filter(is_staff=False).aggregate(first=Min("pk"), last=Max("pk"))
    rooms = Club.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if people["first"] is None or rooms["first"] is None or connection.vendor != "mysql":
        raise SystemExit("It needs MariaDB or MySQL with the readers and clubs of seed_demo.")
    users, club_count = people["last"] - people["first"] + 1, rooms["last"] - rooms["first"] + 1
    user = f"{people['first']} + {some(users, 'u')}"
    clubs = f"{rooms['first']} + MOD(n, {club_count})"
    numbers(max(sizes.values()))
    books = catalogue(sizes, user)
    reviews = opinions(sizes, books, people["first"], users)
    posts = talk(sizes, clubs, club_count, rooms["first"], user)
    news(sizes, clubs, user)
    deeds(sizes, books)
    cases(sizes, {"review": reviews, "post": posts, "book": books, "user": people["first"] - 1}, user)
    figures()
    analyze()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE benchmark_numbers")
    print(f"{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
