"""A TCP proxy whose line can be bad: slow, cut, dumb, or deaf on one side."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.chaos.faults import FaultLog

CHUNK = 65536


@dataclass(eq=False, slots=True)
class _Line:
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter

    def drop(self) -> None:
        for writer in (self.near, self.far):
            # Reset, not closed in good order.
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            writer.transport.abort()


@dataclass(eq=False)
class Proxy:
    """Between whoever asks (`near`) and a server (`far`)."""

    to_host: str
    to_port: int
    log: FaultLog
    name: str = "proxy"
    port: int = 0
    _delay: float = 0.0
    _flows: dict[str, asyncio.Event] = field(
        default_factory=lambda: {
            way: asyncio.Event() for way in ("questions", "answers")
        }
    )
    _lines: set[_Line] = field(default_factory=set)
    _refuses: bool = False
    _serving: set["asyncio.Task[None]"] = field(default_factory=set)

    def delay(self, seconds: float) -> None:
        """Hold each piece back for so long, both ways; 0 ends it."""
        self.log.note("line delayed", f"{self.name} by {seconds} s")
        self._delay = seconds

    def cut(self) -> None:
        """Reset all connections; new ones are taken."""
        self.log.note("line cut", self.name)
        for line in tuple(self._lines):
            line.drop()

    def refuse(self) -> None:
        """Reset all connections, and new ones at once, until `mend`."""
        self._refuses = True
        self.cut()

    def blackhole(self) -> None:
        """Pass nothing on, close nothing, until `mend`."""
        self.log.note("line blackholed", self.name)
        for flow in self._flows.values():
            flow.clear()

    def half_open(self) -> None:
        """Pass on what is asked and keep back what is answered, until `mend`: an
        acknowledgement is lost, what it acknowledges is not.
        """
        self.log.note("line half open", self.name)
        self._flows["answers"].clear()

    def mend(self) -> None:
        self._delay, self._refuses = 0.0, False
        for flow in self._flows.values():
            flow.set()

    def take(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        """Serve a new connection until it has ended."""
        task = asyncio.create_task(self._serve(reader, near))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def close(self) -> None:
        """Drop all connections; return when nothing is left of them."""
        self.mend()
        for line in tuple(self._lines):
            line.drop()
        await asyncio.gather(*self._serving)

    async def _serve(
        self, reader: asyncio.StreamReader, near: asyncio.StreamWriter
    ) -> None:
        if self._refuses:
            near.transport.abort()
            return
        try:
            far_reader, far = await asyncio.open_connection(self.to_host, self.to_port)
        except OSError:
            near.transport.abort()
            return
        line = _Line(near, far)
        self._lines.add(line)
        try:
            await asyncio.gather(
                self._pass(reader, far, "questions"),
                self._pass(far_reader, near, "answers"),
            )
        finally:
            self._lines.discard(line)
            line.drop()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._flows[way].wait()
                writer.write(data)
                await writer.drain()
            writer.write_eof()


@asynccontextmanager
async def a_proxy(
    host: str, port: int, log: FaultLog, *, name: str = "proxy"
) -> AsyncIterator[Proxy]:
    """Listen on a free port of 127.0.0.1, `proxy.port`."""
    proxy = Proxy(host, port, log, name)
    proxy.mend()
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
