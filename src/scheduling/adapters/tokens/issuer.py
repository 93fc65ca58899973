"""Tokens for development: a key pair and an issuer of its own per data directory.

The issuer's name is as random as the key, so that a token of one data directory means
nothing to another, and carries a prefix that production processes refuse to trust.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import OKPKey

KEY_FILE = "dev-key.json"
JWKS_FILE = "dev-jwks.json"
ISSUER_FILE = "dev-issuer"


@dataclass(frozen=True, slots=True)
class DevIssuer:
    name: str
    jwks_file: Path
    key: OKPKey
    now: Callable[[], float] = time.time

    def mint(
        self,
        *,
        tenant_id: UUID,
        scope: str,
        audience: str = "scheduling",
        subject: str = "developer",
        patient_id: UUID | None = None,
        practitioner_id: UUID | None = None,
        lifetime: int = 3600,
    ) -> str:
        """Return a signed token; `scope` is space-separated, `lifetime` in seconds."""
        issued_at = int(self.now())
        claims: dict[str, Any] = {
            "iss": self.name,
            "aud": audience,
            "sub": subject,
            "iat": issued_at,
            "exp": issued_at + lifetime,
            "jti": str(uuid4()),
            "tenant_id": str(tenant_id),
            "scope": scope,
        }
        if patient_id is not None:
            claims["patient_id"] = str(patient_id)
        if practitioner_id is not None:
            claims["practitioner_id"] = str(practitioner_id)
        header = {"alg": "Ed25519", "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=["Ed25519"])


def open_dev_issuer(data_dir: Path, *, prefix: str) -> DevIssuer:
    """Return the issuer of that directory; make it where there is none.

    `scheduling dev` and `scheduling token` may come at once: each file appears whole
    or not at all, and who comes second takes what the first has made.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    key = OKPKey.import_key(
        json.loads(_kept(data_dir / KEY_FILE, _new_key, mode=0o600))
    )
    name = _kept(data_dir / ISSUER_FILE, lambda: f"{prefix}{uuid4()}\n", mode=0o644)
    jwks_file = data_dir / JWKS_FILE
    _publish(jwks_file, json.dumps({"keys": [key.as_dict(private=False)]}))
    return DevIssuer(name=name.strip(), jwks_file=jwks_file, key=key)


def _new_key() -> str:
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"})
    key.ensure_kid()
    return json.dumps(key.as_dict(private=True))


def _kept(path: Path, make: Callable[[], str], *, mode: int) -> str:
    if not path.exists():
        draft = _draft(path, make(), mode=mode)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # somebody else was first: theirs counts
        finally:
            draft.unlink()
    return path.read_text()


def _publish(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        _draft(path, text, mode=0o644).replace(path)


def _draft(path: Path, text: str, *, mode: int) -> Path:
    """Write beside `path`; mkstemp makes it 0600 from its first byte on."""
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
