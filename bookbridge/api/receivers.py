"""What this package does on signals of Django."""

from django.db.models.signals import post_migrate

from bookbridge.api.search import mend_indexes

post_migrate.connect(mend_indexes, dispatch_uid="mend_search_indexes")
