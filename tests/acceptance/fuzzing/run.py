"""Run schemathesis against an API, as a process of its own, and read its report."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


EVERYTHING = "examples,coverage,fuzzing,stateful"
AUTH = """
[auth.wfc]
path = "users.yaml"
user = "first"
peers = ["first", "stranger"]
"""
IN_SHORT = """
[[operations]]
# Thousands of broken bodies are for the long form; fuzzing breaks some here as well.
include-method = ["POST", "PUT", "PATCH"]
phases.coverage.generation.mode = "positive"
"""


@dataclass(frozen=True)
class World:
    """Ids of things that are there, by kind, and the schedules of exceptions."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    schedule_of: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What schemathesis said: for people, and for us."""

    output: str
    told: dict[str, Any]

    @property
    def failures(self) -> set[str]:
        """Return the kinds of failure that were found, in schemathesis' words."""
        return {one["type"] for one in self.told["failures"]}

    def never_accepted(self) -> set[str]:
        """Return the operations of which no request in good shape was ever done.

        What was refused because things stand otherwise (409) counts as reached.
        """
        return {
            operation
            for operation, phases in self.told["valid_rates"].items()
            if not any(p["accepted"] + p["conflicts"] for p in phases.values())
        }


def examined(
    url: str,
    tokens: tuple[str, str],
    world: World,
    folder: Path,
    *,
    seed: int,
    examples: int,
    seconds: int | None = None,
    thorough: bool = False,
    phases: str = EVERYTHING,
) -> Report:
    """Let schemathesis ask whatever it can think of, as the bearer of the first token.

    What the first is shown must not be shown to the bearer of the second. `seconds` is
    a budget that fuzzing and the stateful phase go on for, whatever the number of
    examples; `thorough` is what takes too long for every day.
    """
    told_of_world, config = folder / "world.json", folder / "schemathesis.toml"
    told_of_world.write_text(json.dumps({"seed": seed, **asdict(world)}))
    settings = (HERE / "schemathesis.toml").read_text() + AUTH
    config.write_text(settings + ("" if thorough or seconds else IN_SHORT))
    users = zip(("first", "stranger"), tokens, strict=True)
    (folder / "users.yaml").write_text(
        json.dumps({"auth": [_user(name, token) for name, token in users]})
    )
    done = subprocess.run(  # noqa: S603  # ourselves
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", config, "--no-color"),
            *("run", f"{url}/openapi.json"),
            *("--seed", str(seed), "--max-examples", str(examples)),
            *("--phases", phases),
            *(() if seconds is None else ("--max-time", str(seconds))),
            *("--report", "json", "--report-json-path", folder / "report.json"),
        ],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
            "SCHEMATHESIS_HOOKS": "tests.acceptance.fuzzing.hooks",
            "SCHEMATHESIS_WORLD": str(told_of_world),
        },
    )
    output = done.stdout + done.stderr
    assert (folder / "report.json").exists(), output
    told = json.loads((folder / "report.json").read_text())
    assert bool(told["failures"] or told["errors"]) == bool(done.returncode), output
    return Report(output, told)


def _user(name: str, token: str) -> dict[str, Any]:
    """In the form of Web Fuzzing Commons; JSON is YAML, too."""
    header = {"name": "Authorization", "value": f"Bearer {token}"}
    return {"name": name, "fixedHeaders": [header]}
