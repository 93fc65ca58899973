"""Patients who wait for time that is not to be had yet, and what is offered to them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self
from uuid import UUID

from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import (
    InvalidInput,
    InvalidPeriod,
    InvalidStatusTransition,
    LocationNotFound,
    PatientNotFound,
    PractitionerNotFound,
)
from scheduling.domain.events import (
    Event,
    WaitlistFulfilled,
    WaitlistOfferAccepted,
    WaitlistOfferDeclined,
    WaitlistOffered,
    WaitlistOfferEvent,
    WaitlistOfferExpired,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    WaitlistEntryId,
    new_id,
)
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot
from scheduling.domain.waitlist_offer import OfferStatus, WaitlistOffer

LONGEST_WISH = timedelta(days=366)


class WaitlistStatus(StrEnum):
    WAITING = "waiting"
    FULFILLED = "fulfilled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A patient wants time wholly between `earliest` and `latest`; no practitioner and
    no location means any. A higher priority comes first.
    """

    patient_id: PatientId
    practitioner_ids: tuple[PractitionerId, ...] = ()
    location_ids: tuple[LocationId, ...] = ()
    service_type: str | None = None
    earliest: datetime
    latest: datetime
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistEntry(Wish):
    """A wish that was taken down, and what became of it.

    `offer` is what is offered to it now; in the step that ends that, how it ended.
    """

    id: WaitlistEntryId
    status: WaitlistStatus = WaitlistStatus.WAITING
    appointment_id: AppointmentId | None = None
    offer: WaitlistOffer | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1
    events: tuple[Event, ...] = ()

    @classmethod
    def added(cls, wish: Wish, *, now: datetime) -> Self:
        if wish.latest <= wish.earliest:
            raise InvalidPeriod("must be after earliest", "latest")
        if wish.latest <= now:
            raise InvalidInput("must be in the future", "latest")
        if wish.latest - wish.earliest > LONGEST_WISH:
            raise InvalidInput(
                f"must be {LONGEST_WISH.days} days after earliest at most", "latest"
            )
        return cls(
            id=WaitlistEntryId(new_id(now)),
            patient_id=wish.patient_id,
            practitioner_ids=wish.practitioner_ids,
            location_ids=wish.location_ids,
            service_type=wish.service_type,
            earliest=wish.earliest,
            latest=wish.latest,
            priority=wish.priority,
            created_at=now,
            updated_at=now,
        )

    def fulfilled(self, appointment_id: AppointmentId, *, now: datetime) -> Self:
        """Whoever is booked has accepted the offer of that time, and declined any
        other.
        """
        offer = self.offer
        taken = offer is not None and offer.appointment_id == appointment_id
        how = OfferStatus.ACCEPTED if taken else OfferStatus.DECLINED
        ended = self._ended(WaitlistStatus.FULFILLED, how, now)
        event = WaitlistFulfilled(
            occurred_at=now,
            version=ended.version,
            waitlist_entry_id=self.id,
            patient_id=self.patient_id,
            appointment_id=appointment_id,
        )
        return replace(
            ended, appointment_id=appointment_id, events=(*ended.events, event)
        )

    def removed(self, *, now: datetime) -> Self:
        return self._ended(WaitlistStatus.REMOVED, OfferStatus.DECLINED, now)

    def demand_waiting(self) -> None:
        if self.status is not WaitlistStatus.WAITING:
            raise InvalidStatusTransition(
                f"Waitlist entry {self.id} is {self.status}: it waits no more."
            )

    def _ended(self, status: WaitlistStatus, offer: OfferStatus, now: datetime) -> Self:
        self.demand_waiting()
        return replace(self._answered(offer, now), status=status)

    def offered(
        self,
        hold: Appointment,
        *,
        source_event_id: str,
        candidates: tuple[WaitlistEntryId, ...],
        now: datetime,
    ) -> Self:
        """Let freed time be kept for it: it goes on waiting until it answers."""
        self.demand_waiting()
        offer = WaitlistOffer.of(
            hold, source_event_id=source_event_id, candidates=candidates, now=now
        )
        time = offer.time
        event = WaitlistOffered(
            practitioner_id=time.practitioner_id,
            location_id=time.location_id,
            slot_ids=time.slot_ids,
            period=time.period,
            timezone=time.timezone,
            appointment_type=time.appointment_type,
            expires_at=offer.expires_at,
            **self._told(offer, now),
        )
        return self._next(now, event, offer=offer)

    def demand_askable(self) -> None:
        """Raise InvalidStatusTransition where it waits no more, or has an offer that
        nobody has ended yet.
        """
        self.demand_waiting()
        if self.offer is not None:
            raise InvalidStatusTransition(
                f"Something is offered to waitlist entry {self.id} already."
            )

    def demand_offer(self) -> WaitlistOffer:
        """Return what is offered to it, or raise InvalidStatusTransition."""
        self.demand_waiting()
        if self.offer is None:
            raise InvalidStatusTransition(
                f"Nothing is offered to waitlist entry {self.id}."
            )
        return self.offer

    def offer_declined(self, *, now: datetime) -> Self:
        self.demand_offer()
        return self._answered(OfferStatus.DECLINED, now)

    def offer_expired(self, *, now: datetime) -> Self:
        self.demand_offer()
        return self._answered(OfferStatus.EXPIRED, now)

    def _answered(self, how: OfferStatus, now: datetime) -> Self:
        if self.offer is None:
            return self._next(now)
        event = _ANSWERS[how](**self._told(self.offer, now))
        return self._next(now, event, offer=self.offer.ended(how, now=now))

    def _told(self, offer: WaitlistOffer, now: datetime) -> dict[str, Any]:
        return {
            "occurred_at": now,
            "version": self.version + 1,
            "offer_id": offer.id,
            "waitlist_entry_id": self.id,
            "patient_id": self.patient_id,
            "appointment_id": offer.appointment_id,
        }

    def _next(self, now: datetime, *events: Event, **changes: Any) -> Self:  # noqa: ANN401
        return replace(
            self, version=self.version + 1, updated_at=now, events=events, **changes
        )

    @property
    def rank(self) -> tuple[int, datetime, UUID]:
        """Priority, then who has waited longest."""
        return -self.priority, self.created_at, self.id

    def last_step(self, before: Self | None) -> str:
        """What was done last, in one word."""
        if before is None:
            return "added"
        if self.status is not before.status or self.offer is None:
            return self.status
        return self.offer.status

    def wants(self, slot: Slot, period: Period) -> bool:
        """Whether it is time in a slot that was wished for."""
        return (
            _names(slot.practitioner_id, self.practitioner_ids)
            and _names(slot.location_id, self.location_ids)
            and (
                self.service_type is None
                or _names(self.service_type, slot.service_types)
            )
            and self.earliest <= period.start
            and period.end <= self.latest
        )


_ANSWERS: Mapping[OfferStatus, type[WaitlistOfferEvent]] = MappingProxyType(
    {
        OfferStatus.ACCEPTED: WaitlistOfferAccepted,
        OfferStatus.DECLINED: WaitlistOfferDeclined,
        OfferStatus.EXPIRED: WaitlistOfferExpired,
    }
)


def _names(one: object, some: tuple[object, ...]) -> bool:
    """Whether one of them is meant; none is any."""
    return not some or one in some


@dataclass(frozen=True, slots=True)
class Known:
    """Who of those that a wish names is there; `patient_active` is None where the
    patient is not.
    """

    patient_active: bool | None
    practitioner_ids: frozenset[UUID]
    location_ids: frozenset[UUID]

    def demand_all_of(self, wish: Wish) -> None:
        if not self.patient_active:
            raise PatientNotFound(wish.patient_id)
        for practitioner_id in wish.practitioner_ids:
            if practitioner_id not in self.practitioner_ids:
                raise PractitionerNotFound(practitioner_id)
        for location_id in wish.location_ids:
            if location_id not in self.location_ids:
                raise LocationNotFound(location_id)
