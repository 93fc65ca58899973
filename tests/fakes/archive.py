"""What grows, in memory: one line for each thing that is kept."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from scheduling.application.ports.archive import OF_ALL_AT_ONCE, Archive, Kept
from scheduling.domain.identifiers import TenantId


@dataclass(frozen=True, kw_only=True)
class Line:
    """`at` None: it has no age yet, and stays."""

    what: Kept
    of: TenantId
    at: datetime | None


@dataclass
class MemoryArchive(Archive):
    lines: dict[UUID, Line] = field(default_factory=dict)

    async def remove(
        self, what: Kept, before: datetime, *, of: TenantId | None, limit: int
    ) -> int:
        if (of is None) is not (what in OF_ALL_AT_ONCE):
            raise ValueError(f"{what} is not removed so")
        old = sorted(
            (line.at, id)
            for id, line in self.lines.items()
            if line.what is what
            and of in {None, line.of}
            and line.at is not None
            and line.at < before
        )
        for _, id in old[:limit]:
            del self.lines[id]
        return min(len(old), limit)
