"""What a command has changed, field by field, as the audit may keep it.

`changes_between(None, new)` lists what a new thing was given, `changes_between(old,
new)` exactly what is different. Values are what JSON has: ids, codes, instants (UTC,
RFC 3339) and numbers. Names, contacts and free text are told as changed, never quoted.

Fields have the names that they have on the wire; those of a part stand behind a dot
(`preferences.sms`).
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from enum import Enum, IntEnum
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

Changes: TypeAlias = Mapping[str, tuple[object, object]]
"""Old and new value by field; ids, codes, times and numbers only."""

NO_CHANGES: Changes = MappingProxyType({})

REDACTED = "[redacted]"
"""Stands for a value that is there and is nobody's business; what is not is null."""

PERSONAL = frozenset(
    {
        "name",
        "file_number",
        "number",
        "phone",
        "email",
        "reason",
        "notes",
        "comment",
        "status_comment",
        "override_reason",
        "blocked_reason",
        "description",
    }
)
"""Attributes whose content never leaves their own row. A test holds every text of every
aggregate against this list: a new one is either here or known to be a code.
"""

_BOOKKEEPING = frozenset(
    {
        "id",
        "version",
        "created_at",
        "updated_at",
        "held_by",
        "events",
        "is_new",
        "before",
    }
)
"""Told by the record itself, or of no interest. Who holds a seat is the actor of the
record, and who that is not everybody is told.
"""

_ON_THE_WIRE = MappingProxyType(
    {"status_reason_code": "reasonCode", "status_comment": "comment"}
)


class _Field(NamedTuple):
    attribute: str
    name: str
    personal: bool


def changes_between(old: object | None, new: object) -> Changes:
    """Compare two versions of one aggregate; `old` is None where it is new."""
    before = {} if old is None else _told(old)
    nothing = (None, False)
    changes: dict[str, tuple[object, object]] = {}
    for name, (value, personal) in _told(new).items():
        was = before.get(name, nothing)[0]
        if was == value or (old is None and value == ()):
            continue
        write = _redacted if personal else plain
        changes[name] = (write(was), write(value))
    return changes


def plain(value: Any) -> Any:  # noqa: ANN401  # whatever a field holds
    """Return the value as JSON has it. Raise TypeError for what nobody thought of."""
    kind: Any = type(value)
    return value if kind in _AS_THEY_ARE else _writer_of(kind)(value)


def _told(aggregate: object) -> dict[str, tuple[Any, bool]]:
    """Return values by name, with whether they are personal; parts are spread out."""
    told: dict[str, tuple[Any, bool]] = {}
    kind: Any = type(aggregate)
    for attribute, name, personal in _fields_of(kind):
        value = getattr(aggregate, attribute)
        kind = type(value)
        if not _is_part(kind):
            told[name] = (value, personal)
            continue
        prefix = "" if attribute == "period" else f"{name}."
        for part, of_part in _told(value).items():
            told[prefix + part] = of_part
    return told


@cache
def _is_part(kind: Any) -> bool:  # noqa: ANN401
    return is_dataclass(kind)


@cache
def _fields_of(kind: Any) -> tuple[_Field, ...]:  # noqa: ANN401
    return tuple(f for f in _all_fields_of(kind) if f.attribute not in _BOOKKEEPING)


@cache
def _all_fields_of(kind: Any) -> tuple[_Field, ...]:  # noqa: ANN401
    return tuple(
        _Field(one.name, _name_of(one.name), one.name in PERSONAL)
        for one in fields(kind)
    )


def _name_of(attribute: str) -> str:
    first, *others = attribute.split("_")
    camel = first + "".join(word.title() for word in others)
    return _ON_THE_WIRE.get(attribute, camel)


def _redacted(value: object) -> object:
    """A yes or no tells nothing: whether e-mail is wanted is not the address."""
    return value if value is None or isinstance(value, bool) else REDACTED


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _part(value: object) -> Mapping[str, object]:
    kind: Any = type(value)
    told = ((one, getattr(value, one.attribute)) for one in _all_fields_of(kind))
    return {
        one.name: _redacted(found) if one.personal else plain(found)
        for one, found in told
    }


_AS_THEY_ARE = frozenset({type(None), bool, int, str})

# In this order: an IntEnum is an Enum, a datetime a date.
_WRITERS: tuple[tuple[Any, Callable[[Any], object]], ...] = (
    (IntEnum, lambda value: value.name.lower()),
    (Enum, lambda value: value.value),
    (UUID, str),
    (datetime, _instant),
    (date, date.isoformat),
    (time, lambda value: value.isoformat("minutes")),
    ((tuple, list), lambda values: [plain(value) for value in values]),
)


@cache
def _writer_of(kind: Any) -> Callable[[Any], object]:  # noqa: ANN401
    for sort, write in _WRITERS:
        if issubclass(kind, sort):
            return write
    if is_dataclass(kind):
        return _part
    raise TypeError(f"nobody said how to tell a change of {kind.__name__}")
