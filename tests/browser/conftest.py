"""A real server in development mode, as `script/server` starts it, and a real browser in front of it."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.server import TOP, running_server

SCREENSHOTS = TOP / "var" / "screenshots"
STAFF, PASSWORD = "moderata", "a-long-enough-secret"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with demo data and one superuser."""
    superuser = ["createsuperuser", "--noinput", "--username", STAFF]
    home = tmp_path_factory.mktemp("site")
    with running_server(home, ["load_demo"], superuser, DJANGO_SUPERUSER_PASSWORD=PASSWORD) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that may ask this server alone; whatever else it asks for, or an error in its console, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=site)
    page = context.new_page()
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("response", lambda r: broken.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png")
    context.close()
    outside = [url for url in asked if not url.startswith((site, "data:", "blob:"))]
    assert not outside
    assert not broken


@pytest.fixture
def admin(page: Page) -> Page:
    """The page, signed in to the admin."""
    page.goto("/admin/")
    page.fill("input[name=username]", STAFF.upper())
    page.fill("input[name=password]", PASSWORD)
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    return page
