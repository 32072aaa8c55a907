"""Prepared queries: build the SQL of a queryset once for each shape of its arguments, and then only execute it.

Building and compiling a queryset takes longer than the database needs to respond. `@prepared` decorates a function that
returns a queryset and depends on nothing but its arguments:

>>> @prepared
... def reviews_of_book(user, book_id):
...     return Review.objects.visible_to(user).for_serializer(user).for_book(book_id)

The decorated function returns a `PreparedQuery`. Iterating it, `get()` and the pages of `core.api.pagination` use
prepared SQL; all other attributes are those of the queryset.

To prepare the SQL, the function is called twice, with two sets of stand-ins for ids, strings, times and users. Both
calls must result in the same SQL and, apart from arguments, in the same parameters; otherwise ImproperlyConfigured is
raised. Hence no rule in the queryset's methods, such as `visible_to`, gets lost, and every use of an argument is
repeated for later arguments. Whatever else may change the SQL is part of the shape: None, booleans, and whether a user
is signed in.

`@prepared_update` does the same for an UPDATE, of a function that returns a queryset and the new values.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property, partial, wraps
from typing import Any, ParamSpec, TypeVar, cast

from django.core.exceptions import EmptyResultSet, ImproperlyConfigured
from django.db import connections, transaction
from django.db.models import BigIntegerField, ForeignKey, ManyToOneRel, Model, OneToOneRel, Prefetch
from django.db.models.sql import UpdateQuery
from django.utils import timezone

from core.db.rows import RowLoader

P = ParamSpec("P")
Q = TypeVar("Q")
S = TypeVar("S", bound="Statement")

# There are far fewer, unless clients send many different page sizes.
MAX_STATEMENTS = 2000
MAX_ARGUMENTS = 500
# Source of a parameter that is the current time.
NOW = -1
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

_statements: dict[Hashable, Any] = {}


class Viewer:
    """A stand-in for a signed-in user, with no other attribute that a queryset could depend on."""

    __slots__ = ("pk",)
    is_authenticated = True

    def __init__(self, pk: int) -> None:
        self.pk = pk


class NotPreparableError(Exception):
    """The arguments cannot be prepared, so the queryset itself is used."""


def prepared(build: Callable[P, Q]) -> Callable[P, Q]:
    """Prepare the queryset that a function returns. The function must be called with positional arguments."""

    @wraps(build)
    def call(*args: Any) -> Any:
        return PreparedQuery(build, args)

    return cast(Callable[P, Q], call)


def prepared_update(build: Callable[P, tuple[Any, Mapping[str, Any]]]) -> Callable[P, int]:
    """Prepare `rows.update(**values)` of the rows and values that a function returns.

    The function must be called with positional arguments. The result is the number of rows.
    """

    def query_for(*args: Any) -> Any:
        rows, values = build(*args)  # type: ignore[call-arg]
        update = rows.select_for_update()  # sent to the database for writes
        update.query = update.query.chain(UpdateQuery)
        update.query.add_update_values(values)
        return update

    @wraps(build)
    def call(*args: Any) -> int:
        try:
            statement = get_statement(build, query_for, args, UpdateStatement)
        except NotPreparableError:
            rows, values = build(*args)  # type: ignore[call-arg]
            return rows.update(**values)
        return statement.execute(args)

    return cast(Callable[P, int], call)


class PreparedQuery:
    """The rows of `build(*args)`."""

    def __init__(self, build: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.build = build
        self.args = args

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the queryset."""
        if name.startswith("_"):  # Django tests for private attributes to tell types apart
            raise AttributeError(name)
        return getattr(self.queryset, name)

    def __iter__(self) -> Any:
        """Iterate over all rows."""
        return iter(self.fetch("all", lambda rows: rows))

    @cached_property
    def queryset(self) -> Any:
        """The queryset itself."""
        return self.build(*self.args)

    @cached_property
    def example(self) -> Any:
        """A queryset that differs in its parameters only, to read the model and annotations from."""
        try:
            return self._statement("all", lambda rows: rows, ()).example
        except NotPreparableError:
            return self.queryset

    @property
    def model(self) -> Any:
        """The model of the rows."""
        return self.example.model

    def get(self, **lookups: Any) -> Any:
        """Return the only row that matches; raise DoesNotExist or MultipleObjectsReturned."""
        names = tuple(lookups)
        rows = self.fetch(("get", names), partial(_filter, names), *lookups.values())
        if len(rows) == 1:
            return rows[0]
        raise self.model.MultipleObjectsReturned if rows else self.model.DoesNotExist

    def top(self, limit: int, *order: str) -> list[Any]:
        """Return the first `limit` rows in this order."""
        return self.fetch(("top", limit, order), lambda rows: rows.order_by(*order)[:limit])

    def with_ids(self, ids: Sequence[int], *order: str) -> list[Any]:
        """Return the rows with these ids in this order."""
        padded = pad(ids)
        key = ("ids", len(padded), order)
        return self.fetch(key, lambda rows, *ids: rows.filter(pk__in=ids).order_by(*order), *padded) if ids else []

    def fetch(self, key: Hashable, refine: Callable[..., Any], *values: Any) -> list[Any]:
        """Return the rows of `refine(queryset, *values)`. `key` identifies `refine` and all else that it depends on."""
        try:
            return self._statement(key, refine, values).fetch((*self.args, *values))
        except NotPreparableError:
            return list(refine(self.queryset, *values))

    def _statement(self, key: Hashable, refine: Callable[..., Any], values: tuple[Any, ...]) -> SelectStatement:
        count, build = len(self.args), self.build
        return get_statement(
            (build, key),
            lambda *args: refine(build(*args[:count]), *args[count:]),
            (*self.args, *values),
            SelectStatement,
        )


def get_statement(key: Hashable, build: Callable[..., Any], args: tuple[Any, ...], kind: Callable[..., S]) -> S:
    """Return the statement for the shape of these arguments."""
    shape = (key, *map(_shape, args))
    statement: S | None = _statements.get(shape)
    if statement is None:
        if len(args) > MAX_ARGUMENTS:
            raise NotPreparableError
        if len(_statements) >= MAX_STATEMENTS:
            _statements.clear()
        statement = _statements[shape] = kind(build, args)
    return statement


def pad(ids: Sequence[int]) -> tuple[int, ...]:
    """Repeat the last id up to a power of two, so that there are few shapes; duplicates in IN change nothing."""
    return (*ids, *[ids[-1]] * ((1 << (len(ids) - 1).bit_length()) - len(ids))) if ids else ()


def _filter(names: Sequence[str], rows: Any, *values: Any) -> Any:
    return rows.filter(**dict(zip(names, values, strict=True)))[:2]


def _shape(arg: Any) -> Hashable:
    """Return what the SQL may depend on: the type of the argument, or its value if it has no stand-in."""
    if arg is None or isinstance(arg, bool):
        return arg
    if isinstance(arg, int):
        if abs(arg) > BigIntegerField.MAX_BIGINT:  # SQLite raises OverflowError; Django would not send the query
            raise NotPreparableError
        return int
    if isinstance(arg, str):
        return str
    if isinstance(arg, datetime.datetime):
        return datetime.datetime
    if hasattr(arg, "is_authenticated"):
        return Viewer if arg.is_authenticated else "anonymous"
    raise NotPreparableError


_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_STAND_INS: dict[Any, Callable[[int], Any]] = {
    int: int,
    str: "argument {}".format,
    datetime.datetime: lambda value: _EPOCH + datetime.timedelta(seconds=value),
    Viewer: Viewer,
}


def _stand_in(arg: Any, number: int, run: int) -> Any:
    """Return a value of the same shape that is unique to this argument and fits into the smallest integer column."""
    make = _STAND_INS.get(_shape(arg))
    return make(30_000 + MAX_ARGUMENTS * run + number) if make else arg


class _Compiled:
    """The SQL of a queryset, with the source of each parameter: the number of an argument, NOW, or None if fixed."""

    def __init__(self, build: Callable[..., Any], args: Sequence[Any]) -> None:
        started = timezone.now()
        self.queryset = build(*args)
        self.compiler = self.queryset.query.get_compiler(self.queryset.db)
        try:
            self.sql, params = self.compiler.as_sql()
        except EmptyResultSet:
            self.sql, params = "", ()
        self.params = tuple(params)
        self.adapt = self.compiler.connection.ops.adapt_datetimefield_value
        self.now = self.adapt(started), self.adapt(timezone.now())
        numbers = {self._adapt(arg): number for number, arg in enumerate(args) if not isinstance(arg, bool)}
        self.sources = [self._source(param, numbers) for param in self.params]

    @property
    def fixed_params(self) -> list[Any]:
        """The parameters that are not arguments."""
        return [param for param, source in zip(self.params, self.sources, strict=True) if source is None]

    def _adapt(self, arg: Any) -> Any:
        arg = arg.pk if isinstance(arg, Viewer) else arg
        return self.adapt(arg) if isinstance(arg, datetime.datetime) else arg if isinstance(arg, int | str) else None

    def _source(self, param: Any, numbers: Mapping[Any, int]) -> int | None:
        if not isinstance(param, int | str) or isinstance(param, bool):
            if isinstance(param, datetime.date):
                raise ImproperlyConfigured("A prepared query may not contain a fixed date.")
            return None
        if param in numbers:
            return numbers[param]
        if isinstance(param, str) and _DATE.match(param):
            if self.now[0] <= param <= self.now[1]:
                return NOW
            raise ImproperlyConfigured(f"A prepared query may not contain a fixed time: {param}")
        return None


class Statement:
    """The SQL of a shape, and the indexes of the parameters that are arguments."""

    def __init__(self, build: Callable[..., Any], args: tuple[Any, ...]) -> None:
        first, second = (_Compiled(build, [_stand_in(arg, n, run) for n, arg in enumerate(args)]) for run in (0, 1))
        if (first.sql, first.sources) != (second.sql, second.sources) or first.fixed_params != second.fixed_params:
            raise ImproperlyConfigured(f"{build} uses its arguments for more than parameters.")
        self.sql, self.params, self.example, self.compiler = first.sql, first.params, first.queryset, first.compiler
        self.variable = [(index, source) for index, source in enumerate(first.sources) if source is not None]

    def bind(self, args: Sequence[Any], connection: Any) -> list[Any]:
        """Return the parameters for these arguments."""
        params = list(self.params)
        for index, source in self.variable:
            params[index] = self._value(timezone.now() if source == NOW else args[source], connection)
        return params

    @staticmethod
    def _value(arg: Any, connection: Any) -> Any:
        if isinstance(arg, int | str):
            return arg
        return connection.ops.adapt_datetimefield_value(arg) if isinstance(arg, datetime.datetime) else arg.pk


class SelectStatement(Statement):
    """A prepared SELECT with the loader of its rows."""

    def __init__(self, build: Callable[..., Any], args: tuple[Any, ...]) -> None:
        super().__init__(build, args)
        if self.sql:
            self.load = RowLoader.for_compiler(self.compiler)
            lookups = self.example._prefetch_related_lookups
            self.prefetches = [RelatedRows(build, n, self.example.model, lookup) for n, lookup in enumerate(lookups)]

    def fetch(self, args: Sequence[Any]) -> list[Any]:
        """Return the rows for these arguments."""
        if not self.sql:
            return []
        alias = self.example.db
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.bind(args, connection))
            rows = self.load.load_all(cursor.fetchall(), alias)
        for prefetch in self.prefetches if rows else ():
            prefetch.load(rows, args)
        return rows


class UpdateStatement(Statement):
    """A prepared UPDATE."""

    def execute(self, args: Sequence[Any]) -> int:
        """Update the rows for these arguments, and return their number."""
        if not self.sql:
            return 0
        alias = self.example.db
        connection = connections[alias]
        with transaction.mark_for_rollback_on_error(using=alias), connection.cursor() as cursor:
            cursor.execute(self.sql, self.bind(args, connection))
            return cast(int, cursor.rowcount)


def prefetch_if(lookup: str, queryset: Any, *, to_attr: str, flag: str, condition: Any) -> Any:
    """Return a Prefetch that prepared queries skip for rows whose annotation `flag` is false.

    The query must be annotated with the expression `condition` under the name `flag`.
    """
    prefetch: Any = Prefetch(lookup, queryset, to_attr)
    prefetch.flag, prefetch.condition = flag, condition
    return prefetch


class RelatedRows:
    """A `prefetch_related` lookup of a prepared query, which is prepared too."""

    def __init__(self, build: Callable[..., Any], number: int, model: type[Model], lookup: str | Prefetch[Any]) -> None:
        name = lookup if isinstance(lookup, str) else lookup.prefetch_through
        self.build, self.number = build, number
        self.relation: Any = model._meta.get_field(name)  # raises FieldDoesNotExist for a path
        self.to_attr = None if isinstance(lookup, str) else lookup.to_attr
        self.flag = getattr(lookup, "flag", "")
        self.is_forward = isinstance(self.relation, ForeignKey)
        is_reverse = isinstance(self.relation, ManyToOneRel) and not isinstance(self.relation, OneToOneRel)
        if not (self.is_forward and self.to_attr is None) and not is_reverse:
            raise ImproperlyConfigured(f"A prepared query cannot prefetch {name}.")

    def load(self, rows: list[Any], args: Sequence[Any]) -> None:
        """Load the related rows of all rows, and attach them as Django does."""
        if self.is_forward:
            self._load_forward([row for row in rows if not self.relation.is_cached(row)], args)
        else:
            self._load_reverse(rows, args)

    def _load_forward(self, rows: list[Any], args: Sequence[Any]) -> None:
        ids = {row.__dict__[self.relation.attname] for row in rows} - {None}
        found = {related.pk: related for related in self._fetch(args, sorted(ids))} if ids else {}
        for row in rows:
            self.relation.set_cached_value(row, found.get(row.__dict__[self.relation.attname]))

    def _load_reverse(self, rows: list[Any], args: Sequence[Any]) -> None:
        field = self.relation.field
        by_id: dict[Any, tuple[Any, list[Any]]] = {row.pk: (row, []) for row in rows}
        ids = [pk for pk, (row, _related) in by_id.items() if not self.flag or row.__dict__.get(self.flag, True)]
        for related in self._fetch(args, ids) if ids else ():
            row, related_rows = by_id[related.__dict__[field.attname]]
            field.set_cached_value(related, row)
            related_rows.append(related)
        name = self.relation.get_accessor_name()
        for row, related_rows in by_id.values():
            if self.to_attr:
                setattr(row, self.to_attr, related_rows)
                continue
            rows_of = field.model._default_manager.all()
            rows_of._result_cache, rows_of._prefetch_done = related_rows, True
            row.__dict__.setdefault("_prefetched_objects_cache", {})[name] = rows_of

    def _fetch(self, args: Sequence[Any], ids: list[Any]) -> list[Any]:
        padded = pad(ids)
        key = (self.build, self.number, len(args))
        statement = get_statement(key, partial(self._related, len(args)), (*args, *padded), SelectStatement)
        return statement.fetch((*args, *padded))

    def _related(self, count: int, *values: Any) -> Any:
        """Return the queryset of the related rows; the values are the arguments of the query and the ids."""
        lookup = self.build(*values[:count])._prefetch_related_lookups[self.number]
        rows = None if isinstance(lookup, str) else lookup.queryset
        if rows is None:
            related: Any = self.relation.related_model
            rows = related._base_manager.all() if self.is_forward else related._default_manager.all()
        return rows.filter(**{"pk__in" if self.is_forward else f"{self.relation.field.name}__in": values[count:]})
