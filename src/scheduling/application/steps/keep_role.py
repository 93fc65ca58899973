"""What every change of a practitioner role has to do with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling.application.ports.schedule_exceptions import Affected
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.calendar_news import ends, role_and_calendar
from scheduling.domain.errors import (
    LocationNotFound,
    PractitionerNotFound,
    PractitionerRoleNotFound,
)
from scheduling.domain.identifiers import PractitionerRoleId
from scheduling.domain.schedule import PractitionerRole, Schedule
from scheduling.domain.version import ExpectedVersion, demand_version


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role with its calendar, which nobody else changes until we are done. Neither is
    there before the first put; one that was deleted still is.
    """

    role: PractitionerRole | None
    calendar: Schedule | None


@dataclass(frozen=True, slots=True)
class KeptRole:
    """`affected` keep their time, though the role ends with this step."""

    role: PractitionerRole
    affected: Sequence[Affected] = ()


async def hold_role(work: UnitOfWork, id: PractitionerRoleId) -> HeldRole:
    """Call it before anything is read that the role's calendar follows."""
    calendar = await work.schedules.hold_of_role(id)
    return HeldRole(await work.practitioner_roles.find(id), calendar)


async def role_to_change(
    work: UnitOfWork, id: PractitionerRoleId, expected: ExpectedVersion | None
) -> tuple[HeldRole, PractitionerRole]:
    """As `hold_role`, of one that must be there, in the version that was named."""
    held = await hold_role(work, id)
    if held.role is None or held.role.is_deleted:
        raise PractitionerRoleNotFound(id)
    demand_version(expected, held.role.version)
    return held, held.role


async def put_role(
    work: UnitOfWork,
    wanted: PractitionerRole,
    *,
    expected: ExpectedVersion | None,
    now: datetime,
) -> KeptRole:
    """Store it, with its calendar and its news. The same again leaves no trace."""
    held = await hold_role(work, wanted.id)
    if await work.practitioners.find(wanted.practitioner_id) is None:
        raise PractitionerNotFound(wanted.practitioner_id)
    role = wanted.put(held.role, expected=expected, now=now)
    return await keep_role(work, role, held, now=now)


async def keep_role(
    work: UnitOfWork, role: PractitionerRole, held: HeldRole, *, now: datetime
) -> KeptRole:
    """Store its next version, with its calendar and its news."""
    location = await work.locations.find(role.location_id)
    if location is None:
        raise LocationNotFound(role.location_id)
    role, calendar = role_and_calendar(
        role, held.role, held.calendar, timezone=location.timezone, now=now
    )
    work.practitioner_roles.save(role)
    work.schedules.save(calendar)
    if not ends(role, held.role):
        return KeptRole(role)
    return KeptRole(role, await work.calendar_news.visits_ahead(calendar, now))
