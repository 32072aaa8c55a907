"""Routes of the catalogue, below `/api/v1/`."""

from typing import Any

urlpatterns: list[Any] = []
