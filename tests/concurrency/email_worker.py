"""A slow task worker in a process of its own, for tests that kill it."""

import time

import django

django.setup()

from django.core.mail.backends import filebased  # noqa: E402

from clubs import tasks  # noqa: E402
from core.tasks.decorators import periodic_tasks  # noqa: E402
from core.tasks.worker import Worker  # noqa: E402

tasks.BATCH_SIZE = 7
send, notify = filebased.EmailBackend.write_message, tasks.notify


def send_slowly(self: filebased.EmailBackend, message: object) -> None:
    time.sleep(0.005)
    send(self, message)


def notify_slowly(*args: object, **kwargs: object) -> None:
    """Notify, with time to be killed before the commit."""
    notify(*args, **kwargs)
    time.sleep(0.05)


filebased.EmailBackend.write_message = send_slowly
tasks.notify = notify_slowly
periodic_tasks.clear()

if __name__ == "__main__":
    Worker(poll_interval=0.1).run()
