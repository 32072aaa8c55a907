"""An app that only reads changes and single objects has the same state as the server."""

import os

import pytest

from core.api import throttling
from tests.clubs.walk import App, Walk, server_state

pytestmark = pytest.mark.django_db
# script/test-databases does all of them.
OPERATIONS = int(os.environ.get("WALK_OPERATIONS", "200"))


@pytest.fixture(autouse=True)
def unlimited(settings, rate):
    for scope in settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]:
        rate(scope, 10**9)


def assert_same(app, note):
    expected = server_state(app.client, app.user)
    missing, extra = expected.keys() - app.objects.keys(), app.objects.keys() - expected.keys()
    assert (missing, extra) == (set(), set()), (note, app.user.username)
    for key, body in expected.items():
        assert app.objects[key] == body, (note, key, app.user.username)


@pytest.mark.parametrize("seed", [1])
def test_app_has_the_state_of_the_server(alice, bob, moe, charlie, mallory, seed):
    users = [alice, bob, moe, charlie, mallory]
    walk, apps = Walk(users, seed), [App(user) for user in users]
    for n in range(OPERATIONS):
        walk.step()
        throttling.memory.clear()
        if n % 5 == 0:
            app = walk.random.choice(apps)
            app.sync(page_size=walk.random.choice([1, 3, 20, 100]))
            if n % 50 == 0:
                assert_same(app, n)
    for app in apps:
        app.sync()
        assert_same(app, "end")
        fresh = App(app.user)
        fresh.sync(page_size=7)
        assert_same(fresh, "fresh")
