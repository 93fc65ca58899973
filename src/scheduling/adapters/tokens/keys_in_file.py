import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from scheduling.adapters.tokens.keys import KeyRing, NotAKeySet, PublishedKeys
from scheduling.application.ports.identity import IdentityUnavailable

_log = structlog.get_logger()


class KeysInFile(KeyRing):
    """A key set in a file that somebody else may replace at any time.

    The file is looked at once in `every` seconds at the most and read only where it
    has changed. What cannot be read, or is half written, leaves the keys as they are.
    """

    def __init__(
        self,
        path: Path,
        *,
        every: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._every = every
        self._monotonic = monotonic
        self._look_again_at = float("-inf")
        self._seen: tuple[int, int, int] | None = None
        self._keys: PublishedKeys | None = None

    def current(self) -> PublishedKeys:
        now = self._monotonic()
        if now >= self._look_again_at:
            self._look_again_at = now + self._every
            self._look()
        if self._keys is None:
            raise IdentityUnavailable("the file of token keys has not been read yet")
        return self._keys

    async def newest(self) -> PublishedKeys:
        self._look_again_at = float("-inf")
        return self.current()

    def _look(self) -> None:
        try:
            status = os.stat(self._path)  # noqa: PTH116  # the hot path: no Path made
            signature = (status.st_mtime_ns, status.st_size, status.st_ino)
            if signature == self._seen:
                return
            text = self._path.read_bytes()
            if self._keys is None or text != self._keys.text:
                self._keys = PublishedKeys.read(text)
                _log.info("token_keys.read", keys=len(self._keys.by_kid_and_alg))
            self._seen = signature
        except (OSError, NotAKeySet) as error:
            _log.warning("token_keys.unreadable", error=type(error).__name__)
