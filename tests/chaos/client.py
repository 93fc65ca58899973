"""A client of the API that writes down what it asks and what it is answered.

An own one, as lean as the benchmarks' load (`tests/bench/http_load.py`) but with the
answers kept: it shares two cores with what it judges. One kept connection each, opened
anew after a break.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from tests.chaos.ledger import Ledger


class NoAnswerError(Exception):
    """Nobody knows whether it was done."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes
    milliseconds: float

    def json(self) -> Any:  # noqa: ANN401  # whatever was answered
        return orjson.loads(self.body) if self.body else None

    @property
    def code(self) -> str | None:
        """Of a refusal."""
        if self.status < 400:
            return None
        with suppress(orjson.JSONDecodeError, AttributeError):
            code: str | None = self.json().get("code")
            return code
        return None


@dataclass(eq=False, slots=True)
class Client:
    host: str
    port: int
    token: str
    patience: float = 30.0
    """Seconds that it waits for an answer."""
    _line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(
        default=None, repr=False
    )

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Raise NoAnswerError where the line breaks, or nothing comes in time."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self.patience):
                reader = await self._send(method, path, body, headers or {})
                status, told, content = await _answer(reader)
        except (OSError, EOFError, ValueError, TimeoutError) as why:
            self.hang_up()
            raise NoAnswerError(type(why).__name__) from why
        except asyncio.CancelledError:
            self.hang_up()
            raise
        if told.get("connection") == "close":
            self.hang_up()
        return Answer(status, told, content, (time.perf_counter() - began) * 1000)

    def hang_up(self) -> None:
        """Break the line, whatever is under way."""
        if self._line is not None:
            self._line[1].transport.abort()
            self._line = None

    async def _send(
        self, method: str, path: str, body: object, headers: Mapping[str, str]
    ) -> asyncio.StreamReader:
        if self._line is None:
            self._line = await asyncio.open_connection(self.host, self.port)
        content = b"" if body is None else orjson.dumps(body)
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            f"Authorization: Bearer {self.token}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if content:
            lines.append("Content-Type: application/json")
        lines += [f"Content-Length: {len(content)}", "", ""]
        reader, writer = self._line
        writer.write("\r\n".join(lines).encode() + content)
        return reader


@dataclass(eq=False, slots=True)
class Scribe:
    """A client whose every request is in the ledger before it is sent."""

    client: Client
    ledger: Ledger

    async def ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        **said: object,
    ) -> Answer | None:
        """Return the answer, or None where there was none. `said` is what a checker
        will want to know of the request.
        """
        number = self.ledger.asked(kind, **said)
        try:
            answer = await self.client.ask(method, path, body, headers=headers)
        except NoAnswerError as why:
            self.ledger.silent(number, str(why))
            return None
        except asyncio.CancelledError:
            self.ledger.silent(number, "went away")
            raise
        self.ledger.answered(
            number,
            answer.status,
            **_of_interest(answer),
            digest=sha256(answer.body).hexdigest()[:16],
            replayed=answer.headers.get("idempotency-replayed") == "true",
            retry_after=answer.headers.get("retry-after"),
        )
        return answer


_KEPT = ("id", "version", "status", "start", "end", "practitionerId", "notes", "code")


def _of_interest(answer: Answer) -> dict[str, object]:
    with suppress(orjson.JSONDecodeError):
        told = answer.json()
        if isinstance(told, dict):
            return {name: told[name] for name in _KEPT if name in told}
    return {}


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    if headers.get("transfer-encoding") == "chunked":
        return status, headers, await _chunks(reader)
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return status, headers, content


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    content = b""
    while size := int(await reader.readline(), 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return content
