from dataclasses import dataclass

from scheduling.application.ports.dead_letters import DeadLetter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork


@dataclass(frozen=True, slots=True)
class KeepDeadLetter:
    """Put aside what can never be followed as it is, for somebody to look at."""

    begin: BeginWork

    async def __call__(self, caller: Caller, letter: DeadLetter) -> None:
        async with self.begin(caller) as work:
            work.dead_letters.keep(letter)
