"""What Vite has built, kept in memory as browsers take it.

The folder is looked through once for each build. A request names a file that was found
then, or none: no path that somebody asks for is ever put together with ours.
"""

import asyncio
import gzip
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
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

INDEX = "index.html"
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


class BuiltPages:
    """By their names below the folder, such as `assets/index-D5aN8tQe.js`."""

    def __init__(self, folder: Path) -> None:
        self._index = folder / INDEX
        self._folder = folder
        self._built_at: int | None = None
        self._files: Mapping[str, Path] = {}
        self._read: dict[str, Page] = {}

    async def page(self, name: str) -> Page | None:
        """Read it when it is first asked for; None where there is none such.

        Who develops builds while we run: then the folder is looked through again, when
        the page itself is next asked for.
        """
        if name == INDEX or self._built_at is None:
            self._look_again()
        file = self._files.get(name)
        if file is None:
            return None
        read = self._read  # of this build: another may be put in place meanwhile
        if name not in read:
            with suppress(FileNotFoundError):
                read[name] = await asyncio.to_thread(_read, file)
        return read.get(name)

    def _look_again(self) -> None:
        try:
            built_at = self._index.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if built_at != self._built_at:
            self._built_at = built_at
            found = (file for file in self._folder.rglob("*") if file.is_file())
            self._files = {f.relative_to(self._folder).as_posix(): f for f in found}
            self._read = {}


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
