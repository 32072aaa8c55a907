"""What the tests of the log and of notifications share."""

from tests.clubs.conftest import as_alice, as_bob, as_charlie, as_moe, club, make_club, moe, private_club  # noqa: F401
