import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx2
import structlog

from scheduling.adapters.tokens.keys import KeyRing, NotAKeySet, PublishedKeys
from scheduling.application.ports.identity import IdentityUnavailable

LARGEST_KEY_SET = 256 * 1024
"""Bytes; a hundred times what issuers publish."""

_log = structlog.get_logger()


class KeysAtUrl(KeyRing):
    """A key set that an issuer publishes and changes when it likes.

    Read in the background every `refresh_every` seconds (every `decent_interval` ones
    until it has been read at all), and when a token names a key that is not in it:
    then no oftener than once in `decent_interval` seconds, so that a flood of invented
    key names does not become a flood at the issuer's. While the issuer is away the
    keys stay as they are: tokens outlive a restart of the issuer.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        url: str,
        *,
        refresh_every: float,
        decent_interval: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._client = client
        self._url = url
        self._refresh_every = refresh_every
        self._decent_interval = decent_interval
        self._monotonic = monotonic
        self._asked_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()
        self._keys: PublishedKeys | None = None

    def current(self) -> PublishedKeys:
        if self._keys is None:
            raise IdentityUnavailable("the issuer's keys have not been read yet")
        return self._keys

    async def newest(self) -> PublishedKeys:
        async with self._one_at_a_time:
            # Those who waited for the lock find the question asked, and answered.
            if self._monotonic() - self._asked_at >= self._decent_interval:
                await self._ask()
        return self.current()

    async def refresh(self) -> None:
        async with self._one_at_a_time:
            await self._ask()

    async def keep_fresh(self) -> None:
        while True:
            known = self._keys is not None
            await asyncio.sleep(self._refresh_every if known else self._decent_interval)
            await self.refresh()

    async def _ask(self) -> None:
        self._asked_at = self._monotonic()
        try:
            text = await self._fetch()
            if self._keys is None or text != self._keys.text:
                self._keys = PublishedKeys.read(text)
                _log.info("token_keys.read", keys=len(self._keys.by_kid_and_alg))
        except (httpx2.HTTPError, NotAKeySet) as error:
            _log.warning("token_keys.unreadable", error=type(error).__name__)

    async def _fetch(self) -> bytes:
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != httpx2.codes.OK:
                raise NotAKeySet(f"status {response.status_code}")
            text = b""
            async for chunk in response.aiter_bytes():
                text += chunk
                if len(text) > LARGEST_KEY_SET:
                    raise NotAKeySet("too large")
        return text


@asynccontextmanager
async def keys_at_url(
    url: str,
    *,
    refresh_every: float = 300.0,
    decent_interval: float = 5.0,
    timeout: float = 5.0,  # noqa: ASYNC109  # of each request, handed to the client
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[KeysAtUrl]:
    """Read the keys once, then keep them fresh until the block is left.

    An issuer that is away does not keep the process from starting.
    """
    async with httpx2.AsyncClient(timeout=timeout, follow_redirects=False) as client:
        ring = KeysAtUrl(
            client,
            url,
            refresh_every=refresh_every,
            decent_interval=decent_interval,
            monotonic=monotonic,
        )
        await ring.refresh()
        freshener = asyncio.create_task(ring.keep_fresh(), name="token-keys")
        try:
            yield ring
        finally:
            freshener.cancel()
            with suppress(asyncio.CancelledError):
                await freshener
