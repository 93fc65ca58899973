"""What is done over and over, and how often.

A job is a row here and its work in `works.py`. Several processes may run all of them:
whoever finds a job due takes its turn, and nobody else meanwhile.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

Work: TypeAlias = Callable[[], AsyncGenerator[int, None]]
"""Do it piece by piece, and yield how many things each piece has done.

It may be left after any piece, and the next run goes on: a piece is committed when it
is told. What two processes do at the same moment must come out as if one had done it.
"""


@dataclass(frozen=True, slots=True)
class Job:
    """`longest`: a run that takes longer has failed, and is given up."""

    name: str
    every: timedelta
    what: str
    longest: timedelta = timedelta(hours=1)


JOBS: tuple[Job, ...] = (
    Job(
        "reminder-sweep",
        timedelta(seconds=30),
        "sends the reminders that are due",
    ),
    Job(
        "expired-holds",
        timedelta(seconds=15),
        "tells of holds that ran out, and of their time to who waits for it",
    ),
    Job(
        "waitlist-offers",
        timedelta(seconds=10),
        "ends offers that nobody answered, and asks the next who waits",
    ),
    Job(
        "no-show-sweep",
        timedelta(minutes=1),
        "says of visits that nobody came, once the grace is over",
    ),
    Job(
        "daily-schedule",
        timedelta(minutes=1),
        "has practitioners told whom they see, at eight of each location's clock",
    ),
    Job(
        "roll-horizon",
        timedelta(hours=1),
        "gives each calendar the day that has come into its horizon, once a day",
    ),
    Job(
        "retention",
        timedelta(hours=1),
        "removes what is older than it is kept",
    ),
)


def job_named(name: str) -> Job:
    """Raise LookupError with all names there are."""
    for job in JOBS:
        if job.name == name:
            return job
    raise LookupError(f"no job {name}; there are {', '.join(j.name for j in JOBS)}")
