from collections.abc import Callable, Iterator
from contextlib import contextmanager


class CircuitOpen(Exception):
    """It is not asked: it failed just now."""


class CircuitBreaker:
    """Spares who fails, and those who would wait for it.

    Closed, all pass. After `failures` in a row it is open, and nobody passes for
    `pause` seconds. Then one does, alone: its success closes the circuit, its failure
    opens it for another pause. `turned` hears of each opening and closing.
    """

    def __init__(
        self,
        *,
        failures: int,
        pause: float,
        monotonic: Callable[[], float],
        turned: Callable[[bool], None],
    ) -> None:
        self._limit = failures
        self._pause = pause
        self._monotonic = monotonic
        self._turned = turned
        self._in_a_row = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Raise CircuitOpen, or take an exception that leaves the block for a failure.

        What is cancelled says nothing of the other side.
        """
        probe = self._pass()
        try:
            yield
        except Exception:
            self._failed()
            raise
        else:
            self._succeeded()
        finally:
            if probe:
                self._probing = False

    def _pass(self) -> bool:
        """Tell whether this one is the probe."""
        if self._opened_at is None:
            return False
        if self._probing or self._monotonic() < self._opened_at + self._pause:
            raise CircuitOpen
        self._probing = True
        return True

    def _failed(self) -> None:
        self._in_a_row += 1
        if self._in_a_row >= self._limit:
            was_open, self._opened_at = self.is_open, self._monotonic()
            if not was_open:
                self._turned(True)  # noqa: FBT003  # what it has become

    def _succeeded(self) -> None:
        self._in_a_row = 0
        if self._opened_at is not None:
            self._opened_at = None
            self._turned(False)  # noqa: FBT003  # what it has become
