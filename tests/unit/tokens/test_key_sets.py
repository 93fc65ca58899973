import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey

from scheduling.adapters.tokens.keys import NotAKeySet, PublishedKeys
from tests.unit.tokens.forge import ed25519, es256, key_set, rs256

ED = ed25519("ed")
PUBLIC = dict[str, Any](ED.as_dict(private=False))


def names(text: bytes) -> set[tuple[str | None, str]]:
    return set(PublishedKeys.read(text).by_kid_and_alg)


def test_each_key_verifies_what_its_kind_can() -> None:
    assert names(key_set(rs256("r"), es256("e"), ED)) == {
        ("r", "RS256"),
        ("e", "ES256"),
        ("ed", "Ed25519"),
        ("ed", "EdDSA"),
    }


@pytest.mark.parametrize(
    "jwk",
    [
        OctKey.generate_key(256, {"kid": "k"}).as_dict(),
        {"kty": "RSA", "kid": "short", "n": "_" * 171, "e": "AQAB"},
        ECKey.generate_key("P-384", {"kid": "k"}).as_dict(private=False),
        OKPKey.generate_key("Ed448", {"kid": "k"}).as_dict(private=False),
        OKPKey.generate_key("X25519", {"kid": "k"}).as_dict(private=False),
        PUBLIC | {"use": "enc"},
        PUBLIC | {"key_ops": ["encrypt"]},
        PUBLIC | {"alg": "HS256"},
        PUBLIC | {"kid": 7},
        PUBLIC | {"x": "not-a-point"},
        ed25519("private").as_dict(private=True),
        {"kty": "RSA", "n": "", "e": ""},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        None,
    ],
    ids=range(14),
)
def test_a_key_of_no_use_to_us_spoils_no_other(jwk: object) -> None:
    text = json.dumps({"keys": [jwk, ED.as_dict(private=False)]}).encode()
    assert names(text) == {("ed", "Ed25519"), ("ed", "EdDSA")}


def test_an_empty_set_revokes_every_key() -> None:
    assert names(b'{"keys": []}') == set()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"{}", b'{"keys": {}}', b"<html>", b"[" * 100_000]
)
def test_what_is_no_key_set_is_not_believed(text: bytes) -> None:
    with pytest.raises(NotAKeySet):
        PublishedKeys.read(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@settings(deadline=None)  # the first key loads OpenSSL
@given(
    st.fixed_dictionaries(
        {"kty": st.sampled_from(["RSA", "EC", "OKP", "oct", 1])},
        optional={
            "crv": st.sampled_from(["P-256", "Ed25519"]),
            **dict.fromkeys(["n", "e", "x", "y", "kid", "use", "key_ops"], _json),
        },
    )
)
def test_no_key_however_odd_stops_the_reading(jwk: object) -> None:
    PublishedKeys.read(json.dumps({"keys": [jwk]}).encode())
