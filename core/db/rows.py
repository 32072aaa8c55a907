"""Building model instances from the rows of a compiled query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.models import Model
from django.db.models.base import ModelState


class Column(NamedTuple):
    """A column whose values need conversion, with its position in the row."""

    position: int
    converters: Sequence[Callable[..., Any]]
    expression: Any


class RowLoader:
    """Builds model instances from rows, like Django's `ModelIterable`, but without calling `__init__`."""

    def __init__(self, info: Any, select: Sequence[Any]) -> None:
        if info.get("from_parent"):
            raise ImproperlyConfigured("A prepared query cannot load inherited models.")
        self.model: type[Model] = info["model"]
        self.names = [select[index][0].target.attname for index in info["select_fields"]]
        self.columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        self.pk = info["select_fields"][self.names.index(cast(Any, self.model._meta.pk).attname)]
        self.related = [
            (RowLoader(related, select), related["local_setter"], related["remote_setter"])
            for related in info.get("related_klass_infos", ())
        ]
        self.converted: list[Column] = []
        self.annotations: list[tuple[str, int]] = []

    @classmethod
    def for_compiler(cls, compiler: Any) -> RowLoader:
        """Return the loader for the rows of a compiled query."""
        if compiler.klass_info is None:
            raise ImproperlyConfigured("A prepared query returns instances, not values.")
        loader = cls(compiler.klass_info, compiler.select)
        converters = compiler.get_converters([s[0] for s in compiler.select[: compiler.col_count]])
        loader.converted = [Column(index, *converter) for index, converter in converters.items()]
        loader.annotations = list((compiler.annotation_col_map or {}).items())
        return loader

    def load_all(self, rows: Iterable[Sequence[Any]], alias: str) -> list[Any]:
        """Return an instance for each row."""
        connection = connections[alias]
        loaded = []
        for values in rows:
            row = list(values)
            for index, converters, expression in self.converted:
                for converter in converters:
                    row[index] = converter(row[index], expression, connection)
            instance = self.load(row, alias)
            for name, index in self.annotations:
                setattr(instance, name, row[index])
            loaded.append(instance)
        return loaded

    def load(self, row: Sequence[Any], alias: str) -> Any:
        """Build an instance from this loader's columns of a row."""
        instance = self.model.__new__(self.model)
        state = ModelState()
        state.adding, state.db = False, alias
        instance.__dict__.update(zip(self.names, row[self.columns], strict=True), _state=state)
        for loader, set_related, set_remote in self.related:
            related = None if row[loader.pk] is None else loader.load(row, alias)
            set_related(instance, related)
            if related is not None:
                set_remote(related, instance)
        return instance
