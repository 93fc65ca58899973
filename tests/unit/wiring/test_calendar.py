"""How one signs in to the calendar, as the settings have it."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scheduling.adapters.tokens.issuer import DevIssuer, open_dev_issuer
from scheduling.adapters.tokens.keys_in_file import KeysInFile
from scheduling.adapters.tokens.verifier import TokenVerifier
from scheduling.application.ports.identity import Scope
from scheduling.entrypoints.demo_group import DEMO_TENANT, POSTS
from scheduling.entrypoints.http.staff_calendar import (
    NoSignIn,
    OpenId,
    Persona,
    Personas,
)
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX, Settings
from scheduling.entrypoints.wiring.calendar import demand_sign_in, open_calendar
from scheduling.entrypoints.wiring.storage import Misconfigured

AT_THE_DESK = {Scope.READ, Scope.BOOK, Scope.MANAGE}


@pytest.fixture
def issuer(tmp_path: Path) -> DevIssuer:
    return open_dev_issuer(tmp_path, prefix=DEV_ISSUER_PREFIX)


Set = Callable[..., Settings]


@pytest.fixture
def given(issuer: DevIssuer) -> Set:
    """Return what `scheduling dev` sets, but for what is told."""

    def settings(**told: object) -> Settings:
        as_dev_has_it = {
            "development": True,
            "issuer": issuer.name,
            "jwks_file": issuer.jwks_file,
        }
        return Settings(**(as_dev_has_it | told))  # type: ignore[arg-type]  # judged there

    return settings


def sign_in(settings: Settings) -> Personas | OpenId | NoSignIn:
    demand_sign_in(settings)
    return open_calendar(settings).sign_in


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    told: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=="))
    return told


@pytest.mark.parametrize(
    ("persona", "scopes"),
    [
        (Persona.FRONT_DESK, AT_THE_DESK),
        (Persona.PRACTITIONER, {Scope.READ, Scope.BOOK}),
        (Persona.ADMINISTRATOR, set(Scope)),
    ],
)
async def test_in_development_there_is_a_token_of_the_demo_for_each_persona(
    given: Set, issuer: DevIssuer, persona: Persona, scopes: set[Scope]
) -> None:
    found = sign_in(given())
    assert isinstance(found, Personas)
    verify = TokenVerifier(
        KeysInFile(issuer.jwks_file), issuer=issuer.name, audience="scheduling"
    )
    identity = await verify(found.mint(persona))
    assert identity.tenant_id == DEMO_TENANT
    assert identity.scopes == scopes
    assert identity.subject == persona
    assert identity.patient_id is None


def test_a_persona_is_trusted_for_a_quarter_of_an_hour(given: Set) -> None:
    found = sign_in(given())
    assert isinstance(found, Personas)
    told = claims(found.mint(Persona.FRONT_DESK))
    assert told["exp"] - told["iat"] == 15 * 60


def test_only_the_practitioner_is_one_of_the_demo(given: Set) -> None:
    found = sign_in(given())
    assert isinstance(found, Personas)
    named = {p: claims(found.mint(p)).get("practitioner_id") for p in Persona}
    assert named == {
        Persona.FRONT_DESK: None,
        Persona.PRACTITIONER: str(POSTS[0].practitioner.id),
        Persona.ADMINISTRATOR: None,
    }


def test_in_production_there_are_no_personas(given: Set) -> None:
    assert sign_in(given(development=False)) == NoSignIn()
    assert sign_in(given(issuer="https://issuer.example")) == NoSignIn()
    assert sign_in(given(jwks_file=None)) == NoSignIn()


def test_the_key_of_another_issuer_mints_nothing(given: Set, tmp_path: Path) -> None:
    other = open_dev_issuer(tmp_path / "other", prefix=DEV_ISSUER_PREFIX)
    assert sign_in(given(jwks_file=other.jwks_file)) == NoSignIn()


def test_a_key_set_without_its_key_mints_nothing(given: Set, tmp_path: Path) -> None:
    alone = tmp_path / "alone" / "dev-jwks.json"
    alone.parent.mkdir()
    alone.write_text('{"keys": []}')
    assert sign_in(given(jwks_file=alone)) == NoSignIn()
    assert list(alone.parent.iterdir()) == [alone]


def test_with_a_client_id_one_signs_in_with_the_issuer(given: Set) -> None:
    for development in (False, True):
        found = sign_in(
            given(
                development=development,
                issuer="https://issuer.example/clinic",
                calendar_oidc_client_id="calendar",
            )
        )
        assert found == OpenId(
            authority="https://issuer.example/clinic",
            client_id="calendar",
            scope="openid profile scheduling:read scheduling:book scheduling:manage",
            resource=None,
        )


def test_the_authority_and_the_audience_may_have_other_names(given: Set) -> None:
    found = sign_in(
        given(
            issuer="urn:issuer",
            calendar_oidc_client_id="calendar",
            calendar_oidc_authority="http://127.0.0.1:9000",
            calendar_oidc_scope="openid",
            calendar_oidc_resource="urn:scheduling",
        )
    )
    assert found == OpenId(
        authority="http://127.0.0.1:9000",
        client_id="calendar",
        scope="openid",
        resource="urn:scheduling",
    )
    assert found.origin == "http://127.0.0.1:9000"


def test_an_issuer_without_an_address_needs_an_authority(given: Set) -> None:
    with pytest.raises(Misconfigured, match="CALENDAR_OIDC_AUTHORITY"):
        sign_in(given(issuer="urn:issuer", calendar_oidc_client_id="calendar"))


@pytest.mark.parametrize(
    "odd",
    [
        "https://issuer.example; script-src *",
        "https://issuer.example,https://evil.example",
        "https://user:password@issuer.example",
        "https://issuer.example 'unsafe-inline'",
        "javascript:alert(1)",
        "https://",
    ],
)
def test_an_authority_adds_nothing_to_the_policy_but_its_origin(
    given: Set, odd: str
) -> None:
    with pytest.raises(ValidationError):
        given(calendar_oidc_authority=odd)
    with pytest.raises(Misconfigured):
        sign_in(given(calendar_oidc_client_id="calendar", issuer=odd))
