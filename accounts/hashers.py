"""Password hashing."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id at OWASP's second recommended setting: 19 MiB, two passes, one lane.

    Django's default asks for 100 MiB and eight lanes a sign-in, which a handful of simultaneous sign-ins turns into
    an outage on a small server.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1
