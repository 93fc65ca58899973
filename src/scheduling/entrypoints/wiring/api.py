"""The API process: storage, token keys, use cases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scheduling.adapters.almanac import HolidaysAlmanac
from scheduling.adapters.postgres.revisions import newest_revision, older_revisions
from scheduling.adapters.tokens.keys import KeyRing
from scheduling.adapters.tokens.keys_in_file import KeysInFile
from scheduling.adapters.tokens.verifier import TokenVerifier
from scheduling.application.ports.identity import Authenticate
from scheduling.entrypoints.http.app import Wired
from scheduling.entrypoints.http.commanding import CommandDoor
from scheduling.entrypoints.http.quota import Quota, Rationed
from scheduling.entrypoints.http.refusals import RefusalAudit
from scheduling.entrypoints.http.use_cases import Commands, Queries
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX, Settings
from scheduling.entrypoints.telemetry import Metrics
from scheduling.entrypoints.wiring.calendar import demand_sign_in, open_calendar
from scheduling.entrypoints.wiring.event_feed import event_streams, open_event_feed
from scheduling.entrypoints.wiring.registry import open_patient_registry, patient_cache
from scheduling.entrypoints.wiring.storage import Misconfigured, open_storage


def demand_settings(settings: Settings) -> None:
    """Raise Misconfigured before anything is opened that would have to be closed."""
    if settings.database_url is None:
        raise Misconfigured("Set SCHEDULING_DATABASE_URL.")
    _issuer(settings)
    if settings.jwks_url is None and settings.jwks_file is None:
        raise Misconfigured("Set SCHEDULING_JWKS_URL or SCHEDULING_JWKS_FILE.")
    demand_sign_in(settings)


@asynccontextmanager
async def open_api(settings: Settings, metrics: Metrics) -> AsyncIterator[Wired]:
    """All that the API process stands on."""
    async with (
        open_storage(settings) as storage,
        _token_keys(settings) as keys,
        open_event_feed(settings) as feed,
        open_patient_registry(settings, metrics) as registry,
    ):
        newest, older = newest_revision(), older_revisions()

        async def readiness() -> str | None:
            standing = await storage.schema()
            if standing is not None and standing not in older:
                return None
            return f"The schema stands at {standing}, not at {newest}."

        yield {
            "authenticate": _authenticate(settings, keys),
            "commands": CommandDoor(
                Commands.over(storage.begin, storage.now, HolidaysAlmanac()),
                storage.begin,
                storage.now,
                patient_cache(registry, storage.begin, storage.now),
            ),
            "refusals": RefusalAudit(storage.audit, metrics.registry),
            "queries": Queries.over(
                storage.begin, storage.settings, storage.now, storage.audit, feed
            ),
            "streams": event_streams(settings, metrics),
            "events_document": _events_document,
            "calendar": open_calendar(settings),
            "readiness": readiness,
            "metrics": metrics,
        }


def _events_document() -> bytes:
    # Imported when it is asked for: who runs the API seldom reads it.
    from scheduling.adapters.cloud_events.asyncapi import (  # noqa: PLC0415
        asyncapi_json,
    )

    return asyncapi_json()


def _authenticate(settings: Settings, keys: KeyRing) -> Authenticate:
    verify = TokenVerifier(keys, issuer=_issuer(settings), audience=settings.audience)
    if settings.rate_limit_per_second is None:
        return verify
    return Rationed(verify, Quota(settings.rate_limit_per_second))


def _issuer(settings: Settings) -> str:
    if settings.issuer is None:
        raise Misconfigured("Set SCHEDULING_ISSUER to the `iss` of your tokens.")
    if settings.issuer.startswith(DEV_ISSUER_PREFIX) and not settings.development:
        raise Misconfigured("A development issuer is never trusted in production.")
    return settings.issuer


@asynccontextmanager
async def _token_keys(settings: Settings) -> AsyncIterator[KeyRing]:
    if settings.jwks_url is not None:
        # Brings an HTTP client along, which a process with a key file never needs.
        from scheduling.adapters.tokens.keys_at_url import keys_at_url  # noqa: PLC0415

        async with keys_at_url(settings.jwks_url) as keys:
            yield keys
    elif settings.jwks_file is not None:
        yield KeysInFile(settings.jwks_file)
    else:
        raise Misconfigured("Set SCHEDULING_JWKS_URL or SCHEDULING_JWKS_FILE.")
