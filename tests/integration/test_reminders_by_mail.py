"""Mail to a real SMTP server: what is in it, and what comes of each kind of trouble."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from scheduling.adapters.reminders.smtp import MailServer, RemindersBySmtp
from scheduling.application.ports.notices import Notices
from scheduling.application.ports.reminders import (
    DispatchError,
    DispatchFailed,
    OutcomeUnknown,
    Undeliverable,
)
from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.due_reminder import Contact, DueReminder, Notice
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    TenantId,
)
from scheduling.domain.status import Status
from tests.mailing import MailSite

NOW = datetime(2030, 3, 30, 8, tzinfo=UTC)
TO = "maria@example.org"


class NothingToTell(Notices):
    def tell(self, news: object) -> None:
        raise AssertionError(news)


def a_notice(address: str | None = TO, **told: Any) -> Notice:  # noqa: ANN401
    contact = Contact(ContactPreferences(email=True), email=address)
    due = DueReminder(
        tenant_id=TenantId(uuid4()),
        id=uuid4(),
        appointment_id=AppointmentId(uuid4()),
        patient_id=PatientId(uuid4()),
        practitioner_id=PractitionerId(uuid4()),
        location_id=LocationId(uuid4()),
        start=NOW + timedelta(days=1),
        status=Status.BOOKED,
        offset_minutes=24 * 60,
        channel=Channel.EMAIL,
        look_at=NOW,
        attempts=1,
        reason=None,
        sending_since=NOW,
        overtaken=False,
        patient_active=True,
        contact=contact,
        location_name="Clinic Downtown",
        timezone="Europe/Berlin",
        now=NOW,
    )
    due = replace(due, **told)
    assert due.channel is not None
    return Notice(due, due.channel)


@pytest.fixture
async def site() -> AsyncIterator[MailSite]:
    async with MailSite().open() as site:
        yield site


def sender_to(site: MailSite, *, within: float = 5.0, login: str = "") -> Any:  # noqa: ANN401
    server = MailServer.at(f"smtp://{login}127.0.0.1:{site.port}")
    return RemindersBySmtp(server, "clinic@example.org", answer_within=within)


async def send(smtp: RemindersBySmtp, notice: Notice) -> None:
    await smtp.dispatch(notice, NothingToTell())


async def test_a_mail_says_when_and_where_in_the_clinics_time_with_its_zone(
    site: MailSite,
) -> None:
    notice = a_notice()  # 08:00 UTC is 10:00 in Berlin, which has summer by then
    await send(sender_to(site), notice)
    (mail,) = site.mails
    assert site.envelopes == [("clinic@example.org", (TO,))]
    assert mail["Subject"] == "Your appointment on Sunday, 31 March 2030 at 10:00"
    text = mail.get_content()
    assert "Clinic Downtown" in text
    assert "at 10:00 (Europe/Berlin, UTC+02:00)" in text
    assert mail["Message-ID"] == f"<{notice.reminder.id}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["To"] == TO
    assert str(notice.reminder.patient_id) not in mail.as_string()


async def test_a_mail_in_burmese_comes_over_whole(site: MailSite) -> None:
    contact = replace(a_notice().reminder.contact, language="my")
    await send(sender_to(site), a_notice(contact=contact, timezone="Asia/Yangon"))
    (mail,) = site.mails
    assert mail["Content-Language"] == "my"
    assert "၁၄:၃၀" in mail["Subject"]
    assert "(Asia/Yangon, UTC+06:30)" in mail.get_content()


async def test_who_has_a_login_says_it() -> None:
    async with MailSite().open(login=True) as guarded:
        await send(sender_to(guarded, login="clinic:secret%20word@"), a_notice())
        assert guarded.logins == [(b"clinic", b"secret word")]
        assert len(guarded.mails) == 1
        with pytest.raises(DispatchFailed, match="SMTP_535"):
            await send(sender_to(guarded, login="clinic:wrong@"), a_notice())


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ("550 no such user", Undeliverable, "SMTP_550"),
        ("450 come back later", DispatchFailed, "SMTP_450"),
    ],
)
async def test_a_recipient_is_refused_for_now_or_for_good(
    site: MailSite, answer: str, error: type[DispatchError], code: str
) -> None:
    site.refusals[TO] = answer
    with pytest.raises(error, match=code):
        await send(sender_to(site), a_notice())
    assert site.mails == []


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ("554 spam", Undeliverable, "SMTP_554"),
        ("452 disk full", DispatchFailed, "SMTP_452"),
        (None, OutcomeUnknown, "OUTCOME_UNKNOWN"),
    ],
)
async def test_what_becomes_of_a_text_is_known_by_the_answer_only(
    site: MailSite, answer: str | None, error: type[DispatchError], code: str
) -> None:
    site.troubles = [answer]
    with pytest.raises(error, match=code):
        await send(sender_to(site), a_notice())


async def test_a_server_that_says_nothing_to_a_text_leaves_it_unknown(
    site: MailSite,
) -> None:
    site.gate.clear()
    with pytest.raises(OutcomeUnknown):
        await send(sender_to(site, within=0.3), a_notice())
    site.gate.set()


async def test_a_server_that_does_not_greet_can_be_asked_again() -> None:
    hung_up = asyncio.Event()

    async def silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read()
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    site = MailSite(port=server.sockets[0].getsockname()[1])
    with pytest.raises(DispatchFailed, match="SMTP_UNREACHABLE"):
        await send(sender_to(site, within=0.3), a_notice())
    await asyncio.wait_for(hung_up.wait(), 10)
    server.close()


async def test_a_server_that_is_away_can_be_asked_again() -> None:
    async with MailSite().open() as gone:
        pass
    with pytest.raises(DispatchFailed, match="SMTP_UNREACHABLE"):
        await send(sender_to(gone), a_notice())


async def test_a_server_that_is_just_being_restarted_is_asked_again_at_once(
    site: MailSite,
) -> None:
    site.hang_ups = 1
    await send(sender_to(site), a_notice())
    assert (site.calls, len(site.mails)) == (2, 1)


async def test_one_that_stays_away_is_not_asked_over_and_over(site: MailSite) -> None:
    site.hang_ups = 99
    with pytest.raises(DispatchFailed, match="SMTP_UNREACHABLE"):
        await send(sender_to(site), a_notice())
    assert site.calls == 2


async def test_what_was_refused_or_may_be_out_is_not_sent_again_at_once(
    site: MailSite,
) -> None:
    site.refusals[TO] = "450 come back later"
    with pytest.raises(DispatchFailed):
        await send(sender_to(site), a_notice())
    site.refusals.clear()
    site.troubles = [None]
    with pytest.raises(OutcomeUnknown):
        await send(sender_to(site), a_notice())
    assert (site.calls, site.mails) == (2, [])


async def test_encryption_that_is_demanded_and_not_offered_sends_nothing(
    site: MailSite,
) -> None:
    server = MailServer.at(f"smtp+starttls://127.0.0.1:{site.port}")
    with pytest.raises(DispatchFailed, match="SMTP_UNREACHABLE"):
        await send(RemindersBySmtp(server, "clinic@example.org"), a_notice())
    assert site.mails == []


@pytest.mark.parametrize(
    "address", [None, "", "a,b@example.org", "Maria <m@x.org>", "ärzte@x.org", "a@b@c"]
)
async def test_what_is_not_one_address_is_not_written_to(
    site: MailSite, address: str | None
) -> None:
    with pytest.raises(Undeliverable, match="ADDRESS_UNFIT"):
        await send(sender_to(site), a_notice(address))
    assert site.mails == []


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail", "smtp://", ""])
def test_a_mail_server_is_told_by_its_url(url: str) -> None:
    with pytest.raises(ValueError, match="a mail server is"):
        MailServer.at(url)


def test_the_password_is_not_shown() -> None:
    server = MailServer.at("smtps://clinic:s3cret@mail.example.org")
    assert (server.port, server.encrypted) == (465, True)
    assert "s3cret" not in f"{server} {server!r}"
