import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.reminders import (
    ReminderDispatchPort,
    ReminderPosition,
    TenantsWithDueReminders,
)
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


@dataclass(frozen=True, slots=True)
class DispatchDueReminders:
    """Send all reminders that are due now, of all organisations, and say why not where
    one is not sent. Any number of sweepers may do so at a time.

    `lanes` work side by side, each in turn for one organisation after the other, so
    that none waits for the thousands of another.
    """

    begin: BeginWork
    tenants: TenantsWithDueReminders
    dispatch: ReminderDispatchPort
    retrying: Retrying = DEFAULT
    batch: int = 500
    lanes: int = 2

    async def __call__(self) -> Counter[str]:
        """Return how many were sent, skipped, cancelled, put-off and failed."""
        done: Counter[str] = Counter()
        tenants = await self.tenants()
        async with asyncio.TaskGroup() as lanes:
            for n in range(self.lanes):
                turn = n % max(len(tenants), 1)
                order = [*tenants[turn:], *tenants[:turn]]
                lanes.create_task(self._work_through(order, done))
        return done

    async def _work_through(
        self, tenants: Sequence[TenantId], done: Counter[str]
    ) -> None:
        waiting: deque[tuple[TenantId, ReminderPosition | None]] = deque(
            (tenant, None) for tenant in tenants
        )
        while waiting:
            tenant, after = waiting.popleft()
            looked = await self._look(tenant, after)
            done.update(looked.outcomes)
            if looked.last is not None:
                waiting.append((tenant, looked.last))

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
