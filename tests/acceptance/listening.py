"""A client of the event stream, as plain as the standard allows."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.acceptance.desk import Desk
from tests.acceptance.product import follows

PATH = "/v1/events/stream"


@dataclass(frozen=True)
class Block:
    """What stands between two empty lines."""

    lines: tuple[str, ...]

    def __getitem__(self, name: str) -> str:
        """The value of the one field of that name."""
        [value] = [
            line.removeprefix(f"{name}: ")
            for line in self.lines
            if line.startswith(f"{name}: ")
        ]
        return value

    @property
    def is_event(self) -> bool:
        return any(line.startswith("data:") for line in self.lines)

    @property
    def event(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self["data"])
        return told


class Listener:
    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self.last_id = ""
        self._lines = answer.aiter_lines()

    async def block(self) -> Block:
        """Return the next block; raise StopAsyncIteration at the end of the stream."""
        lines: list[str] = []
        while line := await anext(self._lines):
            lines.append(line)
        block = Block(tuple(lines))
        self.last_id = block["id"]
        return block

    async def events(self, count: int, *, whole: bool = False) -> list[Block]:
        """Return that many events; signs of life are passed over, and what follows by
        itself unless it is the `whole`.
        """
        found: list[Block] = []
        while len(found) < count:
            block = await self.block()
            if block.is_event and (whole or not follows(f".{block['event']}")):
                found.append(block)
        return found

    async def until_end(self) -> list[Block]:
        found: list[Block] = []
        try:
            while True:
                found += await self.events(1)
        except StopAsyncIteration:
            return found


@asynccontextmanager
async def listening(
    desk: Desk, *, after: str | None = None, **asked: str | list[str]
) -> AsyncIterator[Listener]:
    """Follow the stream; its first words have been read when the block is entered."""
    headers: Mapping[str, str] = {
        "Authorization": f"Bearer {desk.token}",
        **({} if after is None else {"Last-Event-ID": after}),
    }
    async with desk.http.stream("GET", PATH, headers=headers, params=asked) as answer:
        assert answer.status_code == 200, await answer.aread()
        listener = Listener(answer)
        first = await listener.block()
        assert first["retry"].isdigit()
        assert not first.is_event
        yield listener
