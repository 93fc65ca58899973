"""Make a calendar's slots follow its rules, in the caller's transaction."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.desired_slots import DesiredSlots, Horizon, Part, digest_of
from scheduling.domain.directory import Location
from scheduling.domain.generation import MOST_TOLD, Generation, Tally, Trigger
from scheduling.domain.identifiers import GenerationRunId, ScheduleId, new_id
from scheduling.domain.schedule import calendar_of
from scheduling.domain.slot_difference import Difference, StoredSlot, difference

MOST_AT_ONCE = 5_000
"""Slots that are looked at together, about: the slots of a year are not."""


async def generate_slots(
    work: UnitOfWork,
    schedule_id: ScheduleId,
    *,
    almanac: Almanac,
    trigger: Trigger,
    source_event_id: str,
    role_version: int | None = None,
    now: Clock,
    dry_run: bool = False,
) -> Generation | None:
    """Return the run, or the stored one where the event was followed before.

    None where newer news of the role than `role_version` was followed: nothing is done.
    What is followed is what is stored now, whatever the news said. The schedule is held
    until the transaction is left. Raise ScheduleNotFound where there is none.
    """
    started = now()
    if dry_run:
        held = await work.schedules.get(schedule_id)
    else:
        held = await work.schedule_exceptions.hold(schedule_id)
    facts = await work.generation.facts_for(held, source_event_id)
    if facts.run is not None:
        return replace(facts.run, repeated=True)
    if facts.is_stale(role_version):
        return None
    schedule = held
    if facts.role is not None:
        timezone = facts.location.timezone
        schedule = calendar_of(facts.role, held, timezone=timezone, now=started)
    horizon = Horizon.of(schedule, facts.settings, started)
    exceptions = await work.schedule_exceptions.touching(schedule.id, horizon.around)
    making = _Making(
        work=work,
        desired=DesiredSlots(
            schedule=schedule,
            role=facts.role,
            closed_days=_closed_days(almanac, facts.location, horizon),
            exceptions=tuple(exceptions),
            horizon=horizon,
        ),
        run_id=GenerationRunId(new_id(started)),
        source_event_id=source_event_id,
        dry_run=dry_run,
    )
    tally, digest = await making()
    run = Generation(
        id=making.run_id,
        schedule_id=schedule.id,
        practitioner_role_id=schedule.practitioner_role_id,
        role_version=None if facts.role is None else facts.role.version,
        trigger=trigger,
        source_event_id=source_event_id,
        first_day=horizon.first_day,
        last_day=horizon.last_day,
        tzdata_version=almanac.tzdata_version,
        digest=digest,
        created=tally.created,
        updated=tally.updated,
        unchanged=tally.unchanged,
        conflicts=tally.conflicts,
        retired=tally.retired,
        retained=tally.retained,
        kept_by_reason=tally.by_reason,
        kept=tuple(tally.kept),
        affected=tuple(tally.affected)[:MOST_TOLD],
        started_at=started,
        duration_ms=(now() - started) // _MILLISECOND,
        dry_run=dry_run,
        changes=tuple(tally.changes),
    )
    if not dry_run:
        if schedule != held:
            await work.schedules.get(held.id)
            work.schedules.save(schedule)
        work.generation.add(run, schedule)
    return run


_MILLISECOND = timedelta(milliseconds=1)


def _closed_days(
    almanac: Almanac, location: Location, horizon: Horizon
) -> frozenset[date]:
    first, last = horizon.days_that_matter
    closed = {day for day in location.closed_days if first <= day <= last}
    if location.observes_public_holidays and location.country is not None:
        closed.update(
            almanac.public_holidays(location.country, location.subdivision, first, last)
        )
    return frozenset(closed)


@dataclass(frozen=True, kw_only=True)
class _Making:
    work: UnitOfWork
    desired: DesiredSlots
    run_id: GenerationRunId
    source_event_id: str
    dry_run: bool

    async def __call__(self) -> tuple[Tally, str]:
        """Make it so, and return what was done with the digest of what is desired."""
        schedule, now = self.desired.schedule, self.desired.horizon.now
        there = await self.work.generation.own_slots(schedule, now)
        parts = self._parts(there.number)
        digest = digest_of(schedule.timezone, parts())
        tally = Tally(now, shows=self.dry_run)
        if digest == there.digest:
            tally.unchanged = there.number
            return tally, digest
        before = await self.work.generation.in_progress(schedule.id, now)
        for part in parts():
            async for piece, slots in self._stored(part, any=there.number > 0):
                before = await self._follow(piece, slots, before, tally)
        return tally, digest

    def _parts(self, stored: int) -> Callable[[], Iterable[Part]]:
        """Few are laid once and kept, many are laid again when they are needed."""
        horizon = self.desired.horizon
        days = (horizon.last_day - horizon.first_day).days + 2
        a_day = self.desired.most_on_a_day() + stored // days
        at_once = max(1, MOST_AT_ONCE // max(1, a_day))
        if at_once < days:
            return lambda: self.desired.parts(at_once)
        few = tuple(self.desired.parts(days))
        return lambda: few

    async def _stored(
        self, part: Part, *, any: bool
    ) -> AsyncIterator[tuple[Part, Sequence[StoredSlot]]]:
        """Yield a part with its slots; after the horizon a page of them at a time."""
        slots, id = self.work.generation.slots, self.desired.schedule.id
        if not any:
            yield part, ()
        elif part.until is not None:
            yield part, await slots(id, part.since, part.until)
        else:
            since, found = part.since, await slots(id, part.since, None, MOST_AT_ONCE)
            while len(found) == MOST_AT_ONCE:
                until = max(found[-1].start, since + timedelta.resolution)
                yield (
                    Part(since, until, ()),
                    [slot for slot in found if slot.start < until],
                )
                since, found = until, await slots(id, until, None, MOST_AT_ONCE)
            yield Part(since, None, ()), found

    async def _follow(
        self,
        part: Part,
        stored: Sequence[StoredSlot],
        before: Sequence[StoredSlot],
        tally: Tally,
    ) -> Sequence[StoredSlot]:
        """Carry a part out; return the slots that stay and reach over its end."""
        schedule, generation = self.desired.schedule, self.work.generation
        found = difference(part, stored, before, self.desired)
        if not self.dry_run:
            stored = await self._locked(stored, found)
            found = difference(part, stored, before, self.desired)
        taken = [slot for slot in found.kept if slot.is_taken]
        tally.add(found, await generation.occupants(schedule, taken) if taken else ())
        if not self.dry_run:
            await generation.carry_out(
                schedule,
                found,
                run_id=self.run_id,
                source_event_id=self.source_event_id,
                now=self.desired.horizon.now,
            )
        return found.reaching_over

    async def _locked(
        self, stored: Sequence[StoredSlot], found: Difference
    ) -> Sequence[StoredSlot]:
        """Return the slots as they are now, those that are to be written locked: who
        booked one of them meanwhile keeps it.
        """
        touched = found.touched
        if not touched:
            return stored
        now = {slot.id: slot for slot in await self.work.generation.lock(touched)}
        gone = {slot.id for slot in touched} - now.keys()
        return [now.get(slot.id, slot) for slot in stored if slot.id not in gone]
