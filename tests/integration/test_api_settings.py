"""The API process says in one sentence what it cannot start with."""

import os
import subprocess
import sys

import pytest

SOUND = {
    "SCHEDULING_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "SCHEDULING_ISSUER": "https://issuer.example",
    "SCHEDULING_JWKS_FILE": "/nowhere/keys.json",
}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SCHEDULING_DATABASE_URL": None}, "Set SCHEDULING_DATABASE_URL."),
        ({"SCHEDULING_JWKS_FILE": None}, "Set SCHEDULING_JWKS_URL or"),
        ({"SCHEDULING_ISSUER": None}, "Set SCHEDULING_ISSUER"),
        (
            {"SCHEDULING_ISSUER": "urn:scheduling:dev:1234"},
            "A development issuer is never trusted in production.",
        ),
        (
            {
                "SCHEDULING_ISSUER": "urn:our:issuer",
                "SCHEDULING_CALENDAR_OIDC_CLIENT_ID": "calendar",
            },
            "Set SCHEDULING_CALENDAR_OIDC_AUTHORITY",
        ),
    ],
)
def test_what_is_missing_or_not_to_be_trusted_is_said_in_a_sentence(
    change: dict[str, str | None], sentence: str
) -> None:
    given = {k: v for k, v in (SOUND | change).items() if v is not None}
    others = {k: v for k, v in os.environ.items() if not k.startswith("SCHEDULING_")}
    done = subprocess.run(
        [sys.executable, "-m", "scheduling", "api", "--port", "0"],
        env=others | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr
