from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class GetSettings:
    begin: BeginWork

    async def __call__(self, caller: Caller) -> Settings:
        async with self.begin(caller) as work:
            return await work.settings.get()
