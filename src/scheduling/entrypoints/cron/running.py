"""One turn at a job, from finding it due to storing how it went."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from scheduling.application.ports.leadership import (
    Leadership,
    LeadershipLost,
    NotNow,
)
from scheduling.entrypoints.cron.figures import CronFigures
from scheduling.entrypoints.cron.jobs import Job, Work

log = structlog.get_logger()


class SomeFailed(Exception):
    """Of many things that a job is about some could not be done; the others were."""

    def __init__(self, failed: int, of: int, first: BaseException) -> None:
        super().__init__(f"{failed} of {of}: {type(first).__qualname__}")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a turn went: done, or failed, or left because the process was to stop."""

    done: int
    failure: str | None = None
    was_left: bool = False


@dataclass(frozen=True, slots=True)
class Turns:
    leadership: Leadership
    figures: CronFigures
    stop: asyncio.Event

    async def __call__(
        self, job: Job, work: Work, *, whether_due: bool = True
    ) -> Ended | NotNow:
        """Do it if it is due and nobody is at it. Raise LeadershipLost."""
        every = job.every if whether_due else None
        async with self.leadership.turn(job.name, every) as turn:
            if isinstance(turn, NotNow):
                return turn
            ended = await self._do(job, work)
            if not ended.was_left:
                await self.leadership.ended(
                    job.name, done=ended.done, failure=ended.failure
                )
        self.figures.ended(job.name, ended.done, failed=ended.failure is not None)
        return ended

    async def _do(self, job: Job, work: Work) -> Ended:
        done = 0
        try:
            async with (
                asyncio.timeout(job.longest.total_seconds()),
                aclosing(work()) as pieces,
            ):
                async for piece in pieces:
                    done += piece
                    if self.stop.is_set():
                        return Ended(done, was_left=True)
        except LeadershipLost:
            raise
        except Exception as error:
            failure = _told(error)
            log.exception("cron job failed", job=job.name, done=done, failure=failure)
            return Ended(done, failure)
        return Ended(done)


def _told(error: Exception) -> str:
    """Name the kind of error: messages of drivers quote values."""
    return str(error) if isinstance(error, SomeFailed) else type(error).__qualname__
