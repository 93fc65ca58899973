"""Tokens that nobody should believe, each for one reason alone: all else about it is
right. Made with the issuer's own keys where the lie is not in the signature.
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

Key = RSAKey | ECKey | OKPKey
ALGORITHMS = {"ed": "Ed25519", "ec": "ES256", "rsa": "RS256"}
HOUR = 3600


def part(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(key: Key, header: Mapping[str, object], payload: object) -> str:
    """Sign anything at all under any header, as the key's own algorithm does."""
    name = {RSAKey: "RS256", ECKey: "ES256", OKPKey: "Ed25519"}[type(key)]
    text = f"{part(header)}.{part(payload)}"
    signature: bytes = jws.JWSRegistry.algorithms[name].sign(text.encode(), key)
    return f"{text}.{part(signature)}"


@dataclass(frozen=True)
class Forger:
    """Holds the issuer's keys, to lie with, and a stranger's under the same names."""

    issuer: str
    tenant: UUID
    keys: Mapping[str, Key]
    """By kind: ed, ec, rsa."""
    strangers: Mapping[str, Key]

    def claims(self, **changed: object) -> dict[str, Any]:
        """Good claims, with some changed; what is changed to `...` is left out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": "scheduling",
            "sub": "reception",
            "iat": now,
            "exp": now + 4 * HOUR,
            "tenant_id": str(self.tenant),
            "scope": "scheduling:read scheduling:book scheduling:manage",
        }
        return {name: v for name, v in (good | changed).items() if v is not ...}

    def header(self, kind: str, **changed: object) -> dict[str, Any]:
        full = {
            "typ": "JWT",
            "alg": ALGORITHMS[kind],
            "kid": self.keys[kind].kid,
            **changed,
        }
        return {name: v for name, v in full.items() if v is not ...}

    def true(self, kind: str, **changed: object) -> str:
        return signed(self.keys[kind], self.header(kind), self.claims(**changed))

    def by_strangers(self) -> Iterator[tuple[str, str]]:
        """By who has no key of the issuer's, and uses the names of its keys."""
        for kind, key in self.strangers.items():
            yield f"a stranger's {kind}", signed(key, self.header(kind), self.claims())

    def forged(self) -> Iterator[tuple[str, str]]:
        """Return each with what is wrong with it."""
        yield from self._unsigned()
        yield from self._with_the_public_key()
        yield from self.by_strangers()
        yield from self._bringing_keys()
        yield from self._misnaming_keys()
        yield from self._of_other_kinds()
        yield from self._claiming()
        yield from self._oversized()

    def _unsigned(self) -> Iterator[tuple[str, str]]:
        names: Sequence[object] = ("none", "None", "nOnE", "", None, ["none"], {})
        for alg in names:
            text = f"{part(self.header('ed', alg=alg))}.{part(self.claims())}"
            yield f"alg {alg!r}, no signature", f"{text}."
            yield f"alg {alg!r}, some signature", f"{text}.{part(b's' * 64)}"
        for kind in self.keys:
            yield f"{kind}, signature left out", self.true(kind).rpartition(".")[0]
            yield f"{kind}, empty signature", self.true(kind).rpartition(".")[0] + "."

    def _with_the_public_key(self) -> Iterator[tuple[str, str]]:
        for kind, key in self.keys.items():
            secrets = {
                "PEM": key.as_pem(private=False),
                "DER": key.as_der(private=False),
                "JWK": json.dumps(key.as_dict(private=False)).encode(),
            }
            for alg in ("HS256", "HS384", "HS512"):
                text = f"{part(self.header(kind, alg=alg))}.{part(self.claims())}"
                for form, secret in secrets.items():
                    mac = hmac.digest(secret, text.encode(), alg.replace("HS", "sha"))
                    yield f"{alg} with {kind} as {form}", f"{text}.{part(mac)}"

    def _bringing_keys(self) -> Iterator[tuple[str, str]]:
        """Even under the true key: who reads such a header may be led by it."""
        own = self.strangers["ed"]
        brought: Sequence[tuple[str, object]] = [
            ("jwk", own.as_dict(private=False)),
            ("jku", "https://evil.test/jwks.json"),
            ("jku", "file:///dev/null"),
            ("x5u", "https://evil.test/chain.pem"),
            ("x5c", ["MIIB"]),
            ("crit", ["exp"]),
            ("crit", []),
            ("b64", False),
            ("zip", "DEF"),
        ]
        for name, value in brought:
            header = self.header("ed", **{name: value})
            for who, key in (("true", self.keys["ed"]), ("stranger's", own)):
                yield f"{name} {value!r}, {who}", signed(key, header, self.claims())

    def _misnaming_keys(self) -> Iterator[tuple[str, str]]:
        kids: Sequence[object] = [
            "../../../../dev/null", "..%2f..%2fdev-key.json", "file:///dev/null",
            "' OR 1=1 --", "ed\x00", "", 7, ["ed"], {"ed": 1}, True, None, ...,
            "k" * 256,
        ]  # fmt: skip
        for kid in kids:
            header = self.header("ed", kid=kid)
            token = signed(self.strangers["ed"], header, self.claims())
            yield f"kid {str(kid)[:20]!r}", token
        for kind in self.keys:
            for other in self.keys.keys() - {kind}:
                header = self.header(kind, kid=self.keys[other].kid)
                token = signed(self.keys[kind], header, self.claims())
                yield f"{kind} under the name of {other}", token

    def _of_other_kinds(self) -> Iterator[tuple[str, str]]:
        types: Sequence[object] = ("JWE", "secevent+jwt", "dpop+jwt", "", 1, [])
        for typ in types:
            header = self.header("ed", typ=typ)
            yield f"typ {typ!r}", signed(self.keys["ed"], header, self.claims())
        for alg in ("RS384", "RS512", "PS256", "ES384", "ES256K", "HS256", "dir"):
            header = self.header("rsa", alg=alg)
            yield f"alg {alg}", signed(self.keys["rsa"], header, self.claims())

    def _claiming(self) -> Iterator[tuple[str, str]]:
        now = int(time.time())
        lies: Sequence[dict[str, object]] = [
            {"iss": "https://evil.test"}, {"iss": [self.issuer]}, {"iss": ...},
            {"iss": self.issuer + "/"}, {"iss": self.issuer.upper()},
            {"aud": "billing"}, {"aud": []}, {"aud": {"scheduling": 1}}, {"aud": ...},
            {"exp": now - HOUR}, {"exp": now - 30}, {"exp": 0}, {"exp": ...},
            {"exp": "2099-01-01"}, {"exp": True}, {"exp": float("inf")},
            {"exp": float("nan")}, {"exp": None}, {"exp": -1},
            {"nbf": now + HOUR}, {"iat": now + HOUR}, {"nbf": "soon"},
            {"sub": ""}, {"sub": 7}, {"sub": ...}, {"sub": "s" * 256},
            {"sub": "a\x00b"}, {"sub": "\ud800"},
            {"tenant_id": ...}, {"tenant_id": "acme"}, {"tenant_id": None},
            {"tenant_id": [str(self.tenant)]}, {"tenant_id": self.tenant.hex},
            {"tenant_id": f"{{{self.tenant}}}"},
            {"scope": ["scheduling:manage"]}, {"scope": None},
            {"patient_id": None}, {"patient_id": ""}, {"patient_id": "me"},
        ]  # fmt: skip
        for lie in lies:
            for kind in self.keys:
                yield f"{kind}, {str(lie)[:60]}", self.true(kind, **lie)
        twice = json.dumps(self.claims()).encode()[:-1] + b',"sub":"another"}'
        for payload in (b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 2000, twice):
            token = signed(self.keys["ed"], self.header("ed"), payload)
            yield f"claims {payload[:20]!r}", token

    def _oversized(self) -> Iterator[tuple[str, str]]:
        for size in (9_000, 30_000, 60_000):
            yield f"true, with {size} bytes more", self.true("ed", note="x" * size)

    def mutated(self, chance: Random, true: Sequence[str]) -> tuple[str, str]:
        """Return a true token with one bit turned, or of parts that belong to two."""
        parts = chance.choice(true).split(".")
        which = chance.randrange(3)
        if chance.random() < 0.2:
            mixed = [*parts[:which], chance.choice(true).split(".")[which]]
            mixed += parts[which + 1 :]
            if ".".join(mixed) not in true:
                return f"part {which} of another", ".".join(mixed)
        text = parts[which]
        raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        bit = chance.randrange(len(raw) * 8)
        raw[bit // 8] ^= 1 << bit % 8
        parts[which] = part(bytes(raw))
        return f"bit {bit} of part {which}", ".".join(parts)


def key_set(*keys: Key) -> bytes:
    """Return what an issuer publishes of them."""
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def new_keys() -> dict[str, Key]:
    """Return one of each kind, named after it."""
    return {
        "ed": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
        "ec": ECKey.generate_key("P-256", {"kid": "ec"}),
        "rsa": RSAKey.generate_key(2048, {"kid": "rsa"}),
    }
