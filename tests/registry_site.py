"""A patient registry as others run it: a small HTTP server that fails when told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID


def a_document(patient: UUID, tenant: UUID | None = None, **told: object) -> bytes:
    """What it says of a patient; more than we keep."""
    whose = {} if tenant is None else {"tenantId": str(tenant)}
    known = {"name": "Marker-Name", "phone": "+49 30 1234", "birthDate": "1980-02-01"}
    return json.dumps({"id": str(patient), **whose, **known, **told}).encode()


@dataclass
class RegistrySite:
    """`known` are documents by path; `troubles` are answered first, one by one: a
    status, or None for silence. `asked` are the paths, `shown` the tokens. While the
    `gate` is shut it answers nobody.
    """

    known: dict[str, bytes] = field(default_factory=dict)
    troubles: list[int | None] = field(default_factory=list)
    down: int | None = None
    asked: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrivals: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    port: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def until_asked(self, times: int) -> None:
        """Return when it has been asked that often since this was called last."""
        for _ in range(times):
            await asyncio.wait_for(self.arrivals.acquire(), 30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/base"

    def path(self, tenant: UUID, patient: UUID) -> str:
        return f"/base/tenants/{tenant}/patients/{patient}"

    def knows(self, tenant: UUID, patient: UUID, document: bytes | None = None) -> None:
        given = a_document(patient) if document is None else document
        self.known[self.path(tenant, patient)] = given

    @asynccontextmanager
    async def open(self) -> AsyncIterator["RegistrySite"]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.asked.append(head.split()[1])
            self.arrivals.release()
            self.shown += [
                line.partition(": ")[2]
                for line in head.split("\r\n")
                if line.lower().startswith("authorization:")
            ]
            await self.gate.wait()
            status: int | None = self.down or 200
            if self.troubles:
                status = self.troubles.pop(0)
            if status is None:
                await reader.read()  # until the other side has had enough
                return
            body = self.known.get(head.split()[1])
            if status == 200 and body is None:
                status = 404
            told = body or b""
            if status != 200:
                told = b"in trouble"
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Length: {len(told)}\r\n"
                "Location: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n".encode()
                + told
            )
            await writer.drain()
        finally:
            writer.close()
