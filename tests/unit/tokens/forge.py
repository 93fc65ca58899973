"""An issuer whose every claim and header can be bent, and a hand that holds a clock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from scheduling.adapters.tokens.keys import KeyRing, PublishedKeys
from scheduling.adapters.tokens.verifier import TokenVerifier

ISSUER = "https://issuer.test"
TENANT = UUID("6f1b5a3e-0000-7000-8000-000000000001")
PATIENT = UUID("6f1b5a3e-0000-7000-8000-0000000000aa")
NOON = 1_800_000_000.0

SigningKey = RSAKey | ECKey | OKPKey


def ed25519(kid: str) -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": kid})


def es256(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})


def rs256(kid: str, bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": kid})


def key_set(*keys: SigningKey, **more: str) -> bytes:
    jwks = [{**key.as_dict(private=False), **more} for key in keys]
    return json.dumps({"keys": jwks}).encode()


def claims(**changed: object) -> dict[str, Any]:
    """Good claims, with some changed; a claim changed to `...` is left out."""
    good = {
        "iss": ISSUER,
        "aud": "scheduling",
        "sub": "reception-7",
        "exp": int(NOON) + 3600,
        "tenant_id": str(TENANT),
        "scope": "scheduling:read scheduling:book",
    }
    return {name: v for name, v in (good | changed).items() if v is not ...}


def sign(
    key: SigningKey, payload: Mapping[str, Any] | bytes, alg: str, **header: object
) -> str:
    """Sign anything at all, under any header; `kid` left out where it is `...`."""
    full = {"typ": "JWT", "kid": key.kid, "alg": alg, **header}
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return jws.serialize_compact(
        {name: v for name, v in full.items() if v is not ...},
        text,
        key,
        registry=jws.JWSRegistry(algorithms=[alg], strict_check_header=False),
    )


@dataclass
class Clock:
    at: float = NOON

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


class KeysInHand(KeyRing):
    """Keys that a test changes; `asked` counts the questions for newer ones."""

    def __init__(self, text: bytes) -> None:
        self.keys = PublishedKeys.read(text)
        self.asked = 0

    def publish(self, text: bytes) -> None:
        self.keys = PublishedKeys.read(text)

    def current(self) -> PublishedKeys:
        return self.keys

    async def newest(self) -> PublishedKeys:
        self.asked += 1
        return self.keys


@dataclass
class Bench:
    """A verifier on a test bench."""

    keys: list[SigningKey]
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.ring = KeysInHand(key_set(*self.keys))
        self.verify = TokenVerifier(
            self.ring, issuer=ISSUER, audience="scheduling", now=self.clock
        )
