"""Who sends reminders, as the settings say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scheduling.adapters.reminders.events import RemindersAsEvents
from scheduling.application.ports.reminders import ReminderDispatchPort
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.wiring.storage import Misconfigured


@asynccontextmanager
async def open_reminder_dispatch(
    settings: Settings,
) -> AsyncIterator[ReminderDispatchPort]:
    """Raise Misconfigured for what cannot send."""
    match settings.reminders:
        case "events":
            yield RemindersAsEvents()
        case "smtp":
            yield _by_smtp(settings)
        case "webhook":
            async with _by_webhook(settings) as webhook:
                yield webhook


def _by_smtp(settings: Settings) -> ReminderDispatchPort:
    # Brings a mail client along, which few processes need.
    from scheduling.adapters.reminders.smtp import (  # noqa: PLC0415
        MailServer,
        RemindersBySmtp,
    )

    if settings.smtp_url is None or settings.smtp_sender is None:
        raise Misconfigured("Set SCHEDULING_SMTP_URL and SCHEDULING_SMTP_SENDER.")
    try:
        server = MailServer.at(settings.smtp_url.get_secret_value())
        return RemindersBySmtp(server, settings.smtp_sender)
    except ValueError as error:
        raise Misconfigured(f"Mail cannot be sent: {error}.") from error


@asynccontextmanager
async def _by_webhook(settings: Settings) -> AsyncIterator[ReminderDispatchPort]:
    # Brings an HTTP client along.
    from scheduling.adapters.reminders.webhook import (  # noqa: PLC0415
        open_webhook,
        signing_keys,
    )

    url, secret = settings.reminder_webhook_url, settings.reminder_webhook_secret
    if url is None or secret is None:
        raise Misconfigured(
            "Set SCHEDULING_REMINDER_WEBHOOK_URL and …_REMINDER_WEBHOOK_SECRET."
        )
    try:
        keys = signing_keys(secret.get_secret_value())
    except ValueError as error:
        raise Misconfigured(f"The webhook cannot be signed: {error}.") from error
    async with open_webhook(url, keys) as webhook:
        yield webhook
