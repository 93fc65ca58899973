import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TypeAlias

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.reminders import (
    ReminderDispatchPort,
    ReminderPosition,
    TenantsWithDueReminders,
)
from scheduling.application.ports.unavailable import Unavailable
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.send_reminders import (
    Looked,
    send_next,
    send_together,
)
from scheduling.domain.due_reminder import Retrying
from scheduling.domain.identifiers import TenantId

ACTOR = "system:reminders"
DEFAULT = Retrying()
LOOKS = 4
"""Of each lane in one piece of a sweep: so often others are waited for."""

Lane: TypeAlias = deque[tuple[TenantId, ReminderPosition | None]]


@dataclass(slots=True)
class Swept:
    """What a piece of a sweep has done, by outcome, and where it could not."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Exception] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DispatchDueReminders:
    """Send all reminders that are due now, of all organisations, and say why not where
    one is not sent. Any number of sweepers may do so at a time.

    `lanes` work side by side, each in turn for one organisation after the other, so
    that none waits for the thousands of another, nor for another's fault.
    """

    begin: BeginWork
    tenants: TenantsWithDueReminders
    dispatch: ReminderDispatchPort
    retrying: Retrying = DEFAULT
    batch: int = 500
    lanes: int = 2

    async def __call__(self) -> AsyncGenerator[Counter[str], None]:
        """Yield, piece by piece, how many were sent, skipped, cancelled, put-off and
        failed. Raise an ExceptionGroup at the end where some could not be looked at.
        """
        tenants = await self.tenants()
        failures: list[Exception] = []
        lanes = [Lane((one, None) for one in tenants) for _ in range(self.lanes)]
        for n, lane in enumerate(lanes):
            lane.rotate(-n)
        while any(lanes):
            swept = Swept(failures=failures)
            async with asyncio.TaskGroup() as side_by_side:
                for lane in lanes:
                    side_by_side.create_task(self._work(lane, swept))
            yield swept.outcomes
        if failures:
            raise ExceptionGroup("some reminders could not be looked at", failures)

    async def _work(self, lane: Lane, swept: Swept) -> None:
        for _ in range(LOOKS):
            if not lane:
                return
            tenant, after = lane.popleft()
            try:
                looked = await self._look(tenant, after)
            except Exception as error:  # noqa: BLE001  # told when all were looked at
                if isinstance(error, Unavailable):
                    await self.tenants()  # raises where all is away
                swept.failures.append(error)
                continue
            swept.outcomes.update(looked.outcomes)
            if looked.last is not None:
                lane.append((tenant, looked.last))

    async def _look(self, tenant: TenantId, after: ReminderPosition | None) -> Looked:
        caller = Caller(
            tenant_id=tenant,
            subject=ACTOR,
            scopes=frozenset(),
            patient_id=None,
            request_id=ACTOR,
            traceparent=None,
        )
        if self.dispatch.with_the_transaction:
            return await send_together(
                self.begin, caller, self.dispatch, limit=self.batch, after=after
            )
        return await send_next(
            self.begin, caller, self.dispatch, self.retrying, after=after
        )
