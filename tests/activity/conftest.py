"""Fixtures of the tests of events and notifications."""

from tests.activity.push_fixtures import apns_service, fcm_service, push_settings, service  # noqa: F401
