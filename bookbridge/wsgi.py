"""The WSGI application. DEBUG is off under an application server unless it is set."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
# An unresponsive database server must not block a thread forever; commands (migrations, imports) have no such limit.
os.environ.setdefault("DB_TIMEOUT", "10")

application = get_wsgi_application()
