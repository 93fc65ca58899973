"""Ask again what lost a race or a deadlock: the next look is at what is there now."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import (
    DecisionOutdated,
    TransactionAborted,
)

Result = TypeVar("Result")

ATTEMPTS = 3
_LOST = (DecisionOutdated, TransactionAborted)


async def settled(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Return what one of three attempts returns.

    Raise the refusal that the last lost race stands for, or DatabaseUnavailable where
    the database kept aborting. The first attempt goes without the machinery of
    retrying, which most requests never need.
    """
    try:
        return await attempt()
    except _LOST:
        pass

    # tenacity awaits only what it can see is a coroutine function: a lambda is none.
    async def again() -> Result:
        return await attempt()

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(_LOST),
        stop=stop_after_attempt(ATTEMPTS - 1),
        wait=wait_random_exponential(multiplier=0.005, max=0.1),
        reraise=True,
    )
    try:
        return await retrying(again)
    except DecisionOutdated as lost:
        raise lost.refusal from lost
    except TransactionAborted as aborted:
        raise DatabaseUnavailable from aborted
