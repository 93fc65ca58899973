"""Try again at once what reached nobody: a server that is just being restarted costs a
reminder no minute.

The longer pauses, from sweep to sweep, are stored with the reminder.
"""

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from scheduling.application.ports.reminders import DispatchFailed

TRIES = 2


class Unreachable(DispatchFailed):
    """Nobody answered, and nothing is out that may not come twice."""


def trying_at_once() -> AsyncRetrying:
    """Who sends bounds the time of all tries together: a cancel waits for them."""
    return AsyncRetrying(
        retry=retry_if_exception_type(Unreachable),
        stop=stop_after_attempt(TRIES),
        wait=wait_random_exponential(multiplier=0.2, max=1),
        reraise=True,
    )
