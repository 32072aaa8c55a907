"""Every page of the staff's room with the demo in it, light in English and dark in Portuguese: none is too wide.

Each leaves a screenshot, to be looked at.
"""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PASSWORD, SCREENSHOTS, STAFF, come_in
from tests.server import running_server

WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Page]:
    """A page of a superuser, at a server as it is at the first start."""
    superuser = ["createsuperuser", "--noinput", "--username", STAFF]
    home = tmp_path_factory.mktemp("demo")
    prepare = [["load_demo"], ["seed_demo"], superuser]
    with running_server(home, *prepare, DJANGO_SUPERUSER_PASSWORD=PASSWORD) as address:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address)
        page = context.new_page()
        come_in(page, STAFF)
        yield page
        context.close()


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("pt-BR", "dark")])
def test_each_page_keeps_within_its_width(demo: Page, language: str, scheme: str):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    demo.set_extra_http_headers({"Accept-Language": language})
    demo.emulate_media(color_scheme=scheme)
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
            demo.screenshot(path=SCREENSHOTS / f"every {model._meta.model_name} {name} {language}.png")
            needed, there = demo.evaluate(WIDTHS)
            if needed > there:
                wide[demo.url] = (needed, there)
    assert wide == {}
    assert seen > 35
