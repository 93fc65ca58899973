from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduling.application.ports.directory_lists import PractitionerFilter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Practitioner


@dataclass(frozen=True, slots=True)
class Practitioners:
    """`more`: there are further ones behind the last."""

    items: Sequence[Practitioner]
    more: bool


@dataclass(frozen=True, slots=True)
class ListPractitioners:
    """Show who treats, by name: everywhere, or at one clinic. No patient's data are in
    it.
    """

    begin: BeginWork

    async def __call__(
        self, caller: Caller, wanted: PractitionerFilter
    ) -> Practitioners:
        asked = replace(wanted, limit=wanted.limit + 1)
        async with self.begin(caller) as work:
            found = await work.directory_lists.practitioners(asked)
        page = found[: wanted.limit]
        return Practitioners(page, more=len(found) > len(page))
