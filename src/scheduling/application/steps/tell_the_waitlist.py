"""What every step that gives time back has to do with it."""

from datetime import datetime

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.freed_time import (
    GivenBack,
    announcement,
)


async def tell_the_waitlist(
    work: UnitOfWork, *given_back: GivenBack, now: datetime
) -> None:
    """Announce freed time to those who wait for such a time, once for each.

    One reading for all of them; none where nothing of it could be booked any more. The
    news goes out with the transaction. Nobody is booked.

    Call it after the steps were stored, so that their own events come first:
    `await tell_the_waitlist(work, GivenBack(before, after, slots), now=now)`, where
    `slots` are the ones that the appointment held, as the step leaves them.
    """
    freed = [step for step in given_back if step.stretches(now)]
    if not freed:
        return
    known = await work.waitlist.candidates(given_back, now)
    for step, facts in zip(freed, known, strict=True):
        news = announcement(step, facts, now=now)
        if news is not None:
            work.waitlist.announce(news)
