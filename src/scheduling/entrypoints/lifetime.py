"""What long-running processes have in common: signals, figures, pauses, faults."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator

from prometheus_client import start_http_server

from scheduling.entrypoints.telemetry import Metrics

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0


def stop_when_told() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


@contextlib.contextmanager
def serving_metrics(metrics: Metrics, port: int | None) -> Iterator[None]:
    """Serve /metrics while the block runs; None: nowhere."""
    if port is None:
        yield
        return
    server, thread = start_http_server(port, registry=metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


class Pauses:
    """How long to wait between beginnings: longer while each ends at once."""

    def __init__(self) -> None:
        self._pause = FIRST_PAUSE
        self._began = 0.0

    def begin(self) -> None:
        self._began = asyncio.get_running_loop().time()

    def after_a_fault(self) -> float:
        """Return the seconds to wait before it is begun anew."""
        lasted = asyncio.get_running_loop().time() - self._began
        pause = FIRST_PAUSE if lasted > LONGEST_PAUSE else self._pause * 2
        self._pause = min(pause, LONGEST_PAUSE)
        return self._pause


async def unless(event: asyncio.Event, seconds: float) -> None:
    """Return when it is set, or when the time is over."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


async def every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
        await asyncio.sleep(seconds)


def faults_in(faults: BaseExceptionGroup[BaseException]) -> list[str]:
    """Return what happened, one by one, in words for the log."""
    return [f"{type(fault).__name__}: {fault}" for fault in _leaves(faults)]


def _leaves(fault: BaseException) -> Iterator[BaseException]:
    if isinstance(fault, BaseExceptionGroup):
        for inner in fault.exceptions:
            yield from _leaves(inner)
    else:
        yield fault
