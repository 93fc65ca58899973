"""Reminders as signed requests to somebody's own gateway, by Standard Webhooks.

`webhook-id` is the reminder's id and stays the same when it is sent again: the receiver
sends what it has seen only once, so a request whose answer got lost can be repeated.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx2
import orjson

from scheduling.adapters.reminders.at_once import Unreachable, trying_at_once
from scheduling.application.ports.notices import Notices
from scheduling.application.ports.reminders import (
    DispatchFailed,
    ReminderDispatchPort,
    Undeliverable,
)
from scheduling.domain.due_reminder import Notice, Reach
from scheduling.domain.reminder_text import render

ANSWER_WITHIN = 6.0
"""Seconds for one request, all in all: who cancels its appointment waits as long."""

_REFUSED = frozenset({400, 410, 413, 422})
"""This notice, whenever it comes. Other refusals are of a kind that somebody mends."""

_SECRET = "whsec_"  # noqa: S105  # the prefix that all have
_SHORTEST, _LONGEST = 24, 64


def signing_keys(secrets: str) -> Sequence[bytes]:
    """Read one secret, or several apart by spaces while they change: `whsec_` and 24 to
    64 bytes as base64. Raise ValueError, which does not tell the secret.
    """
    keys = [_key(secret) for secret in secrets.split()]
    if not keys:
        raise ValueError("there is no secret")
    return keys


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_SECRET) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(
            f"a secret is {_SECRET} and {_SHORTEST} to {_LONGEST} bytes as base64"
        )
    return key


def signature(key: bytes, id: str, timestamp: str, body: bytes) -> str:
    signed = f"{id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


class RemindersByWebhook(ReminderDispatchPort):
    """Made by `open_webhook`."""

    reach = Reach(repeatable=True)
    with_the_transaction = False

    def __init__(
        self,
        client: httpx2.AsyncClient,
        url: str,
        keys: Sequence[bytes],
        *,
        answer_within: float,
    ) -> None:
        self._client = client
        self._url = url
        self._keys = keys
        self._answer_within = answer_within

    async def dispatch(self, notice: Notice, _notices: Notices, /) -> None:
        try:
            async with asyncio.timeout(self._answer_within):
                status: int = await trying_at_once()(self._post, notice)
        except TimeoutError as error:
            raise Unreachable("HTTP_UNREACHABLE") from error
        if httpx2.codes.is_success(status):
            return
        kind = Undeliverable if status in _REFUSED else DispatchFailed
        raise kind(f"HTTP_{status}")

    async def _post(self, notice: Notice) -> int:
        body = _body(notice)
        id = str(notice.reminder.id)
        timestamp = str(int(notice.reminder.now.timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(
                signature(key, id, timestamp, body) for key in self._keys
            ),
        }
        try:
            async with self._client.stream(
                "POST", self._url, content=body, headers=headers
            ) as answer:
                return answer.status_code
        except httpx2.HTTPError as error:
            raise Unreachable("HTTP_UNREACHABLE") from error


def _body(notice: Notice) -> bytes:
    reminder = notice.reminder
    text = render(
        reminder.start,
        timezone=reminder.timezone,
        clinic=reminder.location_name,
        language=reminder.contact.language,
    )
    return orjson.dumps(
        {
            "type": "appointment.reminder",
            "timestamp": reminder.now,
            "data": {
                "tenantId": reminder.tenant_id,
                "reminderId": reminder.id,
                "appointmentId": reminder.appointment_id,
                "patientId": reminder.patient_id,
                "practitionerId": reminder.practitioner_id,
                "locationId": reminder.location_id,
                "offsetMinutes": reminder.offset_minutes,
                "start": reminder.start,
                "timezone": reminder.timezone,
                "channel": notice.channel,
                "to": notice.address,
                "language": text.language,
                "subject": text.subject,
                "text": text.body,
            },
        },
        option=orjson.OPT_UTC_Z,
    )


@asynccontextmanager
async def open_webhook(
    url: str, keys: Sequence[bytes], *, answer_within: float = ANSWER_WITHIN
) -> AsyncIterator[RemindersByWebhook]:
    """Sign with each of the keys; a receiver needs to know one."""
    async with httpx2.AsyncClient(
        timeout=answer_within, follow_redirects=False
    ) as client:
        yield RemindersByWebhook(client, url, keys, answer_within=answer_within)
