"""What storage promises of the waitlist."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.application.ports.waitlist import WaitlistFilter
from scheduling.domain.directory import put
from scheduling.domain.errors import (
    OptimisticLockConflict,
    WaitlistEntryNotFound,
)
from scheduling.domain.waitlist import (
    WaitlistEntry,
    WaitlistStatus,
)
from tests.builders import (
    EIGHT,
    Clinic,
    a_caller,
    an_id,
    at,
)
from tests.contracts.storages import Storage
from tests.waiting import (
    a_clinic,
    a_wish,
    an_entry,
    save,
)


async def page(
    storage: Storage,
    clinic: Clinic,
    **wanted: Any,  # noqa: ANN401
) -> list[WaitlistEntry]:
    async with storage.begin(clinic.caller) as work:
        page = await work.waitlist.page(WaitlistFilter(**wanted))
    return [one.entry for one in page]


async def test_what_is_saved_is_read_back_whole(everywhere: Storage) -> None:
    clinic, _ = await a_clinic(everywhere)
    entry = an_entry(
        clinic.patients[0].id,
        practitioner_ids=(an_id(), clinic.practitioner.id),
        location_ids=(clinic.location.id,),
        service_type="it's",
        earliest=at("09:00"),
        latest=at("12:00", day=3),
        priority=-7,
    )
    await save(everywhere, clinic, entry)
    async with everywhere.begin(clinic.caller) as work:
        assert await work.waitlist.get(entry.id) == entry
        with pytest.raises(WaitlistEntryNotFound):
            await work.waitlist.get(an_id())  # type: ignore[arg-type]  # none has it
    async with everywhere.begin(a_caller()) as work:
        with pytest.raises(WaitlistEntryNotFound):
            await work.waitlist.get(entry.id)
    fulfilled = entry.fulfilled(an_id(), now=at("08:30"))
    await save(everywhere, clinic, fulfilled)
    async with everywhere.begin(clinic.caller) as work:
        assert await work.waitlist.get(entry.id) == replace(fulfilled, events=())


async def test_a_version_that_is_not_the_next_is_refused(everywhere: Storage) -> None:
    clinic, _ = await a_clinic(everywhere)
    entry = an_entry(clinic.patients[0].id)
    await save(everywhere, clinic, entry)
    await save(everywhere, clinic, entry.removed(now=EIGHT))
    for stale in (entry, entry.removed(now=EIGHT)):
        with pytest.raises(DecisionOutdated) as outdated:
            await save(everywhere, clinic, stale)
        assert isinstance(outdated.value.refusal, OptimisticLockConflict)


async def test_an_entry_is_told_and_audited_with_its_old_and_new(
    everywhere: Storage,
) -> None:
    clinic, reception = await a_clinic(everywhere)
    entry = await reception.wait(0)
    async with everywhere.begin(clinic.caller) as work:
        stored = await work.waitlist.get(entry.id)
        work.waitlist.save(stored.fulfilled(an_id(), now=at("08:30")))
    added, fulfilled = (
        one
        for one in sorted(await everywhere.audit(clinic.caller), key=lambda one: one.at)
        if one.entity_id == entry.id
    )
    assert (added.action, added.entity_type) == (
        "waitlist-entry.added",
        "waitlist-entry",
    )
    assert added.changes["patientId"] == (None, str(entry.patient_id))
    assert fulfilled.action == "waitlist-entry.fulfilled"
    assert fulfilled.changes["status"] == ("waiting", "fulfilled")
    assert (fulfilled.entity_id, fulfilled.entity_version) == (entry.id, 2)
    (last,) = (await everywhere.outbox(clinic.caller))[-1:]
    assert orjson.loads(last.body)["type"] == "waitlist.fulfilled"
    assert (last.aggregate_id, last.aggregate_version) == (entry.id, 2)


async def test_pages_are_by_age_and_lose_nobody(everywhere: Storage) -> None:
    clinic, _ = await a_clinic(everywhere)
    entries = [
        an_entry(clinic.patients[n % 2].id, now=at(f"07:0{n // 2}")) for n in range(9)
    ]
    await save(everywhere, clinic, *entries)
    in_order = sorted(entries, key=lambda one: (one.created_at, one.id))
    seen: list[WaitlistEntry] = []
    while found := await page(
        everywhere,
        clinic,
        limit=2,
        after=(seen[-1].created_at, seen[-1].id) if seen else None,
    ):
        assert len(found) <= 2
        seen += found
    assert seen == in_order


async def test_pages_are_of_a_status_and_of_a_patient(everywhere: Storage) -> None:
    clinic, _ = await a_clinic(everywhere)
    one, other = (an_entry(clinic.patients[n].id) for n in range(2))
    await save(everywhere, clinic, one, other)
    gone = other.removed(now=EIGHT)
    await save(everywhere, clinic, gone)
    waiting, removed = WaitlistStatus.WAITING, WaitlistStatus.REMOVED
    assert await page(everywhere, clinic, status=waiting) == [one]
    assert await page(everywhere, clinic, status=removed) == [gone]
    assert await page(everywhere, clinic, patient_id=one.patient_id) == [one]
    asked = {"patient_id": one.patient_id, "status": removed}
    assert await page(everywhere, clinic, **asked) == []
    assert await page(everywhere, replace(clinic, caller=a_caller())) == []


async def test_who_is_known_is_told_in_one_answer(everywhere: Storage) -> None:
    clinic, _ = await a_clinic(everywhere)
    wish = a_wish(
        clinic.patients[0].id,
        practitioner_ids=(clinic.practitioner.id, an_id()),
        location_ids=(an_id(), clinic.location.id),
    )
    async with everywhere.begin(clinic.caller) as work:
        known = await work.waitlist.known(wish)
        assert known.patient_active is True
        assert set(wish.practitioner_ids) - known.practitioner_ids == {
            wish.practitioner_ids[1]
        }
        assert set(wish.location_ids) - known.location_ids == {wish.location_ids[0]}
        assert (await work.waitlist.known(a_wish())).patient_active is None
        patient = await work.patients.find(clinic.patients[0].id)
        assert patient is not None
        gone = replace(patient, active=False)
        work.patients.save(put(patient, gone, expected=None, now=EIGHT))
    async with everywhere.begin(clinic.caller) as work:
        assert (await work.waitlist.known(wish)).patient_active is False
