"""Two-factor login of staff. Each step saves a screenshot in var/screenshots/."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ANOTHER, PASSWORD, SCREENSHOTS, STAFF
from tests.staff import totp_code


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_login_asks_for_code(signed_in, page: Page, language):
    page.set_extra_http_headers({"Accept-Language": language})
    page.goto("/admin/")
    page.fill("input[name=username]", STAFF)
    page.fill("input[name=password]", PASSWORD)
    page.click("[type=submit]")
    expect(page.locator("input[name=code]")).to_be_visible()
    expect(page.locator("input[name=username]")).to_have_value(STAFF)


def test_two_factor_settings(admin: Page):
    admin.goto("/admin/two-factor/")
    expect(admin.locator("#content")).to_contain_text("10 recovery codes are left")
    admin.fill("input[name=code]", "000000")
    admin.click("[name=renew]")
    expect(admin.locator("#content")).to_contain_text("wrong")


def test_first_login_sets_up_two_factor(page: Page):
    page.goto("/admin/")
    page.fill("input[name=username]", ANOTHER)
    page.fill("input[name=password]", PASSWORD)
    page.click("[type=submit]")
    expect(page.locator("#secret")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "enroll.png", full_page=True)
    page.fill("input[name=code]", totp_code(page.inner_text("#secret")))
    page.click("[type=submit]")
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    page.screenshot(path=SCREENSHOTS / "recovery_codes.png", full_page=True)
    page.click("#recovery-codes + a")
    page.wait_for_url("**/admin/")
