"""Keys that rotate under real requests: over HTTP, in a file, and those of dev."""

import asyncio
import io
import json
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scheduling.adapters.tokens.issuer import open_dev_issuer
from scheduling.adapters.tokens.keys import KeyRing
from scheduling.adapters.tokens.keys_at_url import keys_at_url
from scheduling.adapters.tokens.keys_in_file import KeysInFile
from scheduling.adapters.tokens.verifier import TokenVerifier
from scheduling.application.ports.identity import (
    IdentityUnavailable,
    Reason,
    Scope,
    Unauthenticated,
)
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX
from scheduling.entrypoints.telemetry import configure_logging
from tests.unit.tokens.forge import (
    ISSUER,
    PATIENT,
    TENANT,
    Clock,
    claims,
    ed25519,
    key_set,
    sign,
)

OLD, NEW, STRANGER = ed25519("old"), ed25519("new"), ed25519("invented")


@dataclass
class IssuerSite:
    """A small HTTP server; `answers` is what it says, `asked` how often it was."""

    answer: bytes = field(default_factory=lambda: key_set(OLD))
    status: str = "200 OK"
    asked: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"

    @asynccontextmanager
    async def open(self) -> AsyncIterator["IssuerSite"]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(self.answer)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + self.answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def site() -> AsyncIterator[IssuerSite]:
    async with IssuerSite().open() as site:
        yield site


def verifier(ring: KeyRing) -> TokenVerifier:
    return TokenVerifier(ring, issuer=ISSUER, audience="scheduling", now=Clock())


async def refused(verify: TokenVerifier, token: str) -> Reason:
    with pytest.raises(Unauthenticated) as refusal:
        await verify(token)
    return refusal.value.reason


def token_of(key: object) -> str:
    assert isinstance(key, type(OLD))
    return sign(key, claims(), "Ed25519")


# --- over HTTP -----------------------------------------------------------------------


async def test_a_new_key_is_fetched_when_a_token_names_it(site: IssuerSite) -> None:
    clock = Clock(0)
    async with keys_at_url(site.url, decent_interval=5, monotonic=clock) as ring:
        verify = verifier(ring)
        await verify(token_of(OLD))

        site.answer = key_set(OLD, NEW)
        clock.advance(5)
        await verify(token_of(NEW))
        assert site.asked == 2


async def test_a_flood_of_invented_keys_does_not_reach_the_issuer(
    site: IssuerSite,
) -> None:
    clock = Clock(0)
    async with keys_at_url(site.url, decent_interval=5, monotonic=clock) as ring:
        verify = verifier(ring)
        clock.advance(5)
        flood = [sign(STRANGER, claims(), "Ed25519", kid=str(n)) for n in range(200)]
        outcomes = await asyncio.gather(
            *(verify(token) for token in flood), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {Unauthenticated}
        assert site.asked == 2
        await verify(token_of(OLD))


async def test_keys_are_fetched_again_in_the_background(site: IssuerSite) -> None:
    async with keys_at_url(site.url, refresh_every=0.01) as ring:
        verify = verifier(ring)
        await verify(token_of(OLD))
        before, site.answer = ring.current(), key_set(NEW)
        async with asyncio.timeout(5):
            while ring.current() is before:  # noqa: ASYNC110  # there is no event
                await asyncio.sleep(0.005)
        assert await refused(verify, token_of(OLD)) is Reason.NOT_TRUSTED
        await verify(token_of(NEW))


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("503 Service Unavailable", b""),
        ("302 Found", b""),
        ("200 OK", b"<html>"),
        ("200 OK", b"x" * 300_000),
    ],
    ids=["503", "302", "html", "huge"],
)
async def test_a_bad_answer_leaves_the_keys_as_they_are(
    site: IssuerSite, status: str, answer: bytes
) -> None:
    async with keys_at_url(site.url) as ring:
        site.status, site.answer = status, answer
        await ring.refresh()
        assert site.asked == 2
        await verifier(ring)(token_of(OLD))


async def test_an_issuer_that_is_away_leaves_the_keys_as_they_are() -> None:
    site = IssuerSite()
    async with AsyncExitStack() as while_up:
        await while_up.enter_async_context(site.open())
        async with keys_at_url(site.url) as ring:
            verify = verifier(ring)
            await while_up.aclose()
            await ring.refresh()
            await verify(token_of(OLD))


async def test_an_issuer_that_comes_late_is_waited_for() -> None:
    site = IssuerSite()
    async with site.open():
        pass
    async with keys_at_url(site.url, decent_interval=0.01, timeout=1) as ring:
        verify = verifier(ring)
        with pytest.raises(IdentityUnavailable):
            await verify(token_of(OLD))
        async with site.open(), asyncio.timeout(5):
            while not site.asked:  # noqa: ASYNC110  # there is no event
                await asyncio.sleep(0.005)
            await ring.refresh()
        await verify(token_of(OLD))


# --- in a file -----------------------------------------------------------------------


async def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path, clock = tmp_path / "jwks.json", Clock(0)
    path.write_bytes(key_set(OLD))
    verify = verifier(KeysInFile(path, every=1, monotonic=clock))
    await verify(token_of(OLD))

    path.write_bytes(key_set(NEW))
    await verify(token_of(OLD))  # not looked at again so soon
    clock.advance(1)
    assert await refused(verify, token_of(OLD)) is Reason.NOT_TRUSTED
    await verify(token_of(NEW))


async def test_an_unknown_key_is_looked_for_at_once(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set(OLD))
    verify = verifier(KeysInFile(path, monotonic=Clock(0)))
    await verify(token_of(OLD))
    path.write_bytes(key_set(OLD, NEW))
    await verify(token_of(NEW))


@pytest.mark.parametrize("ruin", [b"", b'{"keys": [', None])
async def test_a_file_that_is_torn_or_gone_leaves_the_keys(
    tmp_path: Path, ruin: bytes | None
) -> None:
    path, clock = tmp_path / "jwks.json", Clock(0)
    path.write_bytes(key_set(OLD))
    verify = verifier(KeysInFile(path, every=1, monotonic=clock))
    await verify(token_of(OLD))
    path.unlink() if ruin is None else path.write_bytes(ruin)
    clock.advance(1)
    await verify(token_of(OLD))

    path.write_bytes(key_set(NEW))
    clock.advance(1)
    await verify(token_of(NEW))


async def test_without_a_file_nobody_can_be_judged(tmp_path: Path) -> None:
    verify = verifier(KeysInFile(tmp_path / "none.json"))
    with pytest.raises(IdentityUnavailable):
        await verify(token_of(OLD))


async def test_no_token_and_no_claim_is_logged(site: IssuerSite) -> None:
    log = io.BytesIO()
    configure_logging("debug", log)
    marked = claims(sub="MARKER-sub", name="MARKER-name", iss="MARKER-iss")
    async with keys_at_url(f"{site.url}?key=MARKER-url") as ring:
        verify = verifier(ring)
        tokens = [sign(key, marked, "Ed25519") for key in (OLD, STRANGER)]
        for token in tokens:
            await refused(verify, token)
        site.status = "500 MARKER-status"
        await ring.refresh()
    text = log.getvalue().decode()
    assert "token_keys.unreadable" in text
    assert "MARKER" not in text
    assert not any(part in text for token in tokens for part in token.split("."))


# --- of development ------------------------------------------------------------------


def test_the_dev_key_is_private_and_made_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ThreadPoolExecutor(8) as pool:
        issuers = list(
            pool.map(
                lambda _: open_dev_issuer(data, prefix=DEV_ISSUER_PREFIX), range(16)
            )
        )
    assert len({(issuer.name, issuer.key.thumbprint()) for issuer in issuers}) == 1
    assert issuers[0].name.startswith(DEV_ISSUER_PREFIX)
    assert {path.name for path in data.iterdir()} == {
        "dev-issuer",
        "dev-jwks.json",
        "dev-key.json",
    }
    assert stat.S_IMODE((data / "dev-key.json").stat().st_mode) == 0o600
    assert '"d"' not in (data / "dev-jwks.json").read_text()


async def test_a_minted_token_is_believed_in_its_own_data_directory(
    tmp_path: Path,
) -> None:
    mine, other = (
        open_dev_issuer(tmp_path / name, prefix=DEV_ISSUER_PREFIX)
        for name in ("mine", "other")
    )
    verify = TokenVerifier(
        KeysInFile(mine.jwks_file), issuer=mine.name, audience="scheduling"
    )
    token = mine.mint(tenant_id=TENANT, scope=Scope.BOOK, patient_id=PATIENT)
    identity = await verify(token)
    assert (identity.tenant_id, identity.patient_id) == (TENANT, PATIENT)
    assert await refused(verify, other.mint(tenant_id=TENANT, scope=Scope.BOOK)) is (
        Reason.NOT_TRUSTED
    )


def scheduling_token(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "scheduling", "token", *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_prints_the_token_alone(tmp_path: Path) -> None:
    done = scheduling_token(
        "--tenant", str(TENANT), "--scope", "scheduling:read", cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    issuer = open_dev_issuer(tmp_path / ".data", prefix=DEV_ISSUER_PREFIX)
    verify = TokenVerifier(
        KeysInFile(issuer.jwks_file), issuer=issuer.name, audience="scheduling"
    )
    identity = await verify(done.stdout.removesuffix("\n"))
    assert identity.tenant_id == TENANT
    assert identity.scopes == {Scope.READ}


async def test_the_command_knows_the_demo_tenant(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text(json.dumps({"tenantId": str(TENANT)}))
    done = scheduling_token("--data-dir", str(tmp_path), "--sub", "me", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(".") == 2


@pytest.mark.parametrize("args", [["--scope", "scheduling:fly"], []])
def test_the_command_says_what_it_misses(tmp_path: Path, args: list[str]) -> None:
    done = scheduling_token(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
