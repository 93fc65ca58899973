"""After every step: storage is what the model says, row by row."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from hypothesis.stateful import invariant

from scheduling.adapters.cloud_events.outgoing import Envelope
from scheduling.domain.appointment import Appointment
from scheduling.domain.claim import Claim
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot
from scheduling.domain.waitlist import WaitlistEntry
from tests.fakes.transaction import AuditRow, StoredReminder
from tests.property.life_desk import Desk
from tests.property.life_world import KEEPING, Visit

Facts = dict[str, Any]
COUNTS = {"slotsBlocked", "slotsOpened", "slotsRetired"}


class Seeing(Desk):
    def __init__(self) -> None:
        super().__init__()
        self.past: dict[UUID, list[Facts]] = defaultdict(list)
        """What each version of a visit was; no step makes two of them."""
        self.actors: dict[UUID, list[str]] = defaultdict(list)

    @invariant()
    def storage_is_what_the_model_says(self) -> None:
        if hasattr(self, "model"):
            self.run(self._compare())

    async def _compare(self) -> None:
        storage, caller = self.storage, self.caller
        for id, visit in self.model.visits.items():
            if len(self.past[id]) < visit.version:
                self.past[id].append(self._facts(visit))
                self.actors[id].append(self.actor)
        self._visits_are_right(await storage.appointments(caller))
        self._slots_are_right(await storage.slots(caller))
        self._claims_are_right(await storage.claims(caller))
        self._reminders_are_right(await storage.reminders(caller))
        self._entries_are_right(await storage.waitlist(caller))
        self._news_is_right(await storage.outbox(caller))
        self._audit_is_right(await storage.audit(caller))

    def _visits_are_right(self, stored: Sequence[Appointment]) -> None:
        visits = self.model.visits
        assert {one.id for one in stored} == set(visits)
        for one in stored:
            self._is_the_same(one, visits[one.id])

    def _facts(self, visit: Visit) -> Facts:
        """What events and audit tell of it, by the names that they have for it."""
        return {
            "status": visit.status,
            "practitionerId": str(self.practitioners[visit.practitioner].id),
            "locationId": str(self.locations[visit.location].id),
            "slotIds": [str(id) for id in visit.slots],
            "start": _as_json(visit.start),
            "end": _as_json(visit.end),
            "appointmentType": visit.kind,
            "overbooked": visit.overbooked,
        }

    def _is_the_same(self, one: Appointment, visit: Visit) -> None:
        assert (one.status, one.version) == (visit.status, visit.version)
        assert list(one.slot_ids) == visit.slots
        assert one.schedule_id == self.schedules[visit.calendar].id
        assert one.period == Period(visit.start, visit.end)
        assert one.practitioner_id == self.practitioners[visit.practitioner].id
        assert one.location_id == self.locations[visit.location].id
        assert one.patient_id == self.patients[visit.patient].id
        assert one.timezone == visit.zone
        assert one.appointment_type == visit.kind
        assert [room.id for room in one.resources] == _if_any(visit.room)
        assert one.overbooked == visit.overbooked
        if visit.status == "pending":
            held = (one.hold_expires_at, one.held_by)
            assert held == (visit.hold_until, visit.held_by)
        series = one.series_id and (one.series_id, one.series_index)
        assert series == visit.series

    def _slots_are_right(self, stored: Sequence[Slot]) -> None:
        slots = self.model.slots
        assert {one.id for one in stored} == set(slots)
        for one in stored:
            slot = slots[one.id]
            assert (one.booked, one.status, one.version, one.blocked_by) == (
                slot.booked,
                slot.status,
                slot.version,
                slot.blocked_by,
            )
            assert one.period == Period(slot.start, slot.end)
            assert (one.capacity, one.opened_by) == (slot.capacity, slot.opened_by)
            assert one.schedule_id == self.schedules[slot.calendar].id

    def _claims_are_right(self, stored: Sequence[Claim]) -> None:
        wanted: set[tuple[Any, ...]] = set()
        for visit in self.model.visits.values():
            if visit.status not in KEEPING:
                continue
            until = visit.hold_until if visit.status == "pending" else None
            for take in self.model.takes(visit):
                over = (take.kind, take.slot) in visit.over
                whose = {
                    "patient": self.patients[visit.patient].id,
                    "practitioner": self.practitioners[visit.practitioner].id,
                    "room": visit.room,
                }[take.kind]
                time = (take.start, take.end, take.until)
                share = take.slot or visit.id
                wanted.add((visit.id, until, take.kind, whose, share, *time, over))
        seen = [
            (
                one.appointment_id,
                one.expires_at,
                one.kind.name.lower(),
                one.actor_id,
                one.share_id,
                one.period.start,
                one.period.end,
                one.until,
                one.overbooked,
            )
            for one in stored
        ]
        assert len(seen) == len(set(seen))
        assert set(seen) == wanted

    def _reminders_are_right(self, stored: Iterable[StoredReminder]) -> None:
        assert sorted(
            (
                one.appointment_id,
                one.appointment_version,
                one.due_at,
                one.offset_minutes,
                one.channel,
                one.status,
            )
            for one in stored
        ) == sorted(
            (id, n.version, n.due, n.minutes, n.channel, n.status)
            for id, visit in self.model.visits.items()
            for n in visit.notices
        )

    def _entries_are_right(self, stored: Sequence[WaitlistEntry]) -> None:
        entries = self.model.entries
        assert {one.id for one in stored} == set(entries)
        for one in stored:
            entry = entries[one.id]
            assert (one.status, one.version) == (entry.status, entry.version)
            assert one.appointment_id == entry.visit
            assert one.patient_id == self.patients[entry.patient].id
            assert (one.earliest, one.latest) == (entry.earliest, entry.latest)
            assert (one.priority, one.created_at) == (entry.priority, entry.since)

    # News

    def _news_is_right(self, outbox: Sequence[Envelope]) -> None:
        told: dict[UUID, list[tuple[str, int, Any]]] = defaultdict(list)
        for envelope in outbox:
            body = orjson.loads(envelope.body)
            version = envelope.aggregate_version
            assert body["aggregateversion"] == version
            told[envelope.aggregate_id].append((body["type"], version, body["data"]))
        for of_one in told.values():
            versions = [version for _, version, _ in of_one]
            assert versions == sorted(versions), of_one
        for id, visit in self.model.visits.items():
            assert [one[:2] for one in told[id]] == visit.news
            for type, version, data in told.pop(id):
                if type != "waitlist.slot-available":
                    self._tells_what_is_so(id, version, data)
        self._who_waits_is_told(outbox)
        for id, news in self.model.slot_news.items():
            seen = [(type, v, data["remaining"]) for type, v, data in told.pop(id)]
            assert seen == news
        for id, changes in self.model.calendar_news.items():
            of_this = [one for one in told.pop(id) if one[0] != "schedule.published"]
            assert [set(data["changed"]) for _, _, data in of_this] == changes
            named = {"practitionerRoleId", "scheduleId"}
            for type, _, data in of_this:
                of_a_role = type == "practitioner-role.changed"
                assert type in {"practitioner-role.changed", "schedule.changed"}
                subject = "practitionerRoleId" if of_a_role else "scheduleId"
                assert data[subject] == str(id)
                assert (named <= set(data)) is of_a_role
        for id, entry in self.model.entries.items():
            ended = entry.status == "fulfilled"
            assert [one[0] for one in told.pop(id, [])] == [
                "waitlist.fulfilled"
            ] * ended
        assert {type for some in told.values() for type, _, _ in some} <= {
            "schedule.published"
        }

    def _tells_what_is_so(self, id: UUID, version: int, data: Facts) -> None:
        now = self.past[id][version - 1]
        assert data == {**data, **{name: now[name] for name in set(now) & set(data)}}
        if "old" in data:
            was = self.past[id][version - 2]
            assert data["old"] == {name: was[name] for name in data["old"]}
            changed = {name for name, value in now.items() if was[name] != value}
            assert changed == set(data["changed"]) - {"resources"}
        if "oldStatus" in data:
            steps = [one["status"] for one in self.past[id][version - 2 : version]]
            assert [data["oldStatus"], data["newStatus"]] == steps

    def _who_waits_is_told(self, outbox: Sequence[Envelope]) -> None:
        seen = []
        for envelope in outbox:
            body = orjson.loads(envelope.body)
            if body["type"] == "waitlist.slot-available":
                data = body["data"]
                entries = [one["waitlistEntryId"] for one in data["candidates"]]
                seen.append(
                    (
                        str(envelope.aggregate_id),
                        envelope.aggregate_version,
                        data["slotIds"],
                        data["start"],
                        data["end"],
                        entries,
                    )
                )
        assert sorted(seen) == sorted(
            (
                str(id),
                one.version,
                [str(slot) for slot in one.slots],
                _as_json(one.start),
                _as_json(one.end),
                [str(entry) for entry in one.entries],
            )
            for id, visit in self.model.visits.items()
            for one in visit.told
        )

    # Audit

    def _audit_is_right(self, stored: Sequence[AuditRow]) -> None:
        rows: dict[UUID, list[AuditRow]] = defaultdict(list)
        for row in stored:
            rows[row.entity_id].append(row)
        for id, visit in self.model.visits.items():
            assert _actions(rows[id]) == list(enumerate(visit.audit, start=1))
            by = sorted((row.entity_version or 0, row.actor) for row in rows[id])
            assert [actor for _, actor in by] == self.actors[id]
            for row in rows[id]:
                assert row.entity_version is not None
                was, now = [Facts(), *self.past[id]][row.entity_version - 1 :][:2]
                assert {n: row.changes[n] for n in set(now) & set(row.changes)} == {
                    name: (was.get(name), value)
                    for name, value in now.items()
                    if was.get(name, ...) != value
                }
        for id, audit in self.model.slot_audit.items():
            assert _actions(rows[id]) == audit
        for id, said in self.model.said.items():
            seen_of_it = [
                (row.action, {n: row.changes[n][1] for n in COUNTS & set(row.changes)})
                for row in sorted(rows[id], key=lambda row: row.action)
            ]
            assert seen_of_it == said.audit
        for id, entry in self.model.entries.items():
            actions = ["added", *([entry.status] if entry.version > 1 else [])]
            assert _actions(rows[id]) == [
                (n, f"waitlist-entry.{one}") for n, one in enumerate(actions, start=1)
            ]


def _actions(rows: Iterable[AuditRow]) -> list[tuple[int | None, str]]:
    """By version: of one millisecond, ids do not tell who was first."""
    return sorted((row.entity_version, row.action) for row in rows)


def _if_any(room: UUID | None) -> list[UUID]:
    return [] if room is None else [room]


def _as_json(instant: Any) -> str:  # noqa: ANN401
    return instant.isoformat().replace("+00:00", "Z")  # type: ignore[no-any-return]
