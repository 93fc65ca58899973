"""Practitioners, locations, patients, roles and settings: read by key, put whole."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Table, bindparam, select

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import (
    LOCATIONS,
    PATIENT_WORDS,
    PATIENTS,
    PRACTITIONERS,
    ROLES,
    SETTINGS,
    TENANT,
    TENANTS,
    Write,
)
from scheduling.adapters.postgres.directory_rows import (
    Row,
    location_from,
    location_row,
    patient_from,
    patient_row,
    patient_word_rows,
    practitioner_from,
    practitioner_row,
    role_from,
    role_row,
    settings_from,
    settings_row,
)
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.repositories import (
    DirectoryRepository,
    SettingsRepository,
)
from scheduling.domain.changes import changes_between
from scheduling.domain.errors import OptimisticLockConflict
from scheduling.domain.settings import Settings

Id = TypeVar("Id", bound=UUID)
Entry = TypeVar("Entry", bound=Any)

_MOVED_ON = OptimisticLockConflict("Somebody changed it at this moment.")


@cache
def reading_by_id(table: Table) -> Statement:
    """Read one row of a tenant's table by its id."""
    return compiled(
        select(table).where(table.c.tenant_id == TENANT, table.c.id == bindparam("id"))
    )


@dataclass(frozen=True, slots=True)
class Kind(Generic[Entry]):
    """How one kind of directory entry is stored."""

    name: str
    table: Table
    write: Write
    read: Callable[[Row], Entry]
    row: Callable[[Entry], Row]
    words: Callable[[Entry], list[Row]] | None = None
    """By which it is searched, where it is."""


PRACTITIONER = Kind(
    "practitioner", t.practitioners, PRACTITIONERS, practitioner_from, practitioner_row
)
LOCATION = Kind("location", t.locations, LOCATIONS, location_from, location_row)
PATIENT = Kind(
    "patient", t.patients, PATIENTS, patient_from, patient_row, patient_word_rows
)
ROLE = Kind("practitioner-role", t.practitioner_roles, ROLES, role_from, role_row)


@dataclass(slots=True)
class PostgresDirectory(DirectoryRepository[Id, Entry]):
    """One class for all kinds: what differs between them is their columns."""

    transaction: Transaction
    kind: Kind[Entry]
    seen: dict[UUID, Entry] = field(default_factory=dict)

    async def find(self, id: Id) -> Entry | None:
        row = await self.transaction.row(reading_by_id(self.kind.table), id=id)
        if row is None:
            return None
        entry = self.seen[id] = self.kind.read(row)
        return entry

    def save(self, entry: Entry) -> None:
        stored = self.seen.get(entry.id)
        if stored is not None and stored.version == entry.version:
            return
        batch = self.transaction.batch
        batch.add(TENANTS, {"created_at": entry.updated_at})
        batch.add(self.kind.write, self.kind.row(entry), otherwise=_MOVED_ON)
        if self.kind.words is not None:
            batch.add(PATIENT_WORDS, *self.kind.words(entry))
        self.transaction.announce(getattr(entry, "events", ()))
        gone = getattr(entry, "deleted_at", None) is not None
        self.transaction.audit(
            f"{self.kind.name}.{'deleted' if gone else 'put'}",
            self.kind.name,
            entry.id,
            version=entry.version,
            changes=changes_between(stored, entry),
            at=entry.updated_at,
        )


@cache
def _reading_settings() -> Statement:
    return compiled(select(*settings_columns()).where(t.settings.c.tenant_id == TENANT))


def settings_columns() -> list[Any]:
    """The settings under names that no other table of a join has."""
    clashing = {"timezone", "version", "updated_at"}
    return [
        c.label(f"settings_{c.name}") if c.name in clashing else c
        for c in t.settings.c
        if c.name != "tenant_id"
    ]


@dataclass(slots=True)
class PostgresSettings(SettingsRepository):
    transaction: Transaction
    seen: Settings | None = None

    async def get(self) -> Settings:
        row = await self.transaction.row(_reading_settings())
        settings = Settings() if row is None else settings_from(row)
        self.seen = None if row is None else settings
        return settings

    def save(self, settings: Settings) -> None:
        stored = self.seen
        if settings.version == (0 if stored is None else stored.version):
            return
        if settings.updated_at is None:
            raise ValueError("settings that nobody put have no version to store")
        batch = self.transaction.batch
        batch.add(TENANTS, {"created_at": settings.updated_at})
        batch.add(SETTINGS, settings_row(settings), otherwise=_MOVED_ON)
        self.transaction.audit(
            "settings.put",
            "settings",
            self.transaction.caller.tenant_id,
            version=settings.version,
            changes=changes_between(stored, settings),
            at=settings.updated_at,
        )
