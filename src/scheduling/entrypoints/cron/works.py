"""What each job of the table does, over storage."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeAlias
from uuid import UUID

import structlog

from scheduling.application.commands.apply_retention import ApplyRetention
from scheduling.application.commands.dispatch_due_reminders import (
    DispatchDueReminders,
)
from scheduling.application.commands.expire_holds import ExpireHolds
from scheduling.application.commands.expire_waitlist_offers import (
    ExpireWaitlistOffers,
)
from scheduling.application.commands.mark_no_shows import MarkNoShows
from scheduling.application.commands.roll_horizon_forward import RollHorizonForward
from scheduling.application.commands.send_daily_schedules import SendDailySchedules
from scheduling.application.ports.archive import Kept
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.tenants import Tenants
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.steps.one_by_one import SomeLeft
from scheduling.domain.due_reminder import Retrying
from scheduling.domain.identifiers import TenantId, new_id
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.cron.jobs import Work
from scheduling.entrypoints.cron.running import SomeFailed
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.wiring.cron import CronStorage

OfOneTenant: TypeAlias = Callable[[Caller], AsyncGenerator[int, None]]

log = structlog.get_logger()


def works_over(storage: CronStorage, settings: Settings) -> Mapping[str, Work]:
    """Return the work of every job of the table, by its name."""
    begin, now = storage.begin, storage.now
    in_each: Mapping[str, OfOneTenant] = {
        "expired-holds": until_nothing_is_left(ExpireHolds(begin, now)),
        "waitlist-offers": until_nothing_is_left(ExpireWaitlistOffers(begin, now)),
        "no-show-sweep": until_nothing_is_left(MarkNoShows(begin, now)),
        "daily-schedule": SendDailySchedules(begin, now),
        "roll-horizon": rolled(RollHorizonForward(begin, now, storage.almanac)),
    }
    return {
        **{
            job: in_each_tenant(job, storage.tenants, now, work)
            for job, work in in_each.items()
        },
        "reminder-sweep": reminded(storage, settings),
        "retention": ApplyRetention(
            storage.archive, storage.tenants, now, ages_by(settings)
        ),
    }


def ages_by(settings: Settings) -> Mapping[Kept, timedelta]:
    days = {
        Kept.OUTBOX: settings.retention_outbox_days,
        Kept.INBOX: settings.retention_inbox_days,
        Kept.AUDIT: settings.retention_audit_days,
        Kept.DEAD_LETTERS: settings.retention_dead_letters_days,
        Kept.GENERATION_RUNS: settings.retention_generation_runs_days,
        Kept.NOTIFICATIONS: settings.retention_notifications_days,
    }
    return {
        Kept.IDEMPOTENCY_KEYS: timedelta(hours=settings.retention_idempotency_hours),
        **{what: timedelta(days=n) for what, n in days.items() if n},
    }


def reminded(storage: CronStorage, settings: Settings) -> Work:
    """Who waits for a mail server sends several side by side."""
    sweep = DispatchDueReminders(
        storage.begin,
        storage.with_due_reminders,
        storage.reminders,
        retrying=Retrying(attempts=settings.reminder_attempts),
        lanes=2 if storage.reminders.with_the_transaction else 4,
    )

    async def pieces() -> AsyncGenerator[int, None]:
        async with aclosing(sweep()) as parts:
            async for done in parts:
                log.info("reminders", **done)
                yield done.total()

    return pieces


def rolled(roll: RollHorizonForward) -> OfOneTenant:
    """Count the calendars that were not done before on their day."""

    async def pieces(caller: Caller) -> AsyncGenerator[int, None]:
        failures: list[Exception] = []
        total = 0
        async with aclosing(roll(caller)) as calendars:
            async for one in calendars:
                total = one.total
                if one.failure is not None:
                    log.error(
                        "calendar failed",
                        tenant_id=str(caller.tenant_id),
                        schedule_id=str(one.schedule_id),
                        exc_info=one.failure,
                    )
                    failures.append(one.failure)
                yield int(one.run is not None and not one.run.repeated)
        if failures:
            raise SomeFailed(len(failures), total, failures[0])

    return pieces


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
            except Exception as error:
                if isinstance(error, DatabaseUnavailable):
                    # It is away, and says so here too; or it was too slow, or aborted
                    # us too often, in this organisation only.
                    await tenants.all()
                log.exception("cron job failed", job=job, tenant_id=str(tenant))
                failures.append(error)
        if failures:
            raise SomeFailed(len(failures), len(everybody), failures[0])

    return in_all


class InParts(Protocol):
    """Does so many at a time, the first first, and counts them."""

    def __call__(self, caller: Caller, /, *, beyond: int) -> Awaitable[int]:
        """Do as many beyond those that could not be done. Raise SomeLeft."""


def until_nothing_is_left(command: InParts) -> OfOneTenant:
    """Ask again, as long as something was done, or more was met that could not be. That
    is named, and the job has failed in this organisation; it keeps nothing else from
    being done, however much there is of it.
    """

    async def pieces(caller: Caller) -> AsyncGenerator[int, None]:
        total, left = 0, dict[UUID, Exception]()
        while True:
            beyond = len(left)
            try:
                done = await settled(partial(command, caller, beyond=beyond))
                left = {}
            except SomeLeft as some:
                done, left = some.done, dict(some.failures)
            if not done and len(left) <= beyond:
                break
            total += done
            yield done
        for id, failure in left.items():
            log.error(
                "could not be done",
                job=caller.subject,
                tenant_id=str(caller.tenant_id),
                id=str(id),
                exc_info=failure,
            )
        if left:
            raise SomeFailed(len(left), total + len(left), next(iter(left.values())))

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
