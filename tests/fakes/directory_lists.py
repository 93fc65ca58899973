"""Lists of practitioners and locations, and the search for patients, in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from scheduling.application.ports.directory_lists import (
    DirectoryLists,
    LocationFilter,
    PractitionerFilter,
)
from scheduling.domain.directory import Location, Patient, Practitioner
from scheduling.domain.patient_search import words_of
from tests.fakes.transaction import Tables, Transaction

Entry = TypeVar("Entry", Practitioner, Location)


@dataclass
class MemoryDirectoryLists(DirectoryLists):
    transaction: Transaction

    async def locations(self, wanted: LocationFilter) -> Sequence[Location]:
        return _listed(self.transaction.tables.locations.values(), wanted)

    async def practitioners(self, wanted: PractitionerFilter) -> Sequence[Practitioner]:
        tables = self.transaction.tables
        found: Iterable[Practitioner] = tables.practitioners.values()
        if wanted.location_id is not None:
            there = set(_work_at(wanted.location_id, tables))
            found = (one for one in found if one.id in there)
        return _listed(found, wanted)

    async def patients(self, words: Sequence[str], limit: int) -> Sequence[Patient]:
        if not words:
            return []
        everybody = self.transaction.tables.patients.values()
        kept = [(word, one.id) for one in everybody for word in words_of(one)]
        rarest = min(words, key=lambda begins: sum(_begins(kept, begins)))
        found = []
        for one in everybody:
            theirs = sorted(words_of(one))
            if all(any(w.startswith(begins) for w in theirs) for begins in words):
                first = next(word for word in theirs if word.startswith(rarest))
                found.append((first, one.id, one))
        return [one for _, _, one in sorted(found, key=lambda f: f[:2])[:limit]]


def _begins(kept: Iterable[tuple[str, UUID]], begins: str) -> Iterable[bool]:
    return (word.startswith(begins) for word, _ in kept)


def _work_at(location_id: UUID, tables: Tables) -> Iterable[UUID]:
    for role in tables.practitioner_roles.values():
        if role.location_id == location_id and role.active and not role.deleted_at:
            yield role.practitioner_id
    for schedule in tables.schedules.values():
        if (
            schedule.location_id == location_id
            and schedule.practitioner_role_id is None
        ):
            yield schedule.practitioner_id


def _listed(
    entries: Iterable[Entry], wanted: LocationFilter | PractitionerFilter
) -> Sequence[Entry]:
    found = sorted(entries, key=lambda one: (one.name, one.id))
    asked = (
        one
        for one in found
        if wanted.active in {None, one.active}
        and (wanted.after is None or (one.name, one.id) > wanted.after)
    )
    return list(asked)[: wanted.limit]
