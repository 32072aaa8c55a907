"""SQL statements and Redis round trips of the workloads of the comparison with other systems, against their budgets.

`benchmarks/request_costs.py --check` sends them with the settings of production. It runs in a process of its own, on
the test database of MariaDB or MySQL.
"""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry, Visibility
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.server import TOP

ON_SERVERS = connection.vendor == "mysql" and "REDIS_URL" in os.environ

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not ON_SERVERS, reason="needs MariaDB or MySQL, and Redis"),
]


@pytest.fixture
def data(alice: User, bob: User, charlie: User) -> None:
    """Books, a private club with its reading list, and reviews: enough for full pages."""
    books = [Book.create_book(by=None, title=f"Title {n}", authors=["Author"]) for n in range(30)]
    club = Club.create_club(by=alice, name="Private", visibility=Visibility.PRIVATE)
    bring_in(club, bob)
    # Not the first ones, of which W5 writes reviews: as of most books, no club of the author lists them.
    for book in books[12:24]:
        Entry.add_entry(club=club, book=book, by=alice)
    for author in (alice, charlie):
        for n, book in enumerate(books):
            Review.create_review(book=book, by=author, rating=8, created_at=now() - timedelta(hours=n))


def test_workloads_take_no_more_than_their_budget(data: None) -> None:
    database = connection.settings_dict
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    host = f"{database['USER']}{password}@{database['HOST']}:{database['PORT'] or 3306}"
    environment = {**os.environ, "DATABASE_URL": f"mysql://{host}/{database['NAME']}", "ALLOWED_HOSTS": "localhost"}
    command = [sys.executable, "benchmarks/request_costs.py", "--check"]
    result = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
