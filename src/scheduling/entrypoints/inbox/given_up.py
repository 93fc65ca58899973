"""What the broker delivers no more, since whoever took it died of it or never answered.

It says so in advisories, which a stream keeps for us; the message is still where it was
and is put aside. Advisories may be lost with a broker that is killed: what fails in any
way that we live to see, we put aside ourselves.
"""

from collections.abc import Collection
from dataclasses import dataclass

import orjson
import structlog

from scheduling.adapters.nats.connection import Connection
from scheduling.adapters.nats.stored import stored_message
from scheduling.adapters.nats.subscription import Delivery
from scheduling.application.ports.dead_letters import MAX_DELIVERIES
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.entrypoints.inbox.following import Follower
from scheduling.entrypoints.inbox.received import Received

PAUSE = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisoryFollower:
    """`streams`: of these, what is given up is put aside."""

    broker: Connection
    follower: Follower
    streams: Collection[str]

    async def __call__(self, delivery: Delivery) -> None:
        """Return once it is answered for. Raise BrokerUnavailable."""
        try:
            await self._put_aside(delivery.body)
        except DatabaseUnavailable:
            self.follower.away()
            await delivery.again(PAUSE)
        except BrokerUnavailable:
            raise
        except Exception:
            log.exception("advisory failed", sequence=delivery.sequence)
            await delivery.again(PAUSE)
        else:
            await delivery.done()

    async def _put_aside(self, advisory: bytes) -> None:
        told = orjson.loads(advisory)
        stream, sequence = told["stream"], told["stream_seq"]
        if stream not in self.streams:
            return
        stored = await stored_message(
            self.broker, stream, sequence, count=told["deliveries"]
        )
        if stored is None:
            log.error("message was given up and is gone", sequence=sequence)
            return
        await self.follower.put_aside(
            Received.of(stored), MAX_DELIVERIES, "nobody answered for it"
        )
