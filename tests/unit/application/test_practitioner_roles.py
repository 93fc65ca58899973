"""What the use cases of roles add to the domain's rules."""

from typing import Any

import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.delete_practitioner_role import (
    DeletePractitionerRole,
)
from scheduling.application.commands.patch_practitioner_role import (
    PatchPractitionerRole,
)
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.queries.get_practitioner_role import GetPractitionerRole
from scheduling.application.steps.keep_role import KeptRole
from scheduling.domain.booking_request import BySlot
from scheduling.domain.errors import (
    OptimisticLockConflict,
    PractitionerNotAssigned,
    PractitionerRoleNotFound,
    PreconditionRequired,
)
from scheduling.domain.identifiers import PractitionerRoleId
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion
from tests.builders import EIGHT, Clinic, a_role, an_id, between, open_clinic
from tests.fakes.storage import MemoryStorage

FIRST = ExpectedVersion(1)


class Desk:
    """A clinic with a role, and a slot of the role's calendar."""

    def __init__(self, storage: MemoryStorage, clinic: Clinic) -> None:
        self.storage, self.clinic = storage, clinic
        self.role = a_role(clinic.practitioner.id, clinic.location.id)
        self.id = self.role.id

    async def put(self, **told: Any) -> KeptRole:  # noqa: ANN401
        put = PutPractitionerRole(self.storage.begin, lambda: EIGHT)
        wanted = a_role(
            self.clinic.practitioner.id,
            self.clinic.location.id,
            **{"id": self.id, **told},
        )
        return await put(self.clinic.caller, wanted)

    async def patch(
        self, fields: dict[str, Any], expected: ExpectedVersion | None = FIRST
    ) -> KeptRole:
        patch = PatchPractitionerRole(self.storage.begin, lambda: EIGHT)
        return await patch(self.clinic.caller, self.id, fields, expected=expected)

    async def delete(self, expected: ExpectedVersion | None = FIRST) -> KeptRole:
        delete = DeletePractitionerRole(self.storage.begin, lambda: EIGHT)
        return await delete(self.clinic.caller, self.id, expected=expected)

    async def get(self) -> object:
        get = GetPractitionerRole(self.storage.begin)
        return await get(self.clinic.caller, self.id)

    async def slot(self) -> Slot:
        async with self.storage.begin(self.clinic.caller) as work:
            calendar = await work.schedules.of_role(self.id)
            assert calendar is not None
            slot = Slot.opened(
                calendar,
                between("10:00", "10:30"),
                capacity=1,
                service_types=(),
                now=EIGHT,
            )
            work.slots.add(slot)
        return slot

    async def book(self, slot: Slot, patient: int = 0) -> object:
        book = BookAppointment(self.storage.begin, lambda: EIGHT)
        request = self.clinic.request(patient, when=BySlot(slot.id))
        return (await book(self.clinic.caller, request)).id


@pytest.fixture
async def desk(storage: MemoryStorage) -> Desk:
    return Desk(storage, await open_clinic(storage.begin))


@pytest.mark.parametrize("ending", ["deleted", "patched", "put"])
async def test_who_ends_a_role_is_told_whose_visits_stay(
    desk: Desk, ending: str
) -> None:
    await desk.put()
    visit = await desk.book(await desk.slot())
    match ending:
        case "deleted":
            kept = await desk.delete()
        case "patched":
            kept = await desk.patch({"active": False})
        case _:
            kept = await desk.put(active=False)
    assert [one.id for one in kept.affected] == [visit]
    assert (kept.role.active, kept.role.version) == (False, 2)


async def test_nobody_is_affected_by_another_change(desk: Desk) -> None:
    assert (await desk.put()).affected == ()
    await desk.book(await desk.slot())
    assert (await desk.patch({"specialties": ("x",)})).affected == ()
    assert (await desk.put(active=True)).affected == ()


async def test_a_role_that_is_over_sells_nothing_from_then_on(desk: Desk) -> None:
    """Also before anybody has taken its slots away."""
    await desk.put()
    slot = await desk.slot()
    await desk.delete()
    with pytest.raises(PractitionerNotAssigned):
        await desk.book(slot)


async def test_what_was_deleted_is_not_there(desk: Desk) -> None:
    await desk.put()
    await desk.delete()
    second = ExpectedVersion(2)
    for attempt in (desk.get(), desk.patch({}, second), desk.delete(second)):
        with pytest.raises(PractitionerRoleNotFound):
            await attempt
    desk.id = PractitionerRoleId(an_id())
    for attempt in (desk.get(), desk.patch({}), desk.delete()):
        with pytest.raises(PractitionerRoleNotFound):
            await attempt


async def test_a_change_says_which_version_it_was_decided_on(desk: Desk) -> None:
    await desk.put()
    for attempt in (desk.patch({}, None), desk.delete(None)):
        with pytest.raises(PreconditionRequired):
            await attempt
    stale = ExpectedVersion(7)
    for attempt in (desk.patch({}, stale), desk.delete(stale)):
        with pytest.raises(OptimisticLockConflict):
            await attempt
    assert (await desk.patch({})).role.version == 1, "nothing was changed"


async def test_the_end_of_a_role_is_recorded_as_that(desk: Desk) -> None:
    await desk.put()
    await desk.delete()
    actions = [
        (row.action, row.entity_version)
        for row in await desk.storage.audit(desk.clinic.caller)
        if row.entity_id == desk.id
    ]
    assert actions == [("practitioner-role.put", 1), ("practitioner-role.deleted", 2)]
