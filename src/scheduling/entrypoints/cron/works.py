"""What each job of the table does, over storage."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TypeAlias

import structlog

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.tenants import Tenants
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.domain.identifiers import TenantId, new_id
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.cron.jobs import Work
from scheduling.entrypoints.cron.running import SomeFailed
from scheduling.entrypoints.wiring.cron import CronStorage

OfOneTenant: TypeAlias = Callable[[Caller], AsyncGenerator[int, None]]

log = structlog.get_logger()


def works_over(storage: CronStorage) -> Mapping[str, Work]:
    """Return the work of every job of the table, by its name."""
    return {}


def in_each_tenant(job: str, tenants: Tenants, now: Clock, work: OfOneTenant) -> Work:
    """Do it for one organisation after the other; what fails in one is no matter to
    the others, and told when all are done.
    """

    async def in_all() -> AsyncGenerator[int, None]:
        failures: list[Exception] = []
        everybody = await tenants.all()
        for tenant in everybody:
            try:
                async with aclosing(work(on_errand(job, tenant, now))) as pieces:
                    async for piece in pieces:
                        yield piece
            except DatabaseUnavailable:
                raise
            except Exception as error:
                log.exception("cron job failed", job=job, tenant_id=str(tenant))
                failures.append(error)
        if failures:
            raise SomeFailed(len(failures), len(everybody), failures[0])

    return in_all


def until_nothing_is_left(
    command: Callable[[Caller], Awaitable[int]],
) -> OfOneTenant:
    """Ask again, as long as something was done."""

    async def pieces(caller: Caller) -> AsyncGenerator[int, None]:
        while done := await settled(lambda: command(caller)):
            yield done

    return pieces


def on_errand(job: str, tenant: TenantId, now: Clock) -> Caller:
    """Who did it, for the audit: which job, in which of its errands."""
    return Caller(
        tenant_id=tenant,
        subject=f"cron:{job}",
        scopes=frozenset({Scope.READ, Scope.BOOK, Scope.MANAGE}),
        patient_id=None,
        request_id=str(new_id(now())),
        traceparent=None,
    )
