from dataclasses import dataclass
from typing import Any

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent


@dataclass(frozen=True, slots=True)
class InTurn(Reaction[Any]):
    """Several things that are done about the same news, one after the other, in the one
    transaction that remembers it: all of them, or none.
    """

    reactions: tuple[Reaction[Any], ...]

    async def __call__(self, caller: Caller, event: ReceivedEvent[Any]) -> None:
        for react in self.reactions:
            await react(caller, event)
