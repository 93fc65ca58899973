"""Reminders as mail, handed to an SMTP server.

What was refused before the text went over can be tried again, and is at once where the
server was not reached. Once it is going over,
only the server's answer tells whether it is out: where none comes nobody knows, and it
is not sent again.
"""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Self
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from scheduling.adapters.reminders.at_once import Unreachable, trying_at_once
from scheduling.application.ports.notices import Notices
from scheduling.application.ports.reminders import (
    DispatchFailed,
    OutcomeUnknown,
    ReminderDispatchPort,
    Undeliverable,
)
from scheduling.domain.directory import Channel
from scheduling.domain.due_reminder import Notice, Reach
from scheduling.domain.reminder import Why
from scheduling.domain.reminder_text import render

ANSWER_WITHIN = 6.0
"""Seconds for one mail, all in all: who cancels its appointment waits as long."""

_FOR_GOOD = 500
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_AWAY = (SMTPException, OSError, TimeoutError, asyncio.IncompleteReadError)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """`starttls`: True demands it, None takes it where it is offered."""

    host: str
    port: int
    encrypted: bool = False
    starttls: bool | None = None
    username: str | None = None
    password: str | None = None
    trusting: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"

    @classmethod
    def at(cls, url: str, *, trusting: ssl.SSLContext | None = None) -> Self:
        """Read `smtp://`, `smtp+starttls://` or `smtps://[user:password@]host[:port]`.

        Raise ValueError for anything else.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"a mail server is {', '.join(_PORTS)}://host")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            encrypted=parts.scheme == "smtps",
            starttls={"smtp": None, "smtp+starttls": True, "smtps": False}[
                parts.scheme
            ],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            trusting=trusting,
        )


class RemindersBySmtp(ReminderDispatchPort):
    reach = Reach(channels=frozenset({Channel.EMAIL}))
    with_the_transaction = False

    def __init__(
        self, server: MailServer, sender: str, *, answer_within: float = ANSWER_WITHIN
    ) -> None:
        """`sender` is a bare address. Raise ValueError where it is none."""
        if _unfit(sender):
            raise ValueError("mail comes from a bare address, as name@example.org")
        self._server = server
        self._sender = sender
        self._answer_within = answer_within

    async def dispatch(self, notice: Notice, _notices: Notices, /) -> None:
        address = notice.address or ""
        if _unfit(address):
            raise Undeliverable("ADDRESS_UNFIT")
        mail = self._written(notice, address)
        until = asyncio.get_running_loop().time() + self._answer_within
        try:
            async with asyncio.timeout_at(until):
                client: SMTP = await trying_at_once()(self._announced_to, address)
        except TimeoutError as error:
            raise Unreachable("SMTP_UNREACHABLE") from error
        try:
            await _hand_over(client, mail, until)
            with suppress(*_AWAY):
                async with asyncio.timeout_at(until):
                    await client.quit()
        finally:
            client.close()

    async def _announced_to(self, address: str) -> SMTP:
        """Return a server that has taken the recipient and waits for the text."""
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.encrypted,
            start_tls=server.starttls,
            tls_context=server.trusting,
            local_hostname=self._domain,
            timeout=self._answer_within,
        )
        try:
            await self._announce(client, address)
        except BaseException:
            client.close()
            raise
        return client

    async def _announce(self, client: SMTP, address: str) -> None:
        try:
            await client.connect()
            await client.mail(self._sender)
            await client.rcpt(address)
        except SMTPRecipientRefused as refused:
            raise _refused(refused) from refused
        except SMTPResponseException as refused:
            # Our login, our sender: an operator can mend that.
            raise DispatchFailed(f"SMTP_{refused.code}") from refused
        except _AWAY as error:
            raise Unreachable("SMTP_UNREACHABLE") from error

    def _written(self, notice: Notice, address: str) -> bytes:
        reminder = notice.reminder
        text = render(
            reminder.start,
            timezone=reminder.timezone,
            clinic=reminder.location_name,
            language=reminder.contact.language,
        )
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"] = Address(addr_spec=self._sender)
        mail["To"] = Address(addr_spec=address)
        mail["Subject"] = text.subject
        mail["Date"] = format_datetime(reminder.now)
        mail["Message-ID"] = f"<{reminder.id}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text.body)
        mail["Content-Language"] = text.language
        return mail.as_bytes()

    @property
    def _domain(self) -> str:
        return self._sender.rpartition("@")[2]


async def _hand_over(client: SMTP, mail: bytes, until: float) -> None:
    try:
        async with asyncio.timeout_at(until):
            await client.data(mail)
    except SMTPDataError as refused:
        raise _refused(refused) from refused
    except _AWAY as error:
        raise OutcomeUnknown(Why.OUTCOME_UNKNOWN) from error


def _refused(answer: SMTPResponseException) -> DispatchFailed | Undeliverable:
    kind = Undeliverable if answer.code >= _FOR_GOOD else DispatchFailed
    return kind(f"SMTP_{answer.code}")


def _unfit(address: str) -> bool:
    """Whether it is more or less than one address in ASCII."""
    try:
        return not address.isascii() or Address(addr_spec=address).addr_spec != address
    except (MessageError, ValueError, IndexError):
        return True
