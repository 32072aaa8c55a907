from tests.clubs.conftest import club, make_club, private_club  # noqa: F401
