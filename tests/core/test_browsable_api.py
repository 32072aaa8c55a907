"""The browsable API of development: signing in with a session, and CSRF."""

import re

import httpx
import pytest

from tests.server import running_server

PASSWORD = "um-bom-segredo"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    home = tmp_path_factory.mktemp("site")
    with running_server(home, ["seed_demo", "--password", PASSWORD]) as url:
        yield url


@pytest.fixture
def browser(site):
    with httpx.Client(base_url=site, headers={"Accept": "text/html"}, follow_redirects=True) as client:
        yield client


def sign_in(browser: httpx.Client) -> httpx.Response:
    page = browser.get("/api-auth/login/?next=/api/v1/users/me/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    form = {"username": "ana.ribeiro", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    return browser.post("/api-auth/login/?next=/api/v1/users/me/", data=form)


def test_user_signs_in_to_the_browsable_api(browser):
    assert "/api-auth/login/?next=/api/v1/books/" in browser.get("/api/v1/books/").text
    assert browser.get("/api/v1/users/me/").status_code == 401
    page = sign_in(browser)
    assert page.status_code == 200
    assert "&quot;username&quot;: &quot;ana.ribeiro&quot;" in page.text
    assert browser.get("/api/v1/clubs/?mine=true").status_code in (200, 400)


def test_session_alone_does_not_write(browser):
    sign_in(browser)
    response = browser.patch("/api/v1/users/me/", json={"bio": "x"})
    assert response.status_code == 403
    written = browser.patch(
        "/api/v1/users/me/", json={"bio": "Leio."}, headers={"X-CSRFToken": browser.cookies["csrftoken"]}
    )
    assert written.status_code == 200
    # A device belongs to the sign-in of an app.
    device = browser.post(
        "/api/v1/users/me/devices/",
        json={"kind": "fcm", "token": "x", "name": "x"},
        headers={"X-CSRFToken": browser.cookies["csrftoken"]},
    )
    assert device.status_code in (400, 401)


def test_document_knows_tokens_only(site):
    assert list(httpx.get(f"{site}/api/v1/schema/?format=json").json()["components"]["securitySchemes"]) == ["bearer"]
