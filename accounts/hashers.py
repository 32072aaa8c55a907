"""Password hashing."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class TunedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with OWASP's second recommended configuration: 19 MiB, two passes, one lane.

    Django's default uses 100 MiB and eight lanes per sign-in, so a few simultaneous sign-ins would exhaust a small
    server.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1
