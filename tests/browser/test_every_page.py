"""No admin page with demo data overflows the window or clips a value, in both languages, on a desktop and on a phone.

Each page saves a screenshot for review.
"""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PASSWORD, SCREENSHOTS, STAFF, first_login
from tests.server import running_server

# Cells of a list whose text is higher than the cell.
CLIPPED = """[...document.querySelectorAll('#result_list :is(th, td)')]
    .filter(cell => cell.scrollHeight > cell.clientHeight + 1).map(cell => cell.innerText)"""
WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Page]:
    """A superuser's page of a server with demo data, as after the first start."""
    superuser = ["createsuperuser", "--noinput", "--username", STAFF]
    home = tmp_path_factory.mktemp("demo")
    prepare = [["load_demo"], ["seed_demo"], superuser]
    with running_server(home, *prepare, DJANGO_SUPERUSER_PASSWORD=PASSWORD) as address:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address)
        page = context.new_page()
        first_login(page, STAFF)
        yield page
        context.close()


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1280), ("pt-BR", "dark", 1280), ("en", "dark", 390), ("pt-BR", "light", 390)],
)
def test_pages_fit_the_window(demo: Page, language: str, scheme: str, width: int):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    demo.set_extra_http_headers({"Accept-Language": language})
    demo.emulate_media(color_scheme=scheme)
    demo.set_viewport_size({"width": width, "height": 900})
    wide, seen = {}, 0
    for model in admin.site._registry:
        listed = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for name, path in (("list", listed), ("page", None)):
            if path is None:
                links = demo.locator("#result_list tbody a")
                if not links.count():
                    continue
                links.first.click()
                demo.wait_for_url("**/change/**")
            else:
                assert demo.goto(path).status == 200
            seen += 1
            demo.screenshot(path=SCREENSHOTS / f"every {model._meta.model_name} {name} {language} {width}.png")
            assert demo.evaluate(CLIPPED) == [], demo.url
            needed, available = demo.evaluate(WIDTHS)
            if needed > available:
                wide[demo.url] = (needed, available)
    assert wide == {}
    assert seen > 35
