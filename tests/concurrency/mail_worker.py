"""A worker of the product's own jobs in a process of its own, a little slow, for the tests to kill."""

import time

import django

django.setup()

from django.core.mail.backends import filebased  # noqa: E402

from bookbridge.api.tasks.decorators import periodic_tasks  # noqa: E402
from bookbridge.api.tasks.worker import Worker  # noqa: E402
from clubs import tasks  # noqa: E402

tasks.PART = 7
send, notify = filebased.EmailBackend.write_message, tasks.notify


def slowly(self: filebased.EmailBackend, message: object) -> None:
    """Send, as over a network."""
    time.sleep(0.005)
    send(self, message)


def notify_slowly(*args: object, **kwargs: object) -> None:
    """Tell, with time enough to be killed before the commit."""
    notify(*args, **kwargs)
    time.sleep(0.05)


filebased.EmailBackend.write_message = slowly
tasks.notify = notify_slowly
periodic_tasks.clear()

if __name__ == "__main__":
    Worker(poll_interval=0.1).run()
