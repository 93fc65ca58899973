"""What clients asked and what they were answered, on disk before the next step.

One JSON object a line: `asked` with a number, and later `answered` or `silent` with the
same. What was asked and never answered, or answered with 5xx, may have been done or
not: such outcomes are a class of their own. Times are seconds of `time.monotonic`.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson


class Ledger:
    """Written by all clients of one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)
        self._number = 0
        self._step = asyncio.Event()

    def asked(self, kind: str, /, **said: object) -> int:
        """Write down what is about to be asked; return its number."""
        self._number += 1
        self._step.set()
        self._write({"asked": self._number, "kind": kind, **_at(), "said": said})
        return self._number

    def answered(self, number: int, status: int, /, **told: object) -> None:
        self._write({"answered": number, "status": status, **_at(), "told": told})

    def silent(self, number: int, why: str) -> None:
        self._write({"silent": number, "why": why, **_at()})

    async def until(self, asked: int) -> None:
        """Return when so many requests are in it."""
        while self._number < asked:
            self._step.clear()
            await self._step.wait()

    def close(self) -> None:
        self._file.close()

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(orjson.dumps(line, default=str) + b"\n")


@dataclass(slots=True)
class Entry:
    """One request. Without `status` nobody knows whether it was done."""

    number: int
    kind: str
    said: dict[str, Any]
    asked_at: float
    ended_at: float = float("inf")
    status: int | None = None
    told: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    """It was not answered."""

    @property
    def ambiguous(self) -> bool:
        return self.status is None or self.status >= 500

    @property
    def done(self) -> bool:
        return self.status is not None and self.status < 300

    @property
    def milliseconds(self) -> float:
        return (self.ended_at - self.asked_at) * 1000


def entries(path: Path) -> list[Entry]:
    """Read a ledger; a last line that was cut off is none."""
    found: dict[int, Entry] = {}
    for line in _lines(path):
        if "asked" in line:
            number = line["asked"]
            found[number] = Entry(number, line["kind"], line["said"], line["at"])
        elif "answered" in line:
            entry = found[line["answered"]]
            entry.ended_at, entry.status = line["at"], line["status"]
            entry.told = line["told"]
        else:
            entry = found[line["silent"]]
            entry.ended_at, entry.why = line["at"], line["why"]
    return list(found.values())


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)


def _at() -> dict[str, float]:
    return {"at": time.monotonic()}
