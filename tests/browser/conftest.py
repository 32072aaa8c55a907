"""Fixtures: a real development server, as `script/server` starts it, and a browser."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from accounts.roles import ROLES as STAFF_ROLES
from tests.server import TOP, running_server
from tests.staff import totp_code

SCREENSHOTS = TOP / "var" / "screenshots"
STAFF, ANOTHER, PASSWORD = "moderata", "andere", "a-long-enough-secret"
# Users by role, and further users of the same roles who have not logged in yet.
ROLE_USERS = dict(zip(STAFF_ROLES, ("rolemoderator", "roleeditor", "roleadministrator"), strict=True))
NEW_ROLE_USERS = dict(zip(STAFF_ROLES, ("newmoderator", "neweditor", "newadministrator"), strict=True))
CREATE_STAFF = f"""
from django.contrib.auth.models import Group
from accounts.models import User
for role, name in {[*ROLE_USERS.items(), *NEW_ROLE_USERS.items()]}:
    User.objects.create_user(name, {PASSWORD!r}, is_staff=True).groups.add(Group.objects.get(name=role))
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server with demo data, two superusers and two users of each role."""
    superuser = ["createsuperuser", "--noinput", "--username", STAFF]
    home = tmp_path_factory.mktemp("site")
    second = [*superuser[:-1], ANOTHER]
    prepare = [["load_demo"], superuser, second, ["shell", "-c", CREATE_STAFF]]
    with running_server(home, *prepare, DJANGO_SUPERUSER_PASSWORD=PASSWORD) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, site: str) -> Any:
    """Browser state after the superuser's first login and two-factor setup."""
    context = browser.new_context(base_url=site)
    first_login(context.new_page(), STAFF)
    state = context.storage_state()
    context.close()
    return state


def first_login(page: Page, username: str) -> str:
    """Log in to the admin for the first time, with two-factor setup. Return the secret."""
    page.goto("/admin/")
    page.fill("input[name=username]", username.upper())
    page.fill("input[name=password]", PASSWORD)
    page.click("[type=submit]")
    secret = page.inner_text("#secret")
    page.fill("input[name=code]", totp_code(secret))
    page.click("[type=submit]")
    page.click("#recovery-codes + a")
    page.wait_for_url("**/admin/")
    return secret


@pytest.fixture
def page(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that fails the test on requests to other servers, error responses and console errors."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=site)
    page = context.new_page()
    requested: list[str] = []
    errors: list[str] = []
    page.on("request", lambda r: requested.append(r.url))
    page.on("response", lambda r: errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png")
    context.close()
    outside = [url for url in requested if not url.startswith((site, "data:", "blob:"))]
    assert not outside
    assert not errors


@pytest.fixture
def admin(page: Page, signed_in: Any) -> Page:
    """The page, logged in to the admin."""
    page.context.add_cookies(signed_in["cookies"])
    page.goto("/admin/")
    return page
