"""The mapping file: which column becomes which field (docs/import.md has the words).

Everything that can be wrong with it is said before the first row is read.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from scheduling.entrypoints.importing.reading import Format, Row, Source
from scheduling.entrypoints.importing.records import (
    RECORDS,
    Kind,
    Preferences,
    Record,
    Zone,
)
from scheduling.entrypoints.importing.rules import (
    FieldRefused,
    FieldRule,
    Ids,
    Origin,
    Shape,
    as_day,
    from_column,
    from_columns,
    from_constant,
    from_template,
    words,
)
from scheduling.entrypoints.importing.spreading import ClinicDay, Day, Spread

_SHAPES: dict[str, Shape] = {
    "start": "instant",
    "end": "instant",
    "bookedAt": "instant",
    "periodStart": "date",
    "periodEnd": "date",
    "day": "date",
}
SPREAD_COLUMNS = ("@day", "@start", "@end", "@capacity")
"""What `[spread]` adds to each row; mapped like any other column."""


class MappingInvalid(Exception):
    """The mapping file cannot be used; the message says where."""


class _Told(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class _Source(_Told):
    format: Format | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"


class _Rule(_Told):
    """One of the first five says where a value comes from."""

    column: str | None = None
    constant: Any = None
    template: str | None = None
    from_: tuple[str, ...] | None = Field(default=None, alias="from", min_length=1)
    ref: Kind | None = None
    of: Kind | None = None
    default: Any = None
    map: dict[str, Any] = Field(default_factory=dict)
    split: str | None = Field(default=None, min_length=1)
    digest: int | None = Field(default=None, ge=1, le=50)
    format: str | None = None
    zone: Zone | None = None


class _Spread(_Told):
    day: Any
    clinic: tuple[str, ...] = Field(min_length=1)
    patient: tuple[str, ...] = Field(min_length=1)
    first: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    minutes: int = Field(ge=1, le=1440)
    count: int = Field(ge=1, le=1440)
    capacity: int = Field(default=1, ge=1, le=1000)
    zone: Zone | None = None


class _About(_Told):
    zone: Zone = "UTC"
    namespace: str = "import"
    source: _Source = _Source()
    spread: _Spread | None = None


@dataclass(frozen=True, slots=True)
class Spreading:
    """Which columns a visit's day, clinic and patient are told by."""

    hours: ClinicDay
    day: FieldRule
    clinic: tuple[str, ...]
    patient: tuple[str, ...]

    def day_of(self, row: Row) -> Day:
        return Day(
            words(row, self.clinic, "spread.clinic"),
            as_day(self.day(row), "spread.day"),
        )

    def patient_of(self, row: Row) -> tuple[str, ...]:
        return words(row, self.patient, "spread.patient")


Rules: TypeAlias = Mapping[str, "FieldRule | Rules"]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping file for one tenant."""

    source: Source
    fields: Mapping[Kind, Rules]
    spreading: Spreading | None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in Kind if kind in self.fields)

    def rows_of(self, kind: Kind, row: Row, spread: Spread | None) -> Sequence[Row]:
        """Return the row with its hour; for slots, one for each of a new clinic day.

        Raise FieldRefused where day, clinic or patient are missing.
        """
        spreading = self.spreading
        if spread is None or spreading is None or kind not in _TIMED:
            return (row,)
        day = spreading.day_of(row)
        patient = spreading.patient_of(row)
        is_new = spread.is_new(day)
        period = spread.place(day, patient)
        periods = [period]
        if kind is Kind.SLOTS:
            periods = list(spreading.hours.stretches(day.date)) if is_new else []
        return [
            {
                **row,
                "@day": day.date.isoformat(),
                "@start": period.start.isoformat(),
                "@end": period.end.isoformat(),
                "@capacity": spreading.hours.capacity,
            }
            for period in periods
        ]

    def record(self, kind: Kind, row: Row) -> Record:
        """Raise FieldRefused for a value that makes no sense."""
        values = _evaluated(self.fields[kind], row)
        try:
            return RECORDS[kind].model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(step) for step in first["loc"])
            named = first.get("ctx", {}).get("field", where)
            raise FieldRefused(str(named), first["type"]) from None

    def spread(self) -> Spread | None:
        return None if self.spreading is None else Spread(self.spreading.hours)


_TIMED = (Kind.SLOTS, Kind.APPOINTMENTS)


def _evaluated(rules: Rules, row: Row) -> dict[str, object]:
    values: dict[str, object] = {}
    for target, rule in rules.items():
        value = rule(row) if isinstance(rule, FieldRule) else _evaluated(rule, row)
        if value is not None:
            values[target] = value
    return values


def read_mapping(file: Path, data: Path, tenant_id: UUID) -> Mapped:
    """Raise MappingInvalid, also for columns that the data file does not have."""
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingInvalid(f"{file.name}: {error}") from error
    mapped = _Reading(told, tenant_id).mapped(data)
    header = mapped.source.header()
    if header is not None:
        _demand_columns(mapped, header)
    return mapped


class _Reading:
    """From what TOML says to rules."""

    def __init__(self, told: dict[str, Any], tenant_id: UUID) -> None:
        about = {name: told[name] for name in told if name in _About.model_fields}
        self._told = {name: told[name] for name in told if name not in about}
        try:
            self._about = _About.model_validate(about)
        except ValidationError as error:
            raise MappingInvalid(_first(error)) from error
        self._zone = self._about.zone
        self._ids = Ids(tenant_id, self._about.namespace)

    def mapped(self, data: Path) -> Mapped:
        unknown = set(self._told) - set(Kind)
        if unknown:
            raise MappingInvalid(f"{min(unknown)}: there is nothing of that name")
        spread = self._about.spread
        spreading = None if spread is None else self._spreading(spread)
        return Mapped(
            source=Source(path=data, **self._about.source.model_dump()),
            fields={
                kind: self._rules(kind, self._told[kind], RECORDS[kind], kind)
                for kind in Kind
                if kind in self._told
            },
            spreading=spreading,
        )

    def _spreading(self, spread: _Spread) -> Spreading:
        hours, minutes = spread.first.split(":")
        zone = spread.zone or self._zone
        day = self._rule("spread.day", "day", spread.day)
        return Spreading(
            hours=ClinicDay(
                first=time(int(hours), int(minutes)),
                minutes=spread.minutes,
                count=spread.count,
                capacity=spread.capacity,
                zone=zone,
            ),
            day=day,
            clinic=spread.clinic,
            patient=spread.patient,
        )

    def _rules(
        self,
        kind: Kind,
        told: object,
        shape: type[BaseModel],
        path: str,
    ) -> Rules:
        if not isinstance(told, dict):
            raise MappingInvalid(f"{path}: not a table")
        known = {field.alias: field for field in shape.model_fields.values()}
        for name in told:
            if name not in known:
                raise MappingInvalid(f"{path}.{name}: there is no such field")
        for name, field in known.items():
            if field.is_required() and name not in told:
                raise MappingInvalid(f"{path}.{name}: is missing")
        return {
            name: self._rules(kind, rule, Preferences, f"{path}.{name}")
            if known[name].annotation is Preferences
            else self._rule(
                f"{path}.{name}", name, rule, id_of=kind if name == "id" else None
            )
            for name, rule in told.items()
        }

    def _rule(
        self, path: str, target: str, told: object, *, id_of: Kind | None = None
    ) -> FieldRule:
        """`id_of`: whose id the field is, if it is one's own or a `ref`."""
        if isinstance(told, str):
            told = {"column": told}
        elif not isinstance(told, dict):
            told = {"constant": told}
        try:
            rule = _Rule.model_validate(told)
        except ValidationError as error:
            raise MappingInvalid(f"{path}.{_first(error)}") from error
        ways = (rule.column, rule.constant, rule.template, rule.from_, rule.ref)
        if sum(way is not None for way in ways) != 1:
            raise MappingInvalid(
                f"{path}: one of column, constant, template, from and ref, please"
            )
        origin, columns = self._origin(path, target, rule, id_of)
        return FieldRule(
            target=target,
            origin=origin,
            columns=columns,
            default=rule.default,
            values=rule.map,
            split=rule.split,
            digest=rule.digest,
            shape=_SHAPES.get(target, "plain"),
            format=rule.format,
            zone=rule.zone or self._zone,
        )

    def _origin(
        self, path: str, target: str, rule: _Rule, id_of: Kind | None
    ) -> tuple[Origin, frozenset[str]]:
        if rule.column is not None:
            return from_column(rule.column), frozenset({rule.column})
        if rule.template is not None:
            try:
                return from_template(rule.template)
            except ValueError as error:
                raise MappingInvalid(f"{path}: {error}") from error
        if rule.from_ is not None:
            of = rule.of or id_of
            if of is None:
                raise MappingInvalid(f"{path}: `of` says whose id it is")
            origin = from_columns(self._ids, of, rule.from_, target)
            return origin, frozenset(rule.from_)
        if rule.ref is not None:
            table = self._told.get(rule.ref)
            if id_of is not None or not isinstance(table, dict) or "id" not in table:
                raise MappingInvalid(f"{path}: there is no {rule.ref}.id to refer to")
            referred = self._rule(path, target, table["id"], id_of=rule.ref)
            return referred, referred.columns
        return from_constant(rule.constant), frozenset()


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"


def _demand_columns(mapped: Mapped, header: Sequence[str]) -> None:
    """Raise MappingInvalid for a column that the file does not have."""
    here = {*header, *(SPREAD_COLUMNS if mapped.spreading else ())}
    wanted = {column for rules in mapped.fields.values() for column in _columns(rules)}
    if (spreading := mapped.spreading) is not None:
        wanted |= {*spreading.clinic, *spreading.patient, *spreading.day.columns}
    missing = sorted(wanted - here)
    if missing:
        raise MappingInvalid(f"the file has no column {missing[0]!r}")


def _columns(rules: Rules) -> Iterator[str]:
    for rule in rules.values():
        yield from rule.columns if isinstance(rule, FieldRule) else _columns(rule)
