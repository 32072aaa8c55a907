"""Pages for links in e-mails, invitations and calendars."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from clubs.models import Club, Invitation

pytestmark = pytest.mark.django_db

FINGERPRINT = ":".join(["0A"] * 32)


@pytest.mark.parametrize(
    "path", ["/invite?code=x", "/email/confirm?token=secret", "/password/reset?token=secret", "/clubs/7/meetings/8"]
)
def test_link_opens_a_page_without_secrets(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")
    assert {"private", "no-store"} <= set(response["Cache-Control"].replace(" ", "").split(","))
    assert (response["Referrer-Policy"], response["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert b"secret" not in response.content
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


def test_invitation_page_names_the_club(client: Client, private_club: Club, alice: User) -> None:
    private_club.update_club(by=alice, name="<b>Night</b> readers")
    invitation, code = Invitation.create_with_code(private_club, by=alice, expires_in_hours=1)
    page = client.get("/invite", {"code": code}).content.decode()
    assert "<h1>&lt;b&gt;Night&lt;/b&gt; readers</h1>" in page
    invitation.revoke(by=alice)
    assert "Night" not in client.get("/invite", {"code": code}).content.decode()


def test_page_is_translated(client: Client) -> None:
    page = client.get("/password/reset", headers={"Accept-Language": "pt-BR"}).content.decode()
    assert "<h1>Defina uma nova senha</h1>" in page


def test_page_leads_to_the_app_and_the_stores(client: Client, settings: Settings) -> None:
    settings.APP_URL = "https://read.example"
    settings.ANDROID_APP_IDS = [f"org.example.books={FINGERPRINT}"]
    settings.ANDROID_STORE_URL = "https://play.google.com/store/apps/details?id=org.example.books"
    settings.IOS_STORE_URL = "https://apps.apple.com/br/app/bookbridge/id123456789"
    page = client.get("/clubs/7/meetings/8?a=1&b=2").content.decode()
    intent = "intent://read.example/clubs/7/meetings/8?a=1&amp;b=2#Intent;scheme=https;package=org.example.books;end"
    assert f'<a href="{intent}">' in page
    assert 'content="app-id=123456789, app-argument=https://read.example/clubs/7/meetings/8?a=1&amp;b=2"' in page
    assert f'<a href="{settings.ANDROID_STORE_URL}">' in page
    page = client.get("/invite?code=x,app-id=666").content.decode()
    assert 'content="app-id=123456789, app-argument=https://read.example/invite?code=x%2Capp-id=666"' in page
    assert f'<a href="{settings.IOS_STORE_URL}">' in page


def test_files_for_the_apps_are_served_only_if_configured(client: Client, settings: Settings) -> None:
    apple, android = "/.well-known/apple-app-site-association", "/.well-known/assetlinks.json"
    assert [client.get(path).status_code for path in (apple, android)] == [404, 404]
    settings.IOS_APP_IDS = ["ABCDE12345.org.example.books"]
    settings.ANDROID_APP_IDS = [f"org.example.books={FINGERPRINT}", "org.example.books=0B", "org.example.beta=0C"]
    response = client.get(apple)
    assert response["Content-Type"] == "application/json"
    (details,) = response.json()["applinks"]["details"]
    assert details["appIDs"] == ["ABCDE12345.org.example.books"]
    assert {"/": "/invite"} in details["components"]
    statements: list[dict[str, Any]] = client.get(android).json()
    assert [statement["target"] for statement in statements] == [
        {
            "namespace": "android_app",
            "package_name": "org.example.books",
            "sha256_cert_fingerprints": [FINGERPRINT, "0B"],
        },
        {"namespace": "android_app", "package_name": "org.example.beta", "sha256_cert_fingerprints": ["0C"]},
    ]
