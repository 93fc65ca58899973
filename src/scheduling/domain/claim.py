"""The stretch of time that an active appointment takes from an exclusive actor."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import accumulate, islice
from typing import Self
from uuid import UUID

from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.period import Period


class ActorKind(IntEnum):
    """Who can be in one place at a time only. The numbers are stored."""

    PRACTITIONER = 1
    PATIENT = 2
    ROOM = 3
    DEVICE = 4


@dataclass(frozen=True, slots=True)
class Resource:
    """An exclusive thing that an appointment names: a room or a device."""

    kind: ActorKind
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Claims of one actor may not overlap unless they carry the same `share_id`:
    all patients of one group slot share its practitioner and its room.

    `until` is the end with the buffer as it was when the time was booked. An overbooked
    claim is seen by those who ask first, and does not stop those who may override.
    A hold's claim stands in nobody's way from `expires_at` on, swept or not.
    """

    appointment_id: AppointmentId
    kind: ActorKind
    actor_id: UUID
    share_id: UUID
    period: Period
    until: datetime
    overbooked: bool = False
    expires_at: datetime | None = None

    def has_lapsed(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def is_in_the_way_of(self, other: Self) -> bool:
        return (
            self.kind is other.kind
            and self.actor_id == other.actor_id
            and self.share_id != other.share_id
            and self.period.start < other.until
            and other.period.start < self.until
        )


@dataclass(frozen=True, slots=True)
class Clashes:
    """Appointments that are in the way, and those whose buffer alone is."""

    overlapping: tuple[UUID, ...] = ()
    buffering: tuple[UUID, ...] = ()


SOMEBODY = UUID(int=0)
"""Stands for the appointment in the way where a search does not ask which it is."""


def pairs_in_the_way(
    wanted: Sequence[Claim], standing: Iterable[Claim]
) -> Iterator[tuple[Claim, Claim]]:
    """Yield (wanted, standing) for each two that cannot both be.

    The first wanted claim that a standing one can meet is found by halves: a group
    session's day has thousands of standing claims.
    """
    of_actor: dict[tuple[ActorKind, UUID], list[Claim]] = {}
    for claim in sorted(wanted, key=lambda claim: claim.period.start):
        of_actor.setdefault((claim.kind, claim.actor_id), []).append(claim)
    ends = {
        actor: list(accumulate((claim.until for claim in claims), max))
        for actor, claims in of_actor.items()
    }
    for other in standing:
        actor = (other.kind, other.actor_id)
        claims = of_actor.get(actor, [])
        first = bisect_right(ends.get(actor, []), other.period.start)
        for claim in islice(claims, first, None):
            if claim.period.start >= other.until:
                break
            if claim.is_in_the_way_of(other):
                yield claim, other


def clashes(wanted: Sequence[Claim], standing: Iterable[Claim]) -> Clashes:
    overlapping: dict[UUID, None] = {}
    buffering: dict[UUID, None] = {}
    for claim, other in pairs_in_the_way(wanted, standing):
        real = claim.period.overlaps(other.period)
        (overlapping if real else buffering)[other.appointment_id] = None
    return Clashes(
        tuple(overlapping), tuple(id for id in buffering if id not in overlapping)
    )


def claims_of(
    appointment_id: AppointmentId,
    *,
    period: Period,
    practitioner_id: UUID,
    patient_id: UUID,
    resources: Iterable[Resource],
    slots: Iterable[tuple[UUID, Period]],
    buffer: timedelta,
    overbooked: bool,
    expires_at: datetime | None = None,
) -> tuple[Claim, ...]:
    """Return what an appointment takes, in the one order in which all take theirs.

    A resource that is named twice is taken once.

    The practitioner and each resource are taken slot by slot (so that group slots can
    share them), the practitioner with the buffer behind the last; the patient at once.
    """
    claims = [
        Claim(
            appointment_id=appointment_id,
            kind=ActorKind.PATIENT,
            actor_id=patient_id,
            share_id=appointment_id,
            period=period,
            until=period.end,
            overbooked=overbooked,
            expires_at=expires_at,
        )
    ]
    exclusive = [
        (ActorKind.PRACTITIONER, practitioner_id, buffer),
        *((one.kind, one.id, timedelta()) for one in dict.fromkeys(resources)),
    ]
    for slot_id, of_slot in slots:
        stretch = Period(of_slot.start, min(of_slot.end, period.end))
        last = stretch.end == period.end
        for kind, actor_id, after in exclusive:
            claims.append(
                Claim(
                    appointment_id=appointment_id,
                    kind=kind,
                    actor_id=actor_id,
                    share_id=slot_id,
                    period=stretch,
                    until=stretch.end + after if last else stretch.end,
                    overbooked=overbooked,
                    expires_at=expires_at,
                )
            )
    claims.sort(key=lambda claim: (claim.kind, claim.actor_id, claim.period.start))
    return tuple(claims)
