"""One message, from its delivery to its answer."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from scheduling.adapters.nats.subscription import Delivery
from scheduling.application.commands.keep_dead_letter import KeepDeadLetter
from scheduling.application.commands.receive_event import ReceiveEvent
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.dead_letters import MAX_DELIVERIES
from scheduling.application.ports.inbox import ReceivedEvent
from scheduling.application.ports.messages import AppointmentRequested, Message
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.application.ports.registry import PatientCachePort
from scheduling.application.ports.unavailable import DatabaseUnavailable, Unavailable
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.errors import DomainError
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.inbox.figures import InboxFigures
from scheduling.entrypoints.inbox.received import (
    Received,
    caller_of,
    dead_letter,
    keeper_of,
)

LONGEST_PAUSE = 300.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """Follows what it is given, and answers for it to the broker.

    `away` is called when the database does not answer: nothing more should be taken.
    `first_pause`: seconds before what failed is delivered again; then twice as many,
    and so on; with the last of `max_deliver` deliveries it is put aside. `patients` is
    asked for whom the portal wants a time, before a transaction is open.
    """

    receive: ReceiveEvent
    keep: KeepDeadLetter
    now: Clock
    figures: InboxFigures
    away: Callable[[], None]
    first_pause: float
    max_deliver: int
    patients: PatientCachePort | None = None

    async def __call__(self, received: Received, delivery: Delivery) -> None:
        """Return once it is answered for. Raise BrokerUnavailable."""
        try:
            if received.event is not None:
                await self._follow(received, received.event, delivery)
            elif received.rejected is not None:
                rejected = received.rejected
                await self._put_aside(received, delivery, rejected.code, str(rejected))
        except DatabaseUnavailable:
            # Nothing is taken until the database answers: an outage, however long,
            # costs a message one of its deliveries.
            self.away()
            await self._put_off(received, delivery, "the database is away")
        except BrokerUnavailable:
            raise
        except Exception:
            log.exception("message failed", **_place(delivery))
            await self._put_off(received, delivery, "failed")

    async def put_aside(self, received: Received, reason: str, detail: str) -> None:
        """Keep it as a dead letter, unless it was followed after all."""
        letter = dead_letter(received, reason=reason, detail=detail, now=self.now())
        event = received.event if reason == MAX_DELIVERIES else None
        caller = keeper_of(letter)
        if await settled(lambda: self.keep(caller, letter, event)):
            self.figures.dead(letter, received.type)

    async def _follow(
        self, received: Received, event: ReceivedEvent[Message], delivery: Delivery
    ) -> None:
        try:
            await self._know_patient_of(event)
            outcome = await settled(lambda: self.receive(caller_of(event), event))
        except Unavailable as unavailable:
            if isinstance(unavailable, DatabaseUnavailable):
                raise
            await self._try_again(received, delivery, unavailable.code)
        except DomainError as refusal:
            if isinstance(refusal.__cause__, DecisionOutdated):
                # Others were faster three times: that says nothing of the message.
                await self._try_again(received, delivery, "lost races")
            else:
                await self._put_aside(received, delivery, refusal.code, str(refusal))
        except BrokerUnavailable:
            raise
        except Exception:
            log.exception("message failed", **_place(delivery))
            await self._try_again(received, delivery, "failed")
        else:
            await delivery.done()
            self.figures.received(received.type, outcome, delivery.stored_at)

    async def _know_patient_of(self, event: ReceivedEvent[Message]) -> None:
        message = event.message
        if self.patients is not None and isinstance(message, AppointmentRequested):
            await self.patients(caller_of(event), message.wanted.patient_id)

    async def _put_aside(
        self, received: Received, delivery: Delivery, reason: str, detail: str
    ) -> None:
        await self.put_aside(received, reason, detail)
        await delivery.give_up()

    async def _try_again(
        self, received: Received, delivery: Delivery, why: str
    ) -> None:
        if delivery.count < self.max_deliver:
            await self._put_off(received, delivery, why)
        else:
            await self._put_aside(received, delivery, MAX_DELIVERIES, why)

    async def _put_off(self, received: Received, delivery: Delivery, why: str) -> None:
        pause = min(self.first_pause * 2 ** (delivery.count - 1), LONGEST_PAUSE)
        await delivery.again(pause)
        self.figures.put_off(received.type)
        log.info("message is put off", why=why, pause=pause, **_place(delivery))


def _place(delivery: Delivery) -> dict[str, object]:
    return {
        "stream": delivery.stream,
        "sequence": delivery.sequence,
        "deliveries": delivery.count,
    }
