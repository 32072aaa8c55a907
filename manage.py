#!/usr/bin/env python
"""Django's command line for BookBridge."""

import os
import sys


def main() -> None:
    """Run a management command. DEBUG is on unless the environment turns it off."""
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

        # Other database errors keep their traceback.
        if not is_connection_error(error):
            raise
        sys.exit(f"manage.py: DATABASE_URL: the database cannot be reached: {error.args[-1]}")


if __name__ == "__main__":
    main()
