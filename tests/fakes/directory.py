"""Directory entries, settings and schedules in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from scheduling.application.ports.repositories import (
    DirectoryRepository,
    ScheduleRepository,
    SettingsRepository,
)
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.changes import changes_between
from scheduling.domain.errors import (
    InvalidInput,
    OptimisticLockConflict,
    ScheduleNotFound,
)
from scheduling.domain.identifiers import PractitionerRoleId, ScheduleId
from scheduling.domain.schedule import Schedule
from scheduling.domain.settings import Settings
from tests.fakes.transaction import Tables, Transaction

Id = TypeVar("Id", bound=UUID)
Entry = TypeVar("Entry", bound=Any)


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


def demand_next(stored: Versioned | None, version: int) -> None:
    """Let through what is new, or the version after the stored one."""
    if stored is not None and stored.version != version - 1:
        raise DecisionOutdated(OptimisticLockConflict("Somebody changed it."))


@dataclass
class MemoryDirectory(DirectoryRepository[Id, Entry], Generic[Id, Entry]):
    """`unique` is the attribute that no two may share, with its name on the wire."""

    name: str
    transaction: Transaction
    table: Callable[[Tables], dict[UUID, Entry]]
    unique: tuple[str, str] | None = None
    seen: dict[UUID, Entry] = field(default_factory=dict)

    async def find(self, id: Id) -> Entry | None:
        found = self.table(self.transaction.tables).get(id)
        if found is not None:
            self.seen[id] = found
        return found

    def save(self, entry: Entry) -> None:
        before = self.seen.get(entry.id)
        if before is not None and before.version == entry.version:
            return

        def write(tables: Tables) -> None:
            table = self.table(tables)
            stored = table.get(entry.id)
            demand_next(stored, entry.version)
            self._demand_unique(entry, table)
            without = {"events": ()} if hasattr(entry, "events") else {}
            table[entry.id] = replace(entry, is_new=False, **without)

        self.transaction.change(write)
        self.transaction.announce(getattr(entry, "events", ()))
        gone = getattr(entry, "deleted_at", None) is not None
        self.transaction.audit(
            f"{self.name}.{'deleted' if gone else 'put'}",
            entry.id,
            entry.version,
            changes_between(before, entry),
            at=entry.updated_at,
        )

    def _demand_unique(self, entry: Entry, table: dict[UUID, Entry]) -> None:
        if self.unique is None:
            return
        attribute, on_the_wire = self.unique
        value = getattr(entry, attribute)
        others = (one for one in table.values() if one.id != entry.id)
        if value is not None and any(getattr(o, attribute) == value for o in others):
            raise InvalidInput(f"another {self.name} has it", on_the_wire)


@dataclass
class MemorySettings(SettingsRepository):
    transaction: Transaction
    seen: Settings | None = None

    async def get(self) -> Settings:
        self.seen = self.transaction.tables.settings.get(None)
        return self.seen or Settings()

    def save(self, settings: Settings) -> None:
        before = self.seen
        if settings.version == (0 if before is None else before.version):
            return
        if settings.updated_at is None:
            raise ValueError("settings that nobody put have no version to store")

        def write(tables: Tables) -> None:
            stored = tables.settings.get(None)
            demand_next(stored, settings.version)
            tables.settings[None] = settings

        self.transaction.change(write)
        self.transaction.audit(
            "settings.put",
            self.transaction.caller.tenant_id,
            settings.version,
            changes_between(before, settings),
            at=settings.updated_at,
        )


@dataclass
class MemorySchedules(ScheduleRepository):
    transaction: Transaction
    seen: dict[ScheduleId, Schedule] = field(default_factory=dict)

    async def get(self, id: ScheduleId) -> Schedule:
        found = self.transaction.tables.schedules.get(id)
        if found is None:
            raise ScheduleNotFound(id)
        self.seen[id] = found
        return found

    async def of_role(self, id: PractitionerRoleId) -> Schedule | None:
        for schedule in self.transaction.tables.schedules.values():
            if schedule.practitioner_role_id == id:
                return await self.get(schedule.id)
        return None

    async def hold_of_role(self, id: PractitionerRoleId) -> Schedule | None:
        await self.transaction.lock("calendars")
        found = await self.of_role(id)
        if found is not None:
            await self.transaction.lock("exceptions of", found.id)
        return await self.of_role(id)

    def save(self, schedule: Schedule) -> None:
        before = self.seen.get(schedule.id)
        if before is not None and before.version == schedule.version:
            return
        if schedule.updated_at is None:
            raise ValueError("a schedule that was never published cannot be stored")

        def write(tables: Tables) -> None:
            stored = tables.schedules.get(schedule.id)
            demand_next(stored, schedule.version)
            tables.schedules[schedule.id] = replace(schedule, events=())

        self.transaction.change(write)
        self.transaction.announce(schedule.events)
        self.transaction.audit(
            "schedule.published" if schedule.version == 1 else "schedule.changed",
            schedule.id,
            schedule.version,
            changes_between(before, schedule),
            at=schedule.updated_at,
        )
