"""From reminders that are due to notices that are out, one batch or one at a time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.reminders import (
    DispatchError,
    DispatchFailed,
    ReminderDispatchPort,
    ReminderPosition,
)
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.domain.due_reminder import (
    DueReminder,
    Notice,
    Retrying,
    SettledReminder,
)

LEASE = timedelta(minutes=2)
"""After that a sender that said "I am sending it" and no more is taken for dead; many
times longer than a send may take.
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of those that were found, and the last of them; None: none was."""

    outcomes: Sequence[str] = ()
    last: ReminderPosition | None = None


async def send_together(
    begin: BeginWork,
    caller: Caller,
    dispatch: ReminderDispatchPort,
    *,
    limit: int,
    after: ReminderPosition | None,
) -> Looked:
    """Claim a batch, put its notices into the transaction and settle it, all at once:
    whoever is killed meanwhile has sent nothing.
    """
    async with begin(caller) as work:
        due = await work.reminders.claim(limit, after=after)
        settled = [await _told(work, one, dispatch) for one in due]
        work.reminders.settle(*settled)
    return Looked([one.outcome for one in settled], _last(due))


async def _told(
    work: UnitOfWork, due: DueReminder, dispatch: ReminderDispatchPort
) -> SettledReminder:
    judged = due.judged(dispatch.reach)
    if isinstance(judged, SettledReminder):
        return judged
    await dispatch.dispatch(judged, work.notices)
    return judged.sent()


async def send_next(
    begin: BeginWork,
    caller: Caller,
    dispatch: ReminderDispatchPort,
    retrying: Retrying,
    *,
    after: ReminderPosition | None,
) -> Looked:
    """Send one that is due beyond the transaction.

    That it is being sent is committed first: whoever finds that and nobody at it knows
    that it may be out. Then it is locked again, so that a cancel comes before it and
    nothing is sent, or waits. A send that has begun is finished, whoever wants to stop.
    """
    async with begin(caller) as work:
        due = await work.reminders.claim(1, after=after)
        judged = [one.judged(dispatch.reach) for one in due]
        settled = [
            one.being_sent(lease=LEASE) if isinstance(one, Notice) else one
            for one in judged
        ]
        work.reminders.settle(*settled)
    if not (judged and isinstance(judged[0], Notice)):
        return Looked([one.outcome for one in settled], _last(due))
    sending = asyncio.ensure_future(
        _send(begin, caller, dispatch, retrying, settled[0])
    )
    try:
        outcome = await asyncio.shield(sending)
    except asyncio.CancelledError:
        await sending
        raise
    return Looked([outcome], _last(due))


async def _send(
    begin: BeginWork,
    caller: Caller,
    dispatch: ReminderDispatchPort,
    retrying: Retrying,
    started: SettledReminder,
) -> str:
    async with begin(caller) as work:
        due = await work.reminders.hold(started.id)
        if due is None or due.sending_since != started.sending_since:
            return "cancelled"  # or somebody else's by now
        judged = due.judged(dispatch.reach, ours=True)
        if isinstance(judged, Notice):
            judged = await _tried(judged, dispatch, work, retrying)
        work.reminders.settle(judged)
    return judged.outcome


async def _tried(
    notice: Notice,
    dispatch: ReminderDispatchPort,
    work: UnitOfWork,
    retrying: Retrying,
) -> SettledReminder:
    try:
        await dispatch.dispatch(notice, work.notices)
    except DispatchFailed as failed:
        return notice.put_off(failed.code, retrying)
    except DispatchError as failed:
        return notice.failed(failed.code)
    return notice.sent()


def _last(due: Sequence[DueReminder]) -> ReminderPosition | None:
    return (due[-1].look_at, due[-1].id) if due else None
