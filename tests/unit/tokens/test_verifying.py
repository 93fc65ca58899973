import base64
import hmac
import json
from typing import Any

import pytest
from joserfc import jws

from scheduling.adapters.tokens.verifier import (
    LONGEST_TOKEN,
    REMEMBERED_AT_MOST,
    REMEMBERED_FOR,
)
from scheduling.application.ports.identity import Reason, Unauthenticated
from tests.unit.tokens.forge import (
    NOON,
    PATIENT,
    TENANT,
    Bench,
    SigningKey,
    claims,
    ed25519,
    es256,
    key_set,
    rs256,
    sign,
)

RSA, EC, ED, STRANGER = rs256("rsa"), es256("ec"), ed25519("ed"), ed25519("ed")


@pytest.fixture
def bench() -> Bench:
    return Bench([RSA, EC, ED])


async def refused(bench: Bench, token: str) -> Reason:
    with pytest.raises(Unauthenticated) as refusal:
        await bench.verify(token)
    return refusal.value.reason


def part(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("key", "alg"),
    [(RSA, "RS256"), (EC, "ES256"), (ED, "Ed25519")],
    ids=["RS256", "ES256", "Ed25519"],
)
async def test_a_good_token_tells_who_bears_it(
    bench: Bench, key: SigningKey, alg: str
) -> None:
    identity = await bench.verify(sign(key, claims(), alg))

    assert identity.tenant_id == TENANT
    assert identity.subject == "reception-7"
    assert identity.scopes == {"scheduling:read", "scheduling:book"}
    assert identity.patient_id is None


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # only signing warns
async def test_the_old_name_of_ed25519_is_understood(bench: Bench) -> None:
    token = sign(ED, claims(), "EdDSA")
    assert (await bench.verify(token)).tenant_id == TENANT


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt", ...])
async def test_access_tokens_go_by_several_types(bench: Bench, typ: object) -> None:
    await bench.verify(sign(ED, claims(), "Ed25519", typ=typ))


async def test_a_patients_token_names_the_patient(bench: Bench) -> None:
    token = sign(ED, claims(patient_id=str(PATIENT)), "Ed25519")
    assert (await bench.verify(token)).patient_id == PATIENT


async def test_one_of_several_audiences_is_enough(bench: Bench) -> None:
    await bench.verify(sign(ED, claims(aud=["billing", "scheduling"]), "Ed25519"))


async def test_a_token_without_scope_may_do_nothing(bench: Bench) -> None:
    identity = await bench.verify(sign(ED, claims(scope=...), "Ed25519"))
    assert identity.scopes == frozenset()


async def test_a_header_that_nobody_knows_is_passed_over(bench: Bench) -> None:
    await bench.verify(sign(ED, claims(), "Ed25519", nonce="1"))


# --- forgeries -----------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
async def test_an_unsigned_token_is_refused(bench: Bench, alg: str) -> None:
    header = part({"alg": alg, "typ": "JWT", "kid": "rsa"})
    assert await refused(bench, f"{header}.{part(claims())}.") is Reason.NOT_TRUSTED


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_the_public_key_is_no_shared_secret(bench: Bench, alg: str) -> None:
    for secret in (
        RSA.as_pem(private=False),
        RSA.as_der(private=False),
        json.dumps(RSA.as_dict(private=False)).encode(),
    ):
        header = part({"alg": alg, "typ": "JWT", "kid": "rsa"})
        payload = part(claims())
        signed = f"{header}.{payload}".encode()
        mac = hmac.digest(secret, signed, alg.replace("HS", "sha"))
        token = f"{header}.{payload}.{part(mac)}"
        assert await refused(bench, token) is Reason.NOT_TRUSTED


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "ES384", "ES512", "ES256K"])
async def test_other_algorithms_are_refused(bench: Bench, alg: str) -> None:
    header = part({"alg": alg, "typ": "JWT", "kid": "rsa"})
    token = f"{header}.{part(claims())}.{part(b'x' * 256)}"
    assert await refused(bench, token) is Reason.NOT_TRUSTED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jwk", STRANGER.as_dict(private=False)),
        ("jku", "https://evil.test/jwks.json"),
        ("x5u", "https://evil.test/chain.pem"),
        ("x5c", ["MIIB"]),
        ("crit", ["exp"]),
        ("crit", []),
        ("b64", False),
        ("zip", "DEF"),
    ],
)
async def test_a_token_brings_no_key_and_no_extension(
    bench: Bench, name: str, value: object
) -> None:
    forged = part({"alg": "Ed25519", "typ": "JWT", "kid": "ed", name: value})
    payload = part(claims())
    signed = f"{forged}.{payload}".encode()
    # Even the true key does not make such a header right.
    mac = jws.JWSRegistry.algorithms["Ed25519"].sign(signed, ED)
    assert await refused(bench, f"{signed.decode()}.{part(mac)}") is Reason.NOT_TRUSTED


@pytest.mark.parametrize(
    "kid",
    ["../../../../dev/null", "' OR 1=1 --", "ed\x00", "", "file:///dev/null", "ED"],
)
async def test_the_name_of_a_key_is_only_a_name(bench: Bench, kid: str) -> None:
    token = sign(STRANGER, claims(), "Ed25519", kid=kid)
    assert await refused(bench, token) is Reason.NOT_TRUSTED


@pytest.mark.parametrize("kid", [7, ["ed"], {"ed": 1}, True, "e" * 256])
async def test_a_key_is_named_by_a_short_string(bench: Bench, kid: object) -> None:
    header = part({"alg": "Ed25519", "typ": "JWT", "kid": kid})
    token = f"{header}.{part(claims())}.{part(b's' * 64)}"
    assert await refused(bench, token) is Reason.NOT_TRUSTED
    assert bench.ring.asked == 0


@pytest.mark.parametrize("kid", ["rsa", "ec"])
async def test_a_key_verifies_its_own_algorithm_only(bench: Bench, kid: str) -> None:
    token = sign(ED, claims(), "Ed25519", kid=kid)
    assert await refused(bench, token) is Reason.NOT_TRUSTED


async def test_a_stranger_with_our_keys_name_is_refused(bench: Bench) -> None:
    assert (
        await refused(bench, sign(STRANGER, claims(), "Ed25519")) is Reason.NOT_TRUSTED
    )


async def test_a_changed_claim_breaks_the_signature(bench: Bench) -> None:
    header, _, signature = sign(ED, claims(), "Ed25519").split(".")
    richer = part(claims(scope="scheduling:admin"))
    assert await refused(bench, f"{header}.{richer}.{signature}") is Reason.NOT_TRUSTED


async def test_a_signature_of_a_remembered_token_is_not_lent_to_another(
    bench: Bench,
) -> None:
    token = sign(ED, claims(), "Ed25519")
    await bench.verify(token)
    header, payload, signature = token.split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for forged in (f"{header}.{payload}.{flipped}", f"{header}.{payload}."):
        assert await refused(bench, forged) is Reason.NOT_TRUSTED


@pytest.mark.parametrize("typ", ["JWE", "secevent+jwt", "dpop+jwt", "id_token", 1, ""])
async def test_a_token_of_another_kind_is_refused(bench: Bench, typ: object) -> None:
    header = part({"alg": "Ed25519", "kid": "ed", "typ": typ})
    signed = f"{header}.{part(claims())}".encode()
    mac = jws.JWSRegistry.algorithms["Ed25519"].sign(signed, ED)
    assert await refused(bench, f"{signed.decode()}.{part(mac)}") is Reason.NOT_TRUSTED


# --- claims --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://evil.test"}, Reason.WRONG_ISSUER),
        ({"iss": ["https://issuer.test"]}, Reason.WRONG_ISSUER),
        ({"aud": "billing"}, Reason.WRONG_AUDIENCE),
        ({"aud": []}, Reason.WRONG_AUDIENCE),
        ({"aud": ["billing"]}, Reason.WRONG_AUDIENCE),
        ({"aud": {"scheduling": 1}}, Reason.WRONG_AUDIENCE),
        ({"exp": NOON - 3600}, Reason.EXPIRED),
        ({"exp": NOON - 5}, Reason.EXPIRED),
        ({"exp": "2099-01-01"}, Reason.BAD_CLAIM),
        ({"exp": True}, Reason.BAD_CLAIM),
        ({"exp": float("nan")}, Reason.BAD_CLAIM),
        ({"exp": float("inf")}, Reason.BAD_CLAIM),
        ({"nbf": NOON + 60}, Reason.NOT_YET_VALID),
        ({"iat": NOON + 60}, Reason.NOT_YET_VALID),
        ({"sub": ""}, Reason.BAD_CLAIM),
        ({"sub": 7}, Reason.BAD_CLAIM),
        ({"sub": "s" * 256}, Reason.BAD_CLAIM),
        ({"sub": "a\x00b"}, Reason.BAD_CLAIM),
        ({"sub": "\ud800"}, Reason.BAD_CLAIM),
        ({"tenant_id": "acme"}, Reason.BAD_CLAIM),
        ({"tenant_id": 7}, Reason.BAD_CLAIM),
        ({"tenant_id": [str(TENANT)]}, Reason.BAD_CLAIM),
        ({"tenant_id": f"{{{TENANT}}}"}, Reason.BAD_CLAIM),
        ({"tenant_id": f"urn:uuid:{TENANT}"}, Reason.BAD_CLAIM),
        ({"tenant_id": TENANT.hex}, Reason.BAD_CLAIM),
        ({"scope": ["scheduling:admin"]}, Reason.BAD_CLAIM),
        ({"scope": None}, Reason.BAD_CLAIM),
        ({"patient_id": None}, Reason.BAD_CLAIM),
        ({"patient_id": ""}, Reason.BAD_CLAIM),
        ({"patient_id": "me"}, Reason.BAD_CLAIM),
    ],
    ids=str,
)
async def test_a_claim_that_is_not_right_is_named(
    bench: Bench, changed: dict[str, Any], reason: Reason
) -> None:
    assert await refused(bench, sign(ED, claims(**changed), "Ed25519")) is reason


@pytest.mark.parametrize("missing", ["iss", "aud", "exp", "sub", "tenant_id"])
async def test_what_is_required_is_required(bench: Bench, missing: str) -> None:
    token = sign(ED, claims(**{missing: ...}), "Ed25519")
    assert await refused(bench, token) is Reason.BAD_CLAIM


async def test_clocks_may_differ_by_a_few_seconds(bench: Bench) -> None:
    nearly = claims(exp=NOON - 3, nbf=NOON + 3, iat=NOON + 3)
    await bench.verify(sign(ED, nearly, "Ed25519"))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"scheduling"',
        b"{",
        b"\xff\xfe",
        b"[" * 5000,
        json.dumps(claims()).encode()[:-1] + b', "sub": "somebody-else"}',
    ],
    ids=["none", "null", "list", "string", "torn", "no-utf8", "deep", "sub-twice"],
)
async def test_signed_garbage_is_still_garbage(bench: Bench, payload: bytes) -> None:
    assert await refused(bench, sign(ED, payload, "Ed25519")) is Reason.MALFORMED


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "a.b.c.d.e",
        "é.é.é",
        "eyJ",
        part(b"[" * 5000) + ".e30.AA",
        part([]) + ".e30.AA",
        part(b'{"alg":"Ed25519","alg":"none","kid":"ed"}') + ".e30.AA",
        "x" * (LONGEST_TOKEN + 1),
    ],
    ids=range(12),
)
async def test_what_is_no_token_is_malformed(bench: Bench, token: str) -> None:
    assert await refused(bench, token) is Reason.MALFORMED


async def test_an_oversized_token_is_refused_though_it_is_true(bench: Bench) -> None:
    token = sign(ED, claims(note="x" * LONGEST_TOKEN), "Ed25519")
    assert await refused(bench, token) is Reason.MALFORMED


# --- remembering ---------------------------------------------------------------------


async def test_a_token_expires_though_it_is_remembered(bench: Bench) -> None:
    token = sign(ED, claims(exp=NOON + 10), "Ed25519")
    await bench.verify(token)
    bench.clock.advance(14)
    await bench.verify(token)
    bench.clock.advance(1)
    assert await refused(bench, token) is Reason.EXPIRED


async def test_a_key_that_is_rotated_out_takes_its_tokens_with_it(
    bench: Bench,
) -> None:
    token = sign(ED, claims(), "Ed25519")
    await bench.verify(token)
    bench.ring.publish(key_set(RSA, EC, STRANGER))
    assert await refused(bench, token) is Reason.NOT_TRUSTED


async def test_a_token_is_remembered_for_a_while_only(bench: Bench) -> None:
    token = sign(ED, claims(), "Ed25519")
    first = await bench.verify(token)
    assert await bench.verify(token) is first
    bench.clock.advance(REMEMBERED_FOR)
    again = await bench.verify(token)
    assert again is not first
    assert again == first


async def test_remembering_is_bounded() -> None:
    bench = Bench([ED])
    first_token = sign(ED, claims(jti="first"), "Ed25519")
    first = await bench.verify(first_token)
    for number in range(REMEMBERED_AT_MOST):
        await bench.verify(sign(ED, claims(jti=str(number)), "Ed25519"))
    assert await bench.verify(first_token) is not first


async def test_no_name_of_a_key_is_enough_where_there_is_one_key() -> None:
    nameless = sign(ED, claims(), "Ed25519", kid=...)
    await Bench([ED, RSA]).verify(nameless)
    with pytest.raises(Unauthenticated):
        await Bench([ED, ed25519("other")]).verify(nameless)
