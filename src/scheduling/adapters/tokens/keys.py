"""The public keys that an issuer signs with, as it publishes them (RFC 7517).

Which algorithm a key is for follows from the key itself, never from the token: that is
what keeps `alg` games (`none`, HS256 with the public key as its secret) out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import base64_to_int

PublicKey: TypeAlias = RSAKey | ECKey | OKPKey

SMALLEST_RSA_KEY = 2048
"""Bits; NIST SP 800-131A allows nothing smaller."""


class NotAKeySet(Exception):
    """What was read cannot be what the issuer meant to publish."""


@dataclass(frozen=True, slots=True, eq=False)
class PublishedKeys:
    """One edition of an issuer's key set. Two editions are told apart by `is`."""

    text: bytes
    by_kid_and_alg: Mapping[tuple[str | None, str], PublicKey]

    @classmethod
    def read(cls, text: bytes) -> "PublishedKeys":
        """Raise NotAKeySet unless this is a JSON object with a list of `keys`.

        A well-formed set is the issuer's word, even an empty one: that is how all
        keys are revoked. Keys that we have no use for (encryption, symmetric, short
        or private ones, other curves) are passed over.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise NotAKeySet("not JSON") from error
        jwks = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(jwks, list):
            raise NotAKeySet("no list of keys")
        keys: dict[tuple[str | None, str], PublicKey] = {}
        for jwk in jwks:
            for alg, key in _signing_key(jwk).items():
                keys.setdefault((jwk.get("kid"), alg), key)
        return cls(text, MappingProxyType(keys))

    def find(self, kid: str | None, alg: str) -> PublicKey | None:
        """Return the key of that name; without a name, the only one of its kind."""
        if kid is not None:
            return self.by_kid_and_alg.get((kid, alg))
        fitting = [key for (_, a), key in self.by_kid_and_alg.items() if a == alg]
        return fitting[0] if len(fitting) == 1 else None


class KeyRing(Protocol):
    """Where the verifier gets an issuer's keys from."""

    def current(self) -> PublishedKeys:
        """Return the edition in force; cheap enough for every request.

        Raise IdentityUnavailable where none has ever been read.
        """

    async def newest(self) -> PublishedKeys:
        """Look again, as often as that is decent, and return the edition in force.

        For a token that names an unknown key: it may have been published just now.
        """


def _signing_key(jwk: Any) -> Mapping[str, PublicKey]:  # noqa: ANN401  # foreign JSON
    """Return the key under each algorithm name that it may verify."""
    if not isinstance(jwk, dict) or not _meant_for_signatures(jwk):
        return {}
    try:
        key, algorithms = _import(jwk)
    except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        return {}
    named = jwk.get("alg")
    if named is None:
        return dict.fromkeys(algorithms, key)
    return dict.fromkeys(algorithms, key) if named in algorithms else {}


def _meant_for_signatures(jwk: dict[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in jwk
        and isinstance(jwk.get("kid"), str | None)
    )


def _import(jwk: dict[str, Any]) -> tuple[PublicKey, tuple[str, ...]]:
    match jwk:
        case {"kty": "RSA", "n": n, "e": e}:
            if base64_to_int(n).bit_length() < SMALLEST_RSA_KEY:
                raise ValueError("a short RSA key")
            return RSAKey.import_key({"kty": "RSA", "n": n, "e": e}), ("RS256",)
        case {"kty": "EC", "crv": "P-256", "x": x, "y": y}:
            point = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
            return ECKey.import_key(point), ("ES256",)
        case {"kty": "OKP", "crv": "Ed25519", "x": x}:
            okp = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
            # RFC 8037 called it EdDSA; RFC 9864 calls it by its curve.
            return okp, ("Ed25519", "EdDSA")
        case _:
            raise ValueError("no key of ours")
