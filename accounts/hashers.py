"""Password hashing."""

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

# The threads of a process would need 19 MiB each, and hashing more at once than there are cores takes longer.
_hash_lock = threading.Lock()


class TunedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with OWASP's second recommended configuration: 19 MiB, two passes, one lane.

    Django's default uses 100 MiB and eight lanes per sign-in, so a few simultaneous sign-ins would exhaust a small
    server. A process computes one hash at a time.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Hash the password; wait while another thread computes a hash."""
        with _hash_lock:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Check the password; wait while another thread computes a hash."""
        with _hash_lock:
            return super().verify(password, encoded)
