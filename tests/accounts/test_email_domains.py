"""An internationalized domain is the same in Unicode and in A-labels: one mailbox, one verified account."""

import importlib
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import User
from core.search.normalize import normalize_identifier
from tests.accounts.conftest import V1, codes, token_in
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("immediate_emails")]

NEW = "a new horse battery"
# Spellings of one mailbox.
MAILBOXES = [
    ("x@bücher.example", "x@xn--bcher-kva.example"),
    ("x@xn--bcher-kva.example", "X@BÜCHER.Example"),
    ("x@bu\u0308cher.example", "x@XN--BCHER-KVA.example"),
    ("x@例え.jp", "x@xn--r8jz45g.jp"),
    ("x@livros.açaí.com.br", "x@livros.xn--aa-4iaz.com.br"),
    ("x@straße.example", "x@xn--strae-oqa.example"),
]


def register(post, mailoutbox, username, email):
    """Register, and confirm the address if a link was sent to it."""
    mailoutbox.clear()
    assert post("register", username=username, password=NEW, email=email).status_code == 201
    [message] = mailoutbox
    return post("email/verify/confirm", token=token_in(message)) if "?token=" in message.body else None


@pytest.mark.parametrize(("first", "second"), MAILBOXES)
def test_one_mailbox_has_one_verified_account(post, mailoutbox, first, second):
    assert register(post, mailoutbox, "dora", first).status_code == 204
    # The owner is warned, the other one gets no link.
    assert register(post, mailoutbox, "mallory", second) is None
    assert User.objects.filter(email_verified=True).count() == 1
    for name in (first, second):
        assert post("login", username=name, password=NEW).json()["user"]["username"] == "dora"


@pytest.mark.parametrize(
    "email",
    [
        '"x"@example.org',
        '"x\\.y"@example.org',
        "x@[127.0.0.1]",
        "x@[IPv6:::1]",
        "é@example.org",
        # Equal to ASCII letters if case is ignored.
        "\u0130hsan@example.org",
        "\u0131hsan@example.org",
        "ki\u017fs@example.org",
        "\u212aim@example.org",
    ],
)
def test_other_form_of_a_mailbox_is_rejected(post, client_of, alice, email):
    """Mail to it would reach another account's mailbox, or nobody."""
    response = post("register", username="mallory", password=NEW, email=email)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "email")
    change = {"current_password": "correct horse battery", "email": email}
    assert client_of(alice).post("/api/v1/auth/email/change/", change).status_code == 400
    assert not User.objects.filter(username="mallory").exists()


@pytest.mark.parametrize(("first", "second"), MAILBOXES[:2])
def test_both_claims_of_a_mailbox_end_in_one_verified(post, mailoutbox, first, second):
    tokens = []
    for username, email in (("dora", first), ("mallory", second)):
        post("register", username=username, password=NEW, email=email)
        tokens.append(token_in(mailoutbox[-1]))
    assert post("email/verify/confirm", token=tokens[0]).status_code == 204
    taken = post("email/verify/confirm", token=tokens[1])
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")


def test_reset_link_is_sent_for_every_spelling(post, mailoutbox):
    register(post, mailoutbox, "dora", "x@bücher.example")
    mailoutbox.clear()
    assert post("password/reset", email="x@xn--bcher-kva.example").status_code == 202
    assert mailoutbox[0].to == ["x@xn--bcher-kva.example"]


def test_different_domains_stay_different(post, mailoutbox):
    """IDNA 2003, which Django uses for e-mails, and case folding would make these one domain."""
    for username, email, to in (
        ("dora", "x@straße.example", "x@xn--strae-oqa.example"),
        ("bento", "x@strasse.example", "x@strasse.example"),
    ):
        assert register(post, mailoutbox, username, email).status_code == 204
        assert mailoutbox[0].to == [to]
    assert User.objects.filter(email_verified=True).count() == 2


@pytest.mark.parametrize(
    "email",
    ["x@❤.example", "x@xn--a.example", "x@xn--bcher-kva-.example", "x@a\u0301\u0301ü\u2028.example", "x@ü" + "a" * 62],
)
def test_domain_that_idna_rejects_is_400(post, client_of, alice, email):
    assert codes(post("register", username="dora", password=NEW, email=email)) == {"email": {"invalid"}}
    assert codes(post("password/reset", email=email)) == {"email": {"invalid"}}
    body = {"email": email, "current_password": PASSWORD}
    assert codes(client_of(alice).post(f"{V1}auth/email/change/", body)) == {"email": {"invalid"}}
    # Nobody has it, so signing in with it fails as with any other address.
    assert post("login", username=email, password=NEW).status_code == 401


def test_plain_domain_keeps_its_form(post, mailoutbox):
    assert post("register", username="dora", password=NEW, email="Dora@r3---sn.Example.org").status_code == 201
    assert mailoutbox[0].to == ["Dora@r3---sn.Example.org"]
    assert User.objects.get().email_key == "dora@r3---sn.example.org"


def test_spellings_of_an_address_share_the_login_limit(post, rate):
    rate("login", 2)
    names = ["x@bücher.example", "x@xn--bcher-kva.example", "x@BÜCHER.example"]
    assert [post("login", username=name, password="guess").status_code for name in names] == [401, 401, 429]


def migrate_keys():
    migration = importlib.import_module("accounts.migrations.0003_email_keys")
    migration.recompute_email_keys(apps, SimpleNamespace(connection=connection))


@pytest.fixture
def as_before(make_user):
    """Create a user with the key of the former version."""

    def make(username, email, key, *, verified=True):
        user = make_user(username, email=email)
        User.objects.filter(pk=user.pk).update(email_key=key, email_verified=verified)
        return user

    return make


def test_migration_recomputes_the_keys(as_before):
    dora = as_before("dora", "x@Bücher.example", "x@bücher.example")
    bento = as_before("bento", "x@straße.example", "x@strasse.example", verified=False)
    ana = as_before("ana", "ana@example.org", "ana@example.org")
    migrate_keys()
    keys = {user.pk: user.email_key for user in User.objects.all()}
    assert keys[dora.pk] == "x@xn--bcher-kva.example"
    assert keys[bento.pk] == normalize_identifier(bento.email) == "x@xn--strae-oqa.example"
    assert keys[ana.pk] == "ana@example.org"
    assert User.objects.with_verified_email("x@xn--bcher-kva.example").get() == dora


@pytest.mark.parametrize("older_first", [True, False])
def test_migration_leaves_a_mailbox_to_its_oldest_account(as_before, older_first):
    spellings = [("x@bücher.example", "x@bücher.example"), ("x@xn--bcher-kva.example",) * 2]
    one, two = (
        as_before(name, *spelling)
        for name, spelling in zip(("one", "two"), spellings if older_first else reversed(spellings), strict=True)
    )
    three = as_before("three", "x@xn--bcher-kva.example", "x@xn--bcher-kva.example", verified=False)
    migrate_keys()
    assert [User.objects.get(pk=user.pk).email_verified for user in (one, two, three)] == [True, False, False]
    assert set(User.objects.values_list("email_key", flat=True)) == {"x@xn--bcher-kva.example"}
    migrate_keys()
    assert User.objects.with_verified_email("x@BÜCHER.example").get() == one
