"""Which process does a job now, and how each job last went: one at a time does it,
whichever it is, and another goes on when that one dies.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

AFTER_FAILURE = timedelta(minutes=5)
AFTER_DEATH = timedelta(seconds=5)
"""At the latest, what failed or was left half-done is done again that long after it
began; sooner where it is due sooner.
"""


class RunOutcome(StrEnum):
    """How a run is stored. One that is `RUNNING` while nobody is at it was left."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """How a job last went. Instants are the database's.

    `done` counts what it did, `failure` names kinds of errors. `held`: somebody is at
    it now.
    """

    job: str
    started_at: datetime
    outcome: RunOutcome
    done: int
    duration: timedelta | None = None
    failure: str | None = None
    succeeded_at: datetime | None = None
    held: bool = False

    @property
    def was_left(self) -> bool:
        return self.outcome is RunOutcome.RUNNING and not self.held

    def due_at(self, every: timedelta) -> datetime:
        """Return when it is to be done again, if nobody is at it."""
        pause = {
            RunOutcome.DONE: every,
            RunOutcome.FAILED: min(every, AFTER_FAILURE),
            RunOutcome.RUNNING: min(every, AFTER_DEATH),
        }
        return self.started_at + pause[self.outcome]


class LeadershipLost(Exception):
    """The session that all turns hang on has ended: others may have them now."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn is ours until the block is left."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """There is nothing to do for that long, or somebody else is at it (None)."""

    due_in: timedelta | None


class Leadership(Protocol):
    """Raise LeadershipLost wherever the session has ended."""

    def turn(
        self, job: str, every: timedelta | None
    ) -> AbstractAsyncContextManager[Taken | NotNow]:
        """Take the job's turn if it is due and free. `every` None: due at any time.

        One that is taken is stored as running; it stays so where the block is left
        without `ended`. A process asks for one turn of a job at a time.
        """

    async def ended(self, job: str, *, done: int, failure: str | None = None) -> None:
        """Store how the turn went; a `failure` names kinds of errors."""

    async def runs(self) -> list[JobRun]:
        """Return how each job that ever ran last went, by name."""
