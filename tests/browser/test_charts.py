"""Charts in the admin; each test leaves its screenshot in var/screenshots/."""

import json
import urllib.request

import pytest
from playwright.sync_api import Locator, Page, expect


def call(site: str, method: str, path: str, body: object = None, token: str = "") -> dict:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{site}/api/v1/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text else {}


@pytest.fixture(scope="module")
def club(site: str) -> int:
    """Return the id of a club of five users who have rated four books."""
    tokens = []
    for n in range(5):
        body = {"username": f"chartreader{n}", "password": "a-long-enough-secret"}
        tokens.append(call(site, "POST", "auth/register/", body)["access"])
    club = call(site, "POST", "clubs/", {"name": "Readers of charts"}, tokens[0])["id"]
    for token in tokens[1:]:
        call(site, "POST", f"clubs/{club}/join/", {}, token)
    books = call(site, "GET", "books/?page_size=4")["results"]
    for number, book in enumerate(books):
        body = {"book": book["id"], "status": "finished" if number < 3 else "reading"}
        call(site, "POST", f"clubs/{club}/books/", body, tokens[0])
        for n, token in enumerate(tokens):
            call(site, "POST", "reviews/", {"book": book["id"], "rating": (number + 2 * n) % 10 / 2 + 0.5}, token)
    return club


def charts(page: Page) -> dict[str, list[str]]:
    """Return the title of each chart with its values except 0."""
    found = {}
    for figure in page.locator("#charts figure").all():
        values = figure.locator("td").all_text_contents()
        found[figure.locator("figcaption").inner_text()] = [value for value in values if value != "0"]
    return found


def has_pixels(canvas: Locator) -> bool:
    """Return whether Chart.js has drawn colored bars."""
    colored = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value, n) => n % 4 === 0 && data[n + 3] === 255 && Math.abs(value - data[n + 1]) > 60);
    }"""
    return bool(canvas.evaluate(colored))


def test_index_page_shows_growth_reading_and_ratings(club: int, admin: Page, site: str):
    admin.reload()
    shown = charts(admin)
    # The tests of other files write to the same server, so the expected numbers come from it.
    stats = call(site, "GET", "stats/")
    assert stats["reviews"] >= 20
    assert shown["New readers"] == [str(stats["users"])]
    assert shown["New public clubs"] == [str(stats["clubs"])]
    assert shown["New public reviews"] == [str(stats["reviews"])]
    finished = round(stats["mean_books_finished_per_club"] * stats["clubs"])
    assert shown["Books finished by public clubs"] == [str(finished)]
    assert finished >= 3
    assert sum(map(int, shown["Public ratings"])) == sum(stats["rating_histogram"].values())
    canvas = admin.locator("#charts figure", has_text="New public reviews").locator("canvas")
    expect(canvas).to_be_visible()
    assert canvas.bounding_box()["height"] > 50
    assert has_pixels(canvas)
    # The charts come from the server itself.
    expect(admin.locator("#charts script, #charts iframe, #charts img")).to_have_count(0)


def test_club_page_shows_charts(club: int, admin: Page):
    admin.goto(f"/admin/clubs/club/{club}/change/")
    shown = charts(admin)
    assert shown["Members by month of joining"] == ["5"]
    assert shown["Books finished"] == ["3"]
    assert sum(map(int, shown["Members’ public ratings of the books on the list"])) == 20
    expect(admin.locator("input[name=name]")).to_have_value("Readers of charts")


def test_charts_in_portuguese_and_dark_mode(club: int, admin: Page):
    admin.set_extra_http_headers({"Accept-Language": "pt-BR"})
    admin.emulate_media(color_scheme="dark")
    admin.reload()
    assert len(charts(admin)) == 5
    assert has_pixels(admin.locator("#charts canvas").last)
