from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Outcome, Reaction, ReceivedEvent
from scheduling.application.ports.messages import Message
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.join_work import joining

Reactions: TypeAlias = Mapping[type[Message], Reaction[Any]]


@dataclass(frozen=True, slots=True)
class ReceiveEvent:
    """Follow news once, however often and from however many sides it is delivered.

    Its effect, what it announces and that it was followed are one transaction. What a
    reaction refuses undoes all of it.
    """

    begin: BeginWork
    now: Clock
    reactions: Callable[[BeginWork], Reactions]

    async def __call__(self, caller: Caller, event: ReceivedEvent[Message]) -> Outcome:
        async with self.begin(caller) as work:
            if await work.inbox.recall(event) is not None:
                return Outcome.DUPLICATE
            if await work.inbox.is_stale(event):
                work.inbox.remember(event, Outcome.STALE, self.now())
                return Outcome.STALE
            react = self.reactions(joining(work))[type(event.message)]
            await react(caller, event)
            work.inbox.remember(event, Outcome.APPLIED, self.now())
        return Outcome.APPLIED
