"""What this package does on signals of Django."""

from django.db.models.signals import post_migrate

from core.search.lookups import repair_search_indexes

post_migrate.connect(repair_search_indexes, dispatch_uid="mend_search_indexes")
