"""The staff calendar: what was built of it, and how one signs in."""

import re

from scheduling.application.ports.identity import Scope
from scheduling.entrypoints.calendar import PAGES
from scheduling.entrypoints.http.built_pages import BuiltPages
from scheduling.entrypoints.http.staff_calendar import (
    Mint,
    NoSignIn,
    OpenId,
    Persona,
    Personas,
    StaffCalendar,
)
from scheduling.entrypoints.settings import AUTHORITY, DEV_ISSUER_PREFIX, Settings
from scheduling.entrypoints.wiring.storage import Misconfigured

LIFETIME = 15 * 60
"""Seconds that a persona's token is good for; the page asks for another in time."""

_MAY = {
    Persona.FRONT_DESK: (Scope.READ, Scope.BOOK, Scope.MANAGE),
    Persona.PRACTITIONER: (Scope.READ, Scope.BOOK),
    Persona.ADMINISTRATOR: tuple(Scope),
}


def open_calendar(settings: Settings) -> StaffCalendar:
    return StaffCalendar(pages=BuiltPages(PAGES), sign_in=_sign_in(settings))


def demand_sign_in(settings: Settings) -> None:
    """Raise Misconfigured where a browser could not be sent to sign in."""
    if settings.calendar_oidc_client_id is not None:
        _authority(settings)


def _sign_in(settings: Settings) -> Personas | OpenId | NoSignIn:
    if settings.calendar_oidc_client_id is not None:
        return OpenId(
            authority=_authority(settings),
            client_id=settings.calendar_oidc_client_id,
            scope=settings.calendar_oidc_scope,
            resource=settings.calendar_oidc_resource,
        )
    mint = _dev_mint(settings)
    return NoSignIn() if mint is None else Personas(mint=mint)


def _authority(settings: Settings) -> str:
    found = settings.calendar_oidc_authority or settings.issuer or ""
    if re.fullmatch(AUTHORITY, found) is None:
        raise Misconfigured(
            "Set SCHEDULING_CALENDAR_OIDC_AUTHORITY to the address of your issuer."
        )
    return found


def _dev_mint(settings: Settings) -> Mint | None:
    """Return what mints for personas, where the dev issuer's key lies beside its key
    set: `scheduling dev` has both in its data directory. In production nothing does.
    """
    issuer, key_set = settings.issuer or "", settings.jwks_file
    if not (settings.development and issuer.startswith(DEV_ISSUER_PREFIX) and key_set):
        return None
    # Neither is needed in production, which should not load them.
    from scheduling.adapters.tokens.issuer import (  # noqa: PLC0415
        KEY_FILE,
        open_dev_issuer,
    )
    from scheduling.entrypoints.demo_group import (  # noqa: PLC0415
        DEMO_TENANT,
        POSTS,
    )

    if not (key_set.parent / KEY_FILE).exists():
        return None
    known = open_dev_issuer(key_set.parent, prefix=DEV_ISSUER_PREFIX)
    if known.name != issuer:
        return None

    def mint(persona: Persona) -> str:
        is_one = persona is Persona.PRACTITIONER
        return known.mint(
            tenant_id=DEMO_TENANT,
            scope=" ".join(_MAY[persona]),
            audience=settings.audience,
            subject=persona,
            practitioner_id=POSTS[0].practitioner.id if is_one else None,
            lifetime=LIFETIME,
        )

    return mint
