import pytest
from django.core.management import CommandError, call_command

from accounts.management.commands.changepassword import Command
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "another good secret"


def test_changepassword_revokes_all_sessions(alice, bob, client_of, anonymous, monkeypatch):
    monkeypatch.setattr(Command, "_get_pass", lambda self, prompt="": NEW)
    signed_in, other = client_of(alice), client_of(bob)
    call_command("changepassword", "alice", verbosity=0)
    assert signed_in.get("/api/v1/users/me/").status_code == 401
    assert other.get("/api/v1/users/me/").status_code == 200
    for password, status in ((PASSWORD, 401), (NEW, 200)):
        body = {"username": "alice", "password": password}
        assert anonymous.post("/api/v1/auth/login/", body).status_code == status


def test_changepassword_requires_username(db):
    with pytest.raises(CommandError, match="Enter the username"):
        call_command("changepassword")
