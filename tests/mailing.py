"""A mail server and a webhook's receiver as others run them; they fail when told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID
from warnings import catch_warnings, simplefilter

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class MailSite:
    """`refusals` are what it says to a recipient, `troubles` to a text that came over
    whole: an answer, or None to hang up. While the `gate` is shut it says nothing. So
    many that come are hung up on before a word, as by a server that is restarted.
    """

    refusals: dict[str, str] = field(default_factory=dict)
    troubles: list[str | None] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    envelopes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    hang_ups: int = 0
    calls: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    taking: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    @asynccontextmanager
    async def open(
        self, tls: ssl.SSLContext | None = None, *, login: bool = False
    ) -> AsyncIterator["MailSite"]:
        loop = asyncio.get_running_loop()
        sessions: set[SMTP] = set()

        def session() -> asyncio.Protocol:
            self.calls += 1
            if self.calls <= self.hang_ups:
                return _HangingUp()
            with catch_warnings():
                # It warns of a login without encryption; nobody listens here.
                simplefilter("ignore")
                made = SMTP(
                    self,
                    hostname="mail.example.org",
                    tls_context=tls,
                    require_starttls=tls is not None,
                    auth_required=login,
                    auth_require_tls=False,
                    authenticator=self._authenticate,
                    loop=loop,
                )
            sessions.add(made)
            return made

        server = await loop.create_server(session, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for one in sessions:
                if one.transport is not None:
                    one.transport.close()

    def _authenticate(
        self,
        _server: SMTP,
        _session: Session,
        _envelope: Envelope,
        _mechanism: str,
        given: Any,  # noqa: ANN401
    ) -> AuthResult:
        self.logins.append((given.login, given.password))
        known = given.password == b"secret word"
        return AuthResult(success=known, handled=known)

    # What aiosmtpd calls, by its names.

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        refusal = self.refusals.get(address)
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        arrived = asyncio.get_running_loop().time()
        self.taking.set()
        await self.gate.wait()
        trouble = self.troubles.pop(0) if self.troubles else "250 OK"
        if trouble is None:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 gone"
        if trouble.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, policy=policy.SMTP)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.arrivals.append(arrived)
            self.envelopes.append((str(envelope.mail_from), tuple(envelope.rcpt_tos)))
        return trouble

    @property
    def reminders(self) -> list[UUID]:
        """Return which reminders came, by their mails' ids."""
        return [UUID(str(one["Message-ID"])[1:37]) for one in self.mails]


class _HangingUp(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


@dataclass
class WebhookSite:
    """`troubles` are the statuses that it answers first; None hangs up without one."""

    troubles: list[int | None] = field(default_factory=list)
    requests: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/reminders"

    @property
    def reminders(self) -> list[UUID]:
        return [UUID(headers["webhook-id"]) for headers, _ in self.requests]

    @asynccontextmanager
    async def open(self) -> AsyncIterator["WebhookSite"]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = [line.partition(": ") for line in head.split("\r\n")[1:-2]]
                headers = {name.lower(): value for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                await self.gate.wait()
                status = self.troubles.pop(0) if self.troubles else 204
                if status is None:
                    return
                self.requests.append((headers, body))
                writer.write(f"HTTP/1.1 {status} -\r\nconnection: close\r\n".encode())
                writer.write(b"content-length: 0\r\n\r\n")
                await writer.drain()
        finally:
            writer.close()
