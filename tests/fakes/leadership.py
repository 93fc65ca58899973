"""Turns at jobs in memory; several sessions share one `Board`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from scheduling.application.ports.leadership import (
    JobRun,
    Leadership,
    LeadershipLost,
    NotNow,
    RunOutcome,
    Taken,
)
from tests.builders import EIGHT


@dataclass
class Board:
    now: datetime = EIGHT
    runs: dict[str, JobRun] = field(default_factory=dict)
    held: dict[str, "MemoryLeadership"] = field(default_factory=dict)


class MemoryLeadership(Leadership):
    def __init__(self, board: Board) -> None:
        self._board = board
        self.is_lost = False

    def lose(self) -> None:
        """End the session, as the death of the process does."""
        self.is_lost = True
        for job in [job for job, who in self._board.held.items() if who is self]:
            del self._board.held[job]

    @asynccontextmanager
    async def turn(
        self, job: str, every: timedelta | None
    ) -> AsyncIterator[Taken | NotNow]:
        self._demand_session()
        board = self._board
        known = board.runs.get(job)
        if known is not None and every is not None:
            due_in = known.due_at(every) - board.now
            if due_in > timedelta():
                yield NotNow(due_in)
                return
        if job in board.held:
            yield NotNow(None)
            return
        board.held[job] = self
        board.runs[job] = JobRun(
            job=job,
            started_at=board.now,
            outcome=RunOutcome.RUNNING,
            done=0,
            succeeded_at=known.succeeded_at if known else None,
        )
        try:
            yield Taken()
        finally:
            if board.held.get(job) is self:
                del board.held[job]

    async def ended(self, job: str, *, done: int, failure: str | None = None) -> None:
        self._demand_session()
        run = self._board.runs[job]
        self._board.runs[job] = replace(
            run,
            outcome=RunOutcome.DONE if failure is None else RunOutcome.FAILED,
            done=done,
            failure=failure,
            duration=self._board.now - run.started_at,
            succeeded_at=self._board.now if failure is None else run.succeeded_at,
        )

    async def runs(self) -> list[JobRun]:
        self._demand_session()
        board = self._board
        return [
            replace(run, held=job in board.held)
            for job, run in sorted(board.runs.items())
        ]

    def _demand_session(self) -> None:
        if self.is_lost:
            raise LeadershipLost("the session has ended")
