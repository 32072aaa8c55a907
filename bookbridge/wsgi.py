"""The WSGI application. An application server means production: DEBUG stays off unless it is asked for."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
# A frozen database must not hold a thread for ever; commands (migrations, imports) may take their time.
os.environ.setdefault("DB_TIMEOUT", "10")

application = get_wsgi_application()
