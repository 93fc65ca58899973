"""One field of a record from one row: a column, a constant, a template or an id."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from string import Formatter
from typing import Literal, TypeAlias
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from scheduling.entrypoints.importing.reading import Row
from scheduling.entrypoints.importing.records import Kind

Shape: TypeAlias = Literal["plain", "instant", "date"]

NAMESPACE = UUID("18cd67ab-e056-470e-ad62-aabc4ccb9593")
"""Of all ids that imports make (RFC 9562, 5.5). Changing it would import twice."""

_SEPARATOR = "\x1f"


class FieldRefused(Exception):
    """A value that cannot be used. `problem` says why and holds nothing of it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Ids:
    """The same columns give the same id, within a tenant, a source and a kind."""

    tenant_id: UUID
    source: str

    def of(self, kind: Kind, values: tuple[str, ...]) -> UUID:
        space = uuid5(NAMESPACE, f"{self.tenant_id}/{self.source}/{kind}")
        return uuid5(space, _SEPARATOR.join(values))


def cell(row: Row, column: str) -> object:
    """Return a value, None for an empty one; a dot goes into nested JSON."""
    value = row.get(column)
    if value is None and "." in column and column not in row:
        value = row
        for name in column.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return value.strip() or None
    return value


def text(row: Row, column: str) -> str:
    value = cell(row, column)
    return "" if value is None else str(value)


def words(row: Row, columns: tuple[str, ...], target: str) -> tuple[str, ...]:
    """Return what an id is made of. Raise FieldRefused where some of it is missing."""
    found = tuple(text(row, column) for column in columns)
    if not all(found):
        raise FieldRefused(target, "missing")
    return found


Origin: TypeAlias = Callable[[Row], object]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where a value comes from, then what is done to it, in the order of the fields."""

    target: str
    origin: Origin
    columns: frozenset[str]
    default: object = None
    values: Mapping[str, object] = field(default_factory=dict)
    split: str | None = None
    digest: int | None = None
    shape: Shape = "plain"
    format: str | None = None
    zone: str = "UTC"

    def __call__(self, row: Row) -> object:
        value = self.origin(row)
        if value is None:
            value = self.default
        if value is None:
            return None
        if self.values:
            value = self._mapped(value)
        if self.split is not None:
            return [part.strip() for part in str(value).split(self.split)]
        if self.digest is not None:
            return _digest(str(value), self.digest)
        if self.shape != "plain":
            return self._timed(value)
        return value

    def _mapped(self, value: object) -> object:
        name = str(value)
        if name in self.values:
            return self.values[name]
        if "*" in self.values:
            return self.values["*"]
        raise FieldRefused(self.target, "not_in_map")

    def _timed(self, value: object) -> object:
        try:
            if isinstance(value, datetime):
                told = value
            elif self.format is None:
                told = datetime.fromisoformat(str(value))
            else:
                told = datetime.strptime(str(value), self.format)  # noqa: DTZ007  # _instant adds it
            return told.date() if self.shape == "date" else _instant(told, self.zone)
        except (ValueError, OverflowError) as error:
            raise FieldRefused(self.target, "no_time") from error


def _instant(told: datetime, zone: str) -> datetime:
    """A time without an offset is on the zone's wall; of two such, the first.

    Raise ValueError for a wall time that never was.
    """
    if told.tzinfo is not None:
        return told
    instant = told.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != told:
        raise ValueError("clocks jumped over it")
    return instant


def _digest(value: str, length: int) -> str:
    digest = hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()
    return base64.b32encode(digest).decode()[:length]


def from_column(column: str) -> Origin:
    return lambda row: cell(row, column)


def from_constant(value: object) -> Origin:
    return lambda _row: value


def from_template(template: str) -> tuple[Origin, frozenset[str]]:
    """`Patient {PatientId}`; a row where every named column is empty has no value.

    Raise ValueError for braces that name no column.
    """
    parts: list[tuple[str, str | None]] = []
    for literal, name, specification, conversion in Formatter().parse(template):
        if name == "" or specification or conversion:
            raise ValueError("a template names columns in braces, and no more")
        parts.append((literal, name))
    columns = tuple(name for _, name in parts if name is not None)

    def origin(row: Row) -> object:
        found = {column: text(row, column) for column in columns}
        if columns and not any(found.values()):
            return None
        return "".join(
            literal + ("" if name is None else found[name]) for literal, name in parts
        )

    return origin, frozenset(columns)


def from_columns(ids: Ids, kind: Kind, columns: tuple[str, ...], target: str) -> Origin:
    return lambda row: ids.of(kind, words(row, columns, target))


def as_day(value: object, target: str) -> date:
    if not isinstance(value, date):
        raise FieldRefused(target, "missing")
    return value
