"""Tokens (RFC 7519, signed by RFC 7515) into identities."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode

from scheduling.adapters.tokens.keys import KeyRing, PublicKey, PublishedKeys
from scheduling.application.ports.identity import (
    Authenticate,
    Identity,
    Reason,
    Unauthenticated,
)
from scheduling.domain.identifiers import PatientId, TenantId

LONGEST_TOKEN = 8 * 1024
LONGEST_NAME = 255
"""Characters of a subject, or of a key's name."""

ALGORITHMS = ("RS256", "ES256", "Ed25519", "EdDSA")
TYPES = frozenset({"jwt", "at+jwt"})
"""RFC 7519 and, for access tokens, RFC 9068; `application/` may stand before."""

REFUSED_HEADERS = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"})
"""Keys that a token brings along, and extensions that change what is signed."""

REMEMBERED_FOR = 60.0
REMEMBERED_AT_MOST = 4096

_REASONS = {
    "iss": Reason.WRONG_ISSUER,
    "aud": Reason.WRONG_AUDIENCE,
    "nbf": Reason.NOT_YET_VALID,
    "iat": Reason.NOT_YET_VALID,
}


class _Registry(jws.JWSRegistry):
    def get_alg(self, name: str) -> Any:  # noqa: ANN401  # its class is private
        # The old name of the same algorithm; joserfc warns at each use of it.
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


@dataclass(frozen=True, slots=True)
class _Remembered:
    identity: Identity
    until: float


class TokenVerifier(Authenticate):
    """Believes tokens of one issuer for one audience, signed by a key of the ring.

    Verifying a signature takes 50 to 150 µs, and a client sends the same token with
    each of its requests for minutes. So what was verified is remembered under the
    digest of the whole token (never the token itself: a memory dump must not hold
    credentials), at most `REMEMBERED_AT_MOST` of them, oldest out first. Remembering
    changes no answer: an entry ends with its token, and all end when the key set
    changes, so that a revoked key is gone at once. `REMEMBERED_FOR` bounds what a
    clock that is set back could keep alive. Refusals are not remembered: their number
    is the attacker's.
    """

    def __init__(
        self,
        ring: KeyRing,
        *,
        issuer: str,
        audience: str,
        leeway: int = 5,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._ring = ring
        self._now = now
        self._leeway = leeway
        self._registry = _Registry(algorithms=ALGORITHMS, strict_check_header=False)
        self._claims = JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=leeway,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
            tenant_id={"essential": True},
        )
        self._remembered: dict[bytes, _Remembered] = {}
        self._remembered_under: PublishedKeys | None = None

    async def __call__(self, token: str, /) -> Identity:
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise Unauthenticated(Reason.MALFORMED)
        encoded = token.encode()
        digest = sha256(encoded).digest()
        keys = self._ring.current()
        known = self._recall(digest, keys)
        if known is not None:
            return known
        kid, alg = _key_asked_for(encoded)
        key = keys.find(kid, alg)
        if key is None:
            keys = await self._ring.newest()
            key = keys.find(kid, alg)
        if key is None:
            raise Unauthenticated(Reason.NOT_TRUSTED)
        claims = self._believe(encoded, key)
        identity = _identity(claims)
        self._remember(digest, keys, identity, expires=claims["exp"])
        return identity

    def _recall(self, digest: bytes, keys: PublishedKeys) -> Identity | None:
        if keys is not self._remembered_under:
            self._remembered.clear()
            self._remembered_under = keys
        entry = self._remembered.get(digest)
        if entry is None:
            return None
        if self._now() < entry.until:
            return entry.identity
        del self._remembered[digest]
        return None

    def _remember(
        self, digest: bytes, keys: PublishedKeys, identity: Identity, *, expires: float
    ) -> None:
        if keys is not self._remembered_under:
            self._remembered.clear()
            self._remembered_under = keys
        if len(self._remembered) >= REMEMBERED_AT_MOST:
            del self._remembered[next(iter(self._remembered))]
        until = min(expires + self._leeway, self._now() + REMEMBERED_FOR)
        self._remembered[digest] = _Remembered(identity, until)

    def _believe(self, token: bytes, key: PublicKey) -> dict[str, Any]:
        try:
            signed = jws.deserialize_compact(token, key, registry=self._registry)
        except (JoseError, ValueError, TypeError) as error:
            raise Unauthenticated(Reason.NOT_TRUSTED) from error
        claims = _strict_object(signed.payload or b"")
        try:
            self._claims.validate(claims)
        except ExpiredTokenError as error:
            raise Unauthenticated(Reason.EXPIRED) from error
        except MissingClaimError as error:
            raise Unauthenticated(Reason.BAD_CLAIM) from error
        except ClaimError as error:
            reason = _REASONS.get(error.claim, Reason.BAD_CLAIM)
            raise Unauthenticated(reason) from error
        return claims


def _key_asked_for(token: bytes) -> tuple[str | None, str]:
    """Return what the header says of the key, where all else in it is harmless."""
    header_segment, separator, _ = token.partition(b".")
    if not separator or token.count(b".") != 2:  # noqa: PLR2004  # header.payload.signature
        raise Unauthenticated(Reason.MALFORMED)
    try:
        header = _strict_object(urlsafe_b64decode(header_segment))
    except ValueError as error:
        raise Unauthenticated(Reason.MALFORMED) from error
    kid, alg, typ = header.get("kid"), header.get("alg"), header.get("typ", "JWT")
    if (
        not header.keys().isdisjoint(REFUSED_HEADERS)
        or alg not in ALGORITHMS
        or not isinstance(typ, str)
        or typ.lower().removeprefix("application/") not in TYPES
        or not isinstance(kid, str | None)
        or len(kid or "") > LONGEST_NAME
    ):
        raise Unauthenticated(Reason.NOT_TRUSTED)
    return kid, alg


def _identity(claims: dict[str, Any]) -> Identity:
    subject, scope = claims["sub"], claims.get("scope", "")
    # NUL and lone surrogates are JSON, and would be an error in PostgreSQL later.
    if len(subject) > LONGEST_NAME or not subject.isprintable():
        raise Unauthenticated(Reason.BAD_CLAIM)
    if not isinstance(scope, str):
        raise Unauthenticated(Reason.BAD_CLAIM)
    # An issuer that has no patient to name leaves the claim out. A null must not turn
    # a patient's token into one of staff.
    patient = _uuid(claims["patient_id"]) if "patient_id" in claims else None
    return Identity(
        tenant_id=TenantId(_uuid(claims["tenant_id"])),
        subject=subject,
        scopes=frozenset(scope.split()),
        patient_id=None if patient is None else PatientId(patient),
    )


def _uuid(value: object) -> UUID:
    """Take the one usual spelling; UUID() also takes braces, `urn:` and no dashes."""
    try:
        parsed = UUID(value) if isinstance(value, str) else None
    except ValueError as error:
        raise Unauthenticated(Reason.BAD_CLAIM) from error
    if parsed is None or str(parsed) != str(value).lower():
        raise Unauthenticated(Reason.BAD_CLAIM)
    return parsed


def _strict_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object; twice the same name is two readings, so it is refused."""
    try:
        value = json.loads(text, object_pairs_hook=_no_name_twice)
    except (ValueError, RecursionError) as error:
        raise Unauthenticated(Reason.MALFORMED) from error
    if not isinstance(value, dict):
        raise Unauthenticated(Reason.MALFORMED)
    return value


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("the same name twice")
    return value
