"""Admin menu of each role, and the audit log. Takes screenshots."""

import pytest
from playwright.sync_api import Page, expect

from accounts.roles import ROLES
from tests.browser.conftest import ROLE_USERS, SCREENSHOTS, first_login

# The entries that the menu must and must not have, for moderators, catalog editors and administrators.
MENUS = [
    (["cases", "users", "reviews"], ["tasks", "groups", "audit log", "sign-ins"]),
    (["books", "revisions"], ["users", "cases", "clubs", "audit log", "tasks"]),
    (["audit log", "tasks", "users", "groups", "cases", "books"], []),
]


@pytest.mark.parametrize(("role", "menu"), list(zip(ROLES, MENUS, strict=True)), ids=list(ROLES))
def test_menu_of_each_role(page: Page, role, menu):
    first_login(page, ROLE_USERS[role])
    shown = [text.strip().lower() for text in page.locator("#nav-sidebar a, nav a").all_inner_texts()]
    page.screenshot(path=SCREENSHOTS / f"role {role}.png", full_page=True)
    present, absent = menu
    assert set(present) <= set(shown)
    assert not set(absent) & set(shown)
    page.set_extra_http_headers({"Accept-Language": "pt-BR"})
    page.goto("/admin/")
    page.screenshot(path=SCREENSHOTS / f"role {role} pt.png", full_page=True)


def test_audit_log_is_shown_and_exported(admin: Page):
    admin.goto("/admin/core/auditentry/")
    expect(admin.locator("#result_list")).to_contain_text("staff.signed_in")
    with admin.expect_download() as download:
        admin.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename == "audit-log.csv"
    admin.screenshot(path=SCREENSHOTS / "audit log.png", full_page=True)
    admin.locator("#result_list tbody th a, #result_list tbody td a").first.click()
    expect(admin.locator("#content")).to_contain_text("127.0.0.1")
    admin.screenshot(path=SCREENSHOTS / "audit entry.png", full_page=True)
