import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(monkeypatch):
    def set_superuser(username):
        monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", username)
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "um-bom-segredo-7")

    return set_superuser


@pytest.mark.parametrize("name", ["Boss", "admin"])
def test_createsuperuser_from_environment(environment, post, name):
    # Names are reserved for staff, so staff may have them.
    environment(name)
    call_command("createsuperuser", interactive=False, stdout=io.StringIO())
    user = User.objects.get()
    assert (user.username, user.username_key, user.is_staff, user.is_superuser) == (name, name.lower(), True, True)
    assert post("login", username=name.upper(), password="um-bom-segredo-7").json()["user"]["is_staff"] is True


@pytest.mark.parametrize("name", ["boss", "BOSS"])
def test_createsuperuser_with_taken_username_fails(environment, make_user, name):
    make_user("Boss")
    environment(name)
    with pytest.raises(CommandError, match="taken"):
        call_command("createsuperuser", interactive=False)


def test_createsuperuser_with_invalid_username_fails(environment):
    environment("the boss")
    with pytest.raises(CommandError, match="3 to 30"):
        call_command("createsuperuser", interactive=False)


def test_cleanup_reports_zero_when_nothing_expired(capsys):
    call_command("prune_expired")
    kinds = {"sessions", "e-mail tokens", "idempotency records", "tasks", "interrupted account deletions"}
    assert {f"{kind}: 0 deleted" for kind in kinds} <= set(capsys.readouterr().out.splitlines())
