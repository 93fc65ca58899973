"""A load from a process of its own, that does not wait for answers before it asks more.

    python -m tests.chaos.open_load < order.json

The order is `Order` as JSON, the result one line of JSON, `Told`. With a rate, requests
arrive at times of their own (exponential gaps), and each waits from its arrival on,
whether there is a free connection or not. Without one, `lines` connections ask again as
soon as they are answered: that finds the peak.
"""

import asyncio
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TypedDict, cast

import orjson
import uvloop

SOON_ENOUGH = 1.0
"""Seconds from arrival; a later answer finds nobody who still waits for it."""
LAST_ANSWERS = 15.0
"""Seconds that are waited for answers once no more is asked."""


class Order(TypedDict):
    host: str
    port: int
    seconds: float
    rate: float | None
    lines: int
    """Connections at the most."""
    seed: int
    again: list[str]
    """Requests that may be made again and again."""
    once: list[str]
    """Requests that are made once each, one in five, for as long as there are any."""


@dataclass
class Told:
    arrived: int = 0
    seconds: float = 0.0
    good: int = 0
    """2xx, soon enough."""
    late: int = 0
    shed: int = 0
    """503 with Retry-After."""
    rude: int = 0
    """503 without."""
    unanswered: int = 0
    other: dict[str, int] = field(default_factory=dict)
    p99_of_good_ms: float = 0.0
    p99_of_shed_ms: float = 0.0


@dataclass(eq=False)
class Load:
    order: Order
    told: Told = field(default_factory=Told)
    free: list["Line"] = field(default_factory=list)
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    lines: set["Line"] = field(default_factory=set)
    under_way: int = 0
    opening: set[asyncio.Task[None]] = field(default_factory=set)
    over: bool = False
    waits: dict[bool, list[float]] = field(
        default_factory=lambda: {True: [], False: []}
    )

    async def run(self) -> Told:
        began = time.perf_counter()
        until = began + self.order["seconds"]
        requests = self._requests()
        if self.order["rate"] is None:
            for _ in range(self.order["lines"]):
                self._arrive(next(requests))
            while (now := time.perf_counter()) < until:
                await asyncio.sleep(min(0.002, until - now))
                while self.under_way < self.order["lines"]:
                    self._arrive(next(requests))
        else:
            await self._open(until, requests)
        self.told.seconds = time.perf_counter() - began
        self.over = True
        self.told.unanswered += len(self.waiting)
        self.waiting.clear()
        deadline = time.perf_counter() + LAST_ANSWERS
        while self.under_way and time.perf_counter() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # many answers, and a deadline: no one event
        self.told.unanswered += self.under_way
        for good, name in ((True, "p99_of_good_ms"), (False, "p99_of_shed_ms")):
            ordered = sorted(self.waits[good]) or [0.0]
            setattr(self.told, name, ordered[len(ordered) * 99 // 100] * 1000)
        return self.told

    async def _open(self, until: float, requests: Iterator[bytes]) -> None:
        chance = random.Random(self.order["seed"])  # noqa: S311  # told
        due = time.perf_counter()
        while due < until:
            due += chance.expovariate(self.order["rate"] or 1.0)
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            self._arrive(next(requests), due)

    def _requests(self) -> Iterator[bytes]:
        again = [one.encode() for one in self.order["again"]]
        once = iter([one.encode() for one in self.order["once"]])
        number = 0
        while True:
            number += 1
            one = next(once, None) if number % 5 == 0 else None
            yield again[number % len(again)] if one is None else one

    def _arrive(self, request: bytes, at: float | None = None) -> None:
        self.told.arrived += 1
        self.under_way += 1
        at = time.perf_counter() if at is None else at
        if self.free:
            self.free.pop().ask(at, request)
            return
        self.waiting.append((at, request))
        if len(self.lines) + len(self.opening) < self.order["lines"]:
            task = asyncio.create_task(self._one_more())
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)

    async def _one_more(self) -> None:
        loop = asyncio.get_running_loop()
        place = self.order["host"], self.order["port"]
        try:
            await loop.create_connection(lambda: Line(self), *place)
        except OSError as why:
            self.told.other[type(why).__name__] = (
                self.told.other.get(type(why).__name__, 0) + 1
            )

    def take(self, line: "Line") -> None:
        """Give a free line what waits longest."""
        if self.waiting:
            line.ask(*self.waiting.popleft())
        else:
            self.free.append(line)

    def lost(self, line: "Line", *, asked: bool) -> None:
        self.lines.discard(line)
        if line in self.free:
            self.free.remove(line)
        if asked:
            self.under_way -= 1
            self.told.unanswered += 1

    def answered(self, status: int, *, come_back: bool, seconds: float) -> None:
        self.under_way -= 1
        if status < 300:
            if seconds <= SOON_ENOUGH:
                self.told.good += 1
                self.waits[True].append(seconds)
            else:
                self.told.late += 1
        elif status == 503:
            self.told.shed += come_back
            self.told.rude += not come_back
            self.waits[False].append(seconds)
        else:
            name = str(status)
            self.told.other[name] = self.told.other.get(name, 0) + 1


@dataclass(eq=False)
class Line(asyncio.Protocol):
    load: Load
    transport: asyncio.WriteTransport | None = None
    asked_at: float | None = None
    head: bytes = b""
    missing: int = 0
    status: int = 0
    come_back: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of WriteTransport, not its type.
        self.transport = cast("asyncio.WriteTransport", transport)
        self.load.lines.add(self)
        self.load.take(self)

    def ask(self, at: float, request: bytes) -> None:
        self.asked_at = at
        if self.transport is not None:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self.missing > 0:
            self.missing -= len(data)
        else:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, size = self.head[:end].lower(), len(self.head)
            self.head, self.status = b"", int(head[9:12])
            self.come_back = b"\r\nretry-after: " in head
            _, _, length = head.partition(b"\r\ncontent-length: ")
            self.missing = int(length.split(b"\r\n")[0] or 0) + end + 4 - size
        if self.missing <= 0 and self.asked_at is not None:
            took = time.perf_counter() - self.asked_at
            self.asked_at = None
            self.load.answered(self.status, come_back=self.come_back, seconds=took)
            self.load.take(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.load.lost(self, asked=self.asked_at is not None)


def main() -> None:
    order: Order = orjson.loads(sys.stdin.buffer.read())
    told = asdict(uvloop.run(Load(order).run()))
    told["other"] = Counter(told["other"])
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    main()
