"""A slow task worker in a process of its own, for tests that kill it."""

import time

import django

django.setup()

from django.core.mail.backends import filebased  # noqa: E402

from bookbridge.api import jobs  # noqa: E402
from clubs import telling  # noqa: E402

telling.PART = 7
send, notify = filebased.EmailBackend.write_message, telling.notify


def send_slowly(self: filebased.EmailBackend, message: object) -> None:
    time.sleep(0.005)
    send(self, message)


def notify_slowly(*args: object, **kwargs: object) -> None:
    """Notify, with time to be killed before the commit."""
    notify(*args, **kwargs)
    time.sleep(0.05)


filebased.EmailBackend.write_message = send_slowly
telling.notify = notify_slowly
for name in [name for name, handler in jobs.handlers.items() if handler.every]:
    del jobs.handlers[name]

if __name__ == "__main__":
    jobs.Worker(pause=0.1).run()
