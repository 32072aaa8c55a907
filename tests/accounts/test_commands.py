"""`manage.py` about accounts."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(monkeypatch):
    def set_it(username):
        monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", username)
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "um-bom-segredo-7")

    return set_it


@pytest.mark.parametrize("name", ["Boss", "admin"])
def test_the_first_of_the_staff_from_the_environment(environment, post, name):
    """A reserved name is kept for the staff, not from them."""
    environment(name)
    call_command("createsuperuser", interactive=False, stdout=io.StringIO())
    user = User.objects.get()
    assert (user.username, user.username_key, user.is_staff, user.is_superuser) == (name, name.lower(), True, True)
    assert post("login", username=name.upper(), password="um-bom-segredo-7").json()["user"]["is_staff"] is True


@pytest.mark.parametrize("name", ["boss", "BOSS"])
def test_a_taken_name_is_refused_without_a_traceback(environment, make_user, name):
    make_user("Boss")
    environment(name)
    with pytest.raises(CommandError, match="taken"):
        call_command("createsuperuser", interactive=False)


def test_what_is_no_name_is_refused(environment):
    environment("the boss")
    with pytest.raises(CommandError, match="3 to 30"):
        call_command("createsuperuser", interactive=False)


def test_clearing_is_quiet_when_there_is_nothing(capsys):
    call_command("clear_expired")
    kinds = {"sign-ins", "mailed tokens", "idempotency records", "tasks", "accounts that were cut off while they went"}
    assert {f"{kind}: 0 deleted" for kind in kinds} <= set(capsys.readouterr().out.splitlines())
