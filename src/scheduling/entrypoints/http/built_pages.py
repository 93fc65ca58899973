"""What Vite has built, kept in memory as browsers take it.

The folder is looked through once. A request names a file that was found then, or none:
no path that somebody asks for is ever put together with ours.
"""

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".ico": "image/vnd.microsoft.icon",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
        ".webp": "image/webp",
        ".woff": "font/woff",
        ".woff2": "font/woff2",
    }
)
"""What a machine says of file names is its own matter; ours is the same everywhere."""

ANYTHING = "application/octet-stream"
PACKED_ALREADY = frozenset({".ico", ".png", ".webp", ".woff", ".woff2"})
WORTH_PACKING = 1024
"""Bytes; what is smaller goes in one packet as it is."""


@dataclass(frozen=True, slots=True)
class Page:
    """`packed` is the body by gzip, or None where that is of no use."""

    body: bytes
    packed: bytes | None
    etag: str
    media_type: str


@dataclass(frozen=True)
class BuiltPages:
    """By their names below the folder, such as `assets/index-D5aN8tQe.js`."""

    files: Mapping[str, Path]
    _read: dict[str, Page] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "BuiltPages":
        """Return what is in the folder; nothing where there is none."""
        found = (file for file in sorted(folder.rglob("*")) if file.is_file())
        return cls({file.relative_to(folder).as_posix(): file for file in found})

    async def page(self, name: str) -> Page | None:
        """Read it when it is first asked for."""
        file = self.files.get(name)
        if file is None:
            return None
        if name not in self._read:
            self._read[name] = await asyncio.to_thread(_read, file)
        return self._read[name]


def _read(file: Path) -> Page:
    body = file.read_bytes()
    packed = None
    if file.suffix not in PACKED_ALREADY and len(body) >= WORTH_PACKING:
        packed = gzip.compress(body, mtime=0)
    return Page(
        body=body,
        packed=packed,
        etag=f'"{sha256(body).hexdigest()[:32]}"',
        media_type=MEDIA_TYPES.get(file.suffix, ANYTHING),
    )
