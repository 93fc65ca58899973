"""Requests to a real HTTP server: signed, and repeated under one id."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator

import pytest

from scheduling.adapters.reminders.webhook import open_webhook, signing_keys
from scheduling.application.ports.reminders import (
    DispatchError,
    DispatchFailed,
    Undeliverable,
)
from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.due_reminder import Contact, Notice
from tests.integration.test_reminders_by_mail import NOW, NothingToTell, a_notice
from tests.mailing import WebhookSite

KEY, OLD_KEY = b"k" * 32, b"o" * 24
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OLD_SECRET = "whsec_" + base64.b64encode(OLD_KEY).decode()


@pytest.fixture
async def site() -> AsyncIterator[WebhookSite]:
    async with WebhookSite().open() as site:
        yield site


async def send(
    site: WebhookSite, notice: Notice, secrets: str = SECRET, within: float = 5.0
) -> None:
    keys = signing_keys(secrets)
    async with open_webhook(site.url, keys, answer_within=within) as webhook:
        await webhook.dispatch(notice, NothingToTell())


def signed_with(key: bytes, id: str, timestamp: str, body: bytes) -> str:
    """As the standard says it, in words of its own."""
    content = b".".join([id.encode(), timestamp.encode(), body])
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


async def test_a_request_says_all_and_is_signed(site: WebhookSite) -> None:
    contact = Contact(ContactPreferences(sms=True), phone="+49 30 1", language="en-GB")
    notice = a_notice(contact=contact, channel=Channel.SMS)
    await send(site, notice)
    ((headers, body),) = site.requests
    assert headers["webhook-id"] == str(notice.reminder.id)
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["content-type"] == "application/json"
    assert headers["webhook-signature"] == signed_with(
        KEY, headers["webhook-id"], headers["webhook-timestamp"], body
    )
    told = json.loads(body)
    assert told["type"] == "appointment.reminder"
    assert told["data"] | {"text": ...} == {
        "tenantId": str(notice.reminder.tenant_id),
        "reminderId": str(notice.reminder.id),
        "appointmentId": str(notice.reminder.appointment_id),
        "patientId": str(notice.reminder.patient_id),
        "practitionerId": str(notice.reminder.practitioner_id),
        "locationId": str(notice.reminder.location_id),
        "offsetMinutes": 1440,
        "start": "2030-03-31T08:00:00Z",
        "timezone": "Europe/Berlin",
        "channel": "sms",
        "to": "+49 30 1",
        "language": "en",
        "subject": "Your appointment on Sunday, 31 March 2030 at 10:00",
        "text": ...,
    }
    assert "(Europe/Berlin, UTC+02:00)" in told["data"]["text"]


async def test_while_a_secret_changes_it_is_signed_with_both(site: WebhookSite) -> None:
    await send(site, a_notice(), f"{SECRET} {OLD_SECRET}")
    ((headers, body),) = site.requests
    told = (headers["webhook-id"], headers["webhook-timestamp"], body)
    both = [signed_with(key, *told) for key in (KEY, OLD_KEY)]
    assert headers["webhook-signature"].split(" ") == both


async def test_another_body_has_another_signature(site: WebhookSite) -> None:
    await send(site, a_notice())
    ((headers, body),) = site.requests
    forged = body.replace(b"Clinic", b"Cl1nic")
    assert headers["webhook-signature"] != signed_with(
        KEY, headers["webhook-id"], headers["webhook-timestamp"], forged
    )


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (503, DispatchFailed, "HTTP_503"),
        (429, DispatchFailed, "HTTP_429"),
        (401, DispatchFailed, "HTTP_401"),
        (302, DispatchFailed, "HTTP_302"),
        (422, Undeliverable, "HTTP_422"),
        (410, Undeliverable, "HTTP_410"),
    ],
)
async def test_what_is_refused_is_repeated_but_for_what_is_refused_for_good(
    site: WebhookSite, status: int, error: type[DispatchError], code: str
) -> None:
    site.troubles = [status]
    with pytest.raises(error, match=code):
        await send(site, a_notice())
    assert len(site.requests) == 1


async def test_one_whose_answer_got_lost_comes_again_at_once_under_its_id(
    site: WebhookSite,
) -> None:
    site.troubles = [None]
    notice = a_notice()
    await send(site, notice)
    assert site.reminders == [notice.reminder.id]
    site.troubles = [None, None]
    with pytest.raises(DispatchFailed, match="HTTP_UNREACHABLE"):
        await send(site, notice)
    assert site.troubles == []


async def test_a_receiver_that_says_nothing_is_asked_again(site: WebhookSite) -> None:
    site.gate.clear()
    with pytest.raises(DispatchFailed, match="HTTP_UNREACHABLE"):
        await send(site, a_notice(), within=0.3)
    site.gate.set()


@pytest.mark.parametrize(
    "secret",
    ["", "secret", "whsec_", "whsec_####", OLD_SECRET[6:], "whsec_" + "A" * 200],
)
def test_a_secret_that_is_none_is_refused_and_not_told(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as refusal:
        signing_keys(secret)
    assert secret in {"", "secret"} or secret[6:] == "" or secret not in str(refusal)
