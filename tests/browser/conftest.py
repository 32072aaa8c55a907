"""A real server in development mode, as `script/server` starts it, and a real browser in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

TOP = Path(__file__).resolve().parents[2]
SCREENSHOTS = TOP / "var" / "screenshots"
STAFF, PASSWORD = "moderata", "a-long-enough-secret"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with demo data and one superuser."""
    home = tmp_path_factory.mktemp("site")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "JWT_PRIVATE_KEY", "ALLOWED_HOSTS")
    env = {name: value for name, value in os.environ.items() if name not in settings}
    env |= {"DEBUG": "on", "PORT": str(port), "DATABASE_URL": f"sqlite:///{home}/db.sqlite3", "LOG_DIR": str(home)}
    env |= {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    manage = [sys.executable, "manage.py"]
    for command in (["migrate", "-v0"], ["load_demo"], ["createsuperuser", "--noinput", "--username", STAFF]):
        subprocess.run([*manage, *command], env=env, cwd=TOP, check=True, capture_output=True)
    gunicorn = Path(sys.executable).with_name("gunicorn")
    server = subprocess.Popen([gunicorn, "--config", "bookbridge/gunicorn.py"], env=env, cwd=TOP)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def wait_for(url: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


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
