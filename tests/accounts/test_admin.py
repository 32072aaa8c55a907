import datetime

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.deletion import deactivate
from accounts.models import AuthSession, ReviewsOnDeletion, User
from tests.accounts.conftest import is_accepted
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
NEW = "a new horse battery"


def form_of(user, **changes):
    page = {
        "username": user.username,
        "display_name": user.display_name,
        "bio": user.bio,
        "language": user.language,
        "timezone": user.timezone,
        "email": user.email,
    }
    flags = {name: "on" for name in ("email_verified", "is_active", "is_staff", "is_superuser") if getattr(user, name)}
    return {name: value for name, value in (page | flags | changes).items() if value is not None}


def errors(response):
    assert response.status_code == 200
    return response.context["adminform"].form.errors.as_data()


def change_page(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def test_suspended_staff_user_loses_access_at_once(as_staff, staff):
    assert as_staff.get(USERS).status_code == 200
    User.objects.filter(pk=staff.pk).update(suspended_until=timezone.now() + datetime.timedelta(days=1))
    assert as_staff.get(USERS).status_code == 302
    response = Client().post("/admin/login/", {"username": "staffer", "password": PASSWORD})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("end_sessions", "Sessões encerradas: 1."),
        ("lift_suspensions", "Suspensões encerradas: 0."),
        ("reset_two_factor", "Contas com a autenticação em dois fatores redefinida: 0."),
        ("remove_avatars", "Os avatares foram removidos."),
    ],
)
def test_actions_report_their_result_in_portuguese(as_staff, alice, sign_in, action, text):
    sign_in("alice")
    body = {"action": action, "_selected_action": [alice.pk]}
    page = as_staff.post(USERS, body, follow=True, HTTP_ACCEPT_LANGUAGE="pt-BR")
    assert text in page.content.decode()


def test_api_token_does_not_open_admin(staff, client_of):
    assert client_of(staff).get(USERS).status_code == 302


def test_pages_render_without_secrets(as_staff, alice, sign_in):
    sign_in("alice")
    session = AuthSession.objects.get()
    for path in (
        "/admin/",
        USERS,
        f"{USERS}?q=ali",
        f"{USERS}?q=alice@",
        f"{USERS}?q=%2B%28%22*",
        f"{USERS}?is_staff__exact=1&is_active__exact=1&email_verified__exact=0&language__exact=pt-BR",
        f"{USERS}add/",
        change_page(alice),
        f"{USERS}{alice.pk}/password/",
        f"{USERS}{alice.pk}/history/",
        f"{USERS}{alice.pk}/delete/",
        "/admin/accounts/authsession/",
        "/admin/accounts/authsession/?q=ali",
        "/admin/accounts/authsession/?ended_at__isempty=1",
        f"/admin/accounts/authsession/{session.pk}/change/",
        "/admin/password_change/",
    ):
        response = as_staff.get(path)
        assert response.status_code == 200, path
        page = response.content.decode()
        assert session.jti not in page
        assert alice.password.rpartition("$")[2] not in page
        assert "token" not in page.lower().replace("csrfmiddlewaretoken", "").replace("csrftoken", "").replace(
            "csrf_token", ""
        ), path


@pytest.mark.django_db(transaction=True)  # InnoDB's full-text index sees rows after their commit
def test_users_search_by_name_or_address(as_staff, alice, bob):
    for text, usernames in [
        ("ali", {"alice"}),
        ("ALICE", {"alice"}),
        ("alice@ex", {"alice"}),
        ("lice", set()),
        ("@", set()),
        ("bób bo", {"bob"}),
        ("%", set()),
        ("", {"alice", "bob", "staffer"}),
    ]:
        response = as_staff.get(USERS, {"q": text})
        assert {user.username for user in response.context["cl"].result_list} == usernames, text


@pytest.mark.parametrize(("page", "status"), [("1", 200), ("2", 404), ("0", 404), ("x", 404)])
def test_site_search_rejects_invalid_pages(as_staff, page, status):
    assert as_staff.get(f"/admin/search/?s=a&page={page}").status_code == status


def test_add_user(as_staff, sign_in):
    body = {"username": "Dora", "password1": NEW, "password2": NEW, "usable_password": "true"}
    response = as_staff.post(f"{USERS}add/", body)
    assert response.status_code == 302, errors(response)
    dora = User.objects.get(username="Dora")
    assert (dora.username_key, dora.display_name, dora.search_text) == ("dora", "Dora", "qqdora")
    assert sign_in("DORA", NEW)


@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE"])
def test_taken_username_is_a_form_error(as_staff, alice, bob, name):
    body = {"username": name, "password1": NEW, "password2": NEW, "usable_password": "true"}
    assert "username" in errors(as_staff.post(f"{USERS}add/", body))
    assert "username" in errors(as_staff.post(change_page(bob), form_of(bob, username=name)))
    assert User.objects.filter(username_key="alice").count() == 1


@pytest.mark.parametrize("name", ["", "a b", "josé", "x" * 31, "ab", "a\x00c"])
def test_invalid_username_is_a_form_error(as_staff, bob, name):
    assert "username" in errors(as_staff.post(change_page(bob), form_of(bob, username=name)))


def test_staff_may_set_reserved_username(as_staff, bob):
    assert as_staff.post(change_page(bob), form_of(bob, username="Moderators")).status_code == 302
    bob.refresh_from_db()
    assert bob.username_key == "moderators"


def test_change_updates_derived_fields(as_staff, alice, post, sign_in):
    response = as_staff.post(change_page(alice), form_of(alice, email="New@Example.org", display_name="Rosa"))
    assert response.status_code == 302, errors(response)
    alice.refresh_from_db()
    assert (alice.email_key, alice.verified_email_key) == ("new@example.org", "new@example.org")
    assert sign_in("new@example.org")
    assert post("login", username="alice@example.org", password=PASSWORD).status_code == 401
    assert alice.search_text == "qqalice qqrosa"


def test_taken_verified_address_is_a_form_error(as_staff, alice, bob):
    claim = form_of(bob, email="ALICE@example.org")
    # Several users may have the same unverified address.
    assert as_staff.post(change_page(bob), claim).status_code == 302
    assert "email" in errors(as_staff.post(change_page(bob), claim | {"email_verified": "on"}))
    long = "a@" + "ﷺ" * 60 + ".org"
    assert as_staff.post(change_page(bob), form_of(bob, email=long)).status_code == 200


def test_change_saves_only_changed_fields(as_staff, alice, monkeypatch):
    clean = User.clean

    def clean_after_update(self):
        User.objects.filter(pk=self.pk).update(reviews_count=7)
        clean(self)

    monkeypatch.setattr(User, "clean", clean_after_update)
    assert as_staff.post(change_page(alice), form_of(alice, bio="Read by staff.")).status_code == 302
    alice.refresh_from_db()
    assert (alice.bio, alice.reviews_count) == ("Read by staff.", 7)
    assert alice.check_password(PASSWORD)


def test_deactivate_and_reactivate(as_staff, alice, sign_in):
    access = sign_in("alice")["access"]
    assert as_staff.post(change_page(alice), form_of(alice, is_active=None)).status_code == 302
    assert not is_accepted(access)
    alice.refresh_from_db()
    assert as_staff.post(change_page(alice), form_of(alice, is_active="on")).status_code == 302
    assert is_accepted(access)


def test_deactivation_while_the_account_is_being_deleted_counts_once(as_staff, alice, monkeypatch):
    clean = User.clean

    def clean_after_deactivation(self):
        deactivate(self, reviews=ReviewsOnDeletion.ANONYMIZE)
        clean(self)

    monkeypatch.setattr(User, "clean", clean_after_deactivation)
    assert as_staff.post(change_page(alice), form_of(alice, is_active=None)).status_code == 302
    call_command("verify_counters")


def test_suspension_date_is_read_only(as_staff, alice):
    until = {"suspended_until_0": "2099-01-01", "suspended_until_1": "00:00:00"}
    assert as_staff.post(change_page(alice), form_of(alice, **until)).status_code == 302
    alice.refresh_from_db()
    assert alice.suspended_until is None


def test_action_lifts_suspensions(as_staff, alice, bob, sign_in):
    alice.suspend(timezone.now() + datetime.timedelta(days=7), by=None)
    chosen = {"action": "lift_suspensions", "_selected_action": [alice.pk, bob.pk]}
    assert "Suspensions lifted: 1." in as_staff.post(USERS, chosen, follow=True).content.decode()
    assert is_accepted(sign_in("alice")["access"])


def test_password_change_revokes_all_sessions(as_staff, alice, bob, sign_in):
    own, bobs = sign_in("alice"), sign_in("bob")
    body = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert as_staff.post(f"{USERS}{alice.pk}/password/", body).status_code == 302
    assert not is_accepted(own["access"])
    assert is_accepted(bobs["access"])
    own = sign_in("alice", NEW)
    # Disabling the password does too.
    assert (
        as_staff.post(f"{USERS}{alice.pk}/password/", {"usable_password": "false", "unset-password": "1"}).status_code
        == 302
    )
    assert not is_accepted(own["access"])


def test_staff_change_own_password(as_staff, staff, sign_in):
    own = sign_in("staffer")
    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert as_staff.post("/admin/password_change/", body).status_code == 302
    assert not is_accepted(own["access"])
    assert sign_in("staffer", NEW)
    assert as_staff.get(USERS).status_code == 200


def test_pages_link_to_password_and_two_factor(as_staff):
    page = as_staff.get(USERS).content.decode()
    for url in ("/admin/password_change/", "/admin/two-factor/"):
        assert f'href="{url}"' in page, url


def test_action_revokes_all_sessions_of_a_user(as_staff, alice, bob, sign_in):
    tokens = [sign_in("alice")["access"], sign_in("alice")["access"]]
    bobs = sign_in("bob")["access"]
    response = as_staff.post(USERS, {"action": "end_sessions", "_selected_action": [alice.pk]}, follow=True)
    assert "Sessions revoked: 2." in response.content.decode()
    assert [is_accepted(token) for token in (*tokens, bobs)] == [False, False, True]


def test_sessions_can_only_be_revoked(as_staff, alice, sign_in):
    access = sign_in("alice")["access"]
    session = AuthSession.objects.get()
    sessions = "/admin/accounts/authsession/"
    assert as_staff.get(f"{sessions}add/").status_code == 403
    assert as_staff.post(f"{sessions}{session.pk}/change/", {"device": "x"}).status_code == 403
    assert as_staff.post(f"{sessions}{session.pk}/delete/", {"post": "yes"}).status_code == 403
    assert is_accepted(access)
    response = as_staff.post(sessions, {"action": "end", "_selected_action": [session.pk]}, follow=True)
    assert "Sessions revoked: 1." in response.content.decode()
    assert not is_accepted(access)


def test_staff_without_permission_get_403(make_user):
    helper = make_user("helper", is_staff=True)
    client = Client()
    client.force_login(helper)
    assert client.get("/admin/").status_code == 200
    for path in (USERS, "/admin/accounts/authsession/"):
        assert client.get(path).status_code == 403


def test_list_query_count_is_constant(as_staff, django_assert_max_num_queries, make_user, sign_in):
    for n in range(30):
        make_user(f"reader{n}")
        sign_in(f"reader{n}")
    for path in (USERS, "/admin/accounts/authsession/"):
        # Session and user; two counts of the search; the rows; queries of the theme.
        with django_assert_max_num_queries(10):
            as_staff.get(path)


def test_pages_are_fully_translated(as_staff, alice):
    as_staff.post(f"{USERS}{alice.pk}/change/", form_of(alice, is_staff="on", display_name="Alice A."))
    portuguese = {"headers": {"accept-language": "pt-BR"}}
    page = as_staff.get(f"{USERS}{alice.pk}/change/", **portuguese).content.decode()
    for shown in (
        "Definir senha",
        "Português (Brasil)",
        "Moderadores",
        "Editores de confiança",
    ):
        assert shown in page, shown
    for english in ("Raw passwords", "Catalog editors"):
        assert english not in page, english
    assert "Editores do catálogo" in as_staff.get("/admin/auth/group/", **portuguese).content.decode()
    history = as_staff.get(f"{USERS}{alice.pk}/history/", **portuguese).content.decode()
    assert "Alterado Nome de exibição e Da equipe." in history
    usernames = as_staff.get("/admin/search/?extended=1&s=leitores", **portuguese).content.decode()
    assert "1 resultado em" in " ".join(usernames.split())
