"""Receivers of Django's signals."""

from django.db.models.signals import post_migrate

from core.search.indexes import repair_search_indexes

post_migrate.connect(repair_search_indexes, dispatch_uid="repair_search_indexes")
