#!/usr/bin/env python
"""Django's command line for BookBridge."""

import os
import sys


def main() -> None:
    """Run a management command. By hand means in development: DEBUG is on unless the environment says otherwise."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
    os.environ.setdefault("DEBUG", "on")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"manage.py: {error}")
    except OperationalError as error:
        from bookbridge.env import is_connection_error

        # Whatever else goes wrong in the database is for a traceback to tell.
        if not is_connection_error(error):
            raise
        sys.exit(f"manage.py: DATABASE_URL: the database cannot be reached: {error.args[-1]}")


if __name__ == "__main__":
    main()
