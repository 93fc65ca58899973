"""A load of HTTP requests on kept connections, from a process of its own.

An own client and not `wrk`: that one is not on every machine, and the requests here
are all different. It speaks just enough HTTP/1.1 to count answers by status and to
time them, so that it takes as little as can be from the two cores it shares.

    python -m tests.bench.http_load HOST PORT CONNECTIONS SECONDS < requests

Each line of the input is a request as a JSON string; connection i takes the lines
i, i + CONNECTIONS, …. The result is one line of JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop


@dataclass(slots=True)
class Connection(asyncio.Protocol):
    requests: Sequence[bytes]
    until: float
    done: asyncio.Future[None]
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    transport: asyncio.WriteTransport | None = None
    position: int = 0
    asked_at: float = 0.0
    buffer: bytes = b""
    status: int = 0
    missing: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of WriteTransport, not its type.
        self.transport = cast("asyncio.WriteTransport", transport)
        self._ask()

    def _ask(self) -> None:
        now = time.perf_counter()
        if now >= self.until or self.position >= len(self.requests):
            if not self.done.done():
                self.done.set_result(None)
            return
        self.asked_at = now
        if self.transport is not None:
            self.transport.write(self.requests[self.position])
        self.position += 1

    def data_received(self, data: bytes) -> None:
        if self.missing > 0:
            self.missing -= len(data)
        else:
            data = self.buffer + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.buffer = data
                return
            self.buffer, self.status = b"", int(data[9:12])
            # Of a long body the rest is counted, and kept by nobody.
            self.missing = end + 4 + _content_length(data, end) - len(data)
        if self.missing <= 0:
            self.statuses[self.status] += 1
            self.latencies.append(time.perf_counter() - self.asked_at)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError())


def _content_length(answer: bytes, end: int) -> int:
    mark = answer.find(b"content-length: ", 0, end)
    if mark < 0:
        return 0
    return int(answer[mark + 16 : answer.index(b"\r", mark)])


async def load(
    host: str, port: int, connections: int, seconds: float, lines: Sequence[bytes]
) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = [
        Connection(lines[i::connections], began + seconds, loop.create_future())
        for i in range(connections)
    ]
    for one in opened:
        await loop.create_connection(lambda one=one: one, host, port)  # type: ignore[misc]
    await asyncio.gather(*(one.done for one in opened))
    took = time.perf_counter() - began
    statuses: Counter[int] = Counter()
    for one in opened:
        statuses += one.statuses
    latencies = sorted(t for one in opened for t in one.latencies)
    return {
        "seconds": took,
        "answers": len(latencies),
        "per_second": len(latencies) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
        "statuses": statuses,
    }


def main() -> None:
    host, port, connections, seconds = sys.argv[1:5]
    lines = [json.loads(line).encode() for line in sys.stdin]
    print(  # noqa: T201  # its output is its result
        json.dumps(
            uvloop.run(load(host, int(port), int(connections), float(seconds), lines))
        )
    )


if __name__ == "__main__":
    main()
