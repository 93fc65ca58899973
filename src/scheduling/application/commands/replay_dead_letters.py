from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.dead_letters import (
    DeadLetter,
    DeadLetterDesk,
    Resender,
)


@dataclass(frozen=True, slots=True)
class ReplayDeadLetters:
    """Send again what could not be followed, after what was wrong has been mended.

    What dies between the sending and the mark is sent once more: its event is followed
    once all the same. What still cannot be followed becomes a letter of its own.
    """

    desk: DeadLetterDesk
    resender: Resender
    now: Clock

    async def __call__(
        self, *, ids: Collection[UUID] | None = None, reason: str | None = None
    ) -> AsyncGenerator[DeadLetter, None]:
        """Yield each as it is sent. Those of `ids`, replayed before or not; without
        ids all that wait, or wait for this `reason`.
        """
        letters = self.desk.find(ids=ids, reason=reason, waiting=ids is None)
        async with aclosing(letters):
            async for letter in letters:
                await self.resender.send(letter)
                await self.desk.mark_replayed(letter, self.now())
                yield letter
