"""What experiments in full have found: JSON for machines, and a table for people.

Each experiment's newest result stands beside its seed, commit and date; those that were
not run stay as they are.
"""

import json
from pathlib import Path
from typing import Any

from tests.bench.report import this_machine
from tests.chaos.outcome import Experiment, Outcome

DOCS = Path(__file__).parents[2] / "docs"
BEGIN = "<!-- measured: written by `make chaos` -->"
END = "<!-- end of what was measured -->"


def write(
    experiment: Experiment,
    outcome: Outcome,
    *,
    seed: int,
    seconds: float,
    folder: Path = DOCS,
) -> None:
    """Put one result into docs/reliability.json, and all of it on the page."""
    file, page = folder / "reliability.json", folder / "reliability.md"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    results[experiment.id] = {
        "promise": experiment.promise,
        "short": experiment.short,
        "broken": experiment.broken,
        "seed": seed,
        "seconds": round(seconds),
        "verdict": outcome.verdict,
        "trials": outcome.trials,
        "failures": outcome.failures[:10],
        "faults": dict(outcome.faults),
        "counts": dict(outcome.counts),
        "remark": outcome.remark,
        "control": None
        if outcome.control is None
        else {
            "trials": outcome.control.trials,
            "found": len(outcome.control.failures),
            "first": outcome.control.failures[:1],
        },
        "machine": this_machine(),
    }
    results = dict(sorted(results.items(), key=_in_order))
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    head, _, rest = page.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text("\n".join([head + BEGIN, "", _table(results), "", END + tail]))


def _table(results: dict[str, Any]) -> str:
    lines = [
        "| # | promise | trials | verdict | rate < | faults | control | seed | tests |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for id, one in results.items():
        verdict = (
            one["verdict"] if one["verdict"] == "holds" else f"**{one['verdict']}**"
        )
        below = f"{3 / one['trials']:.1e}" if one["verdict"] == "holds" else "-"
        control = one["control"] or {"found": 0}
        lines.append(
            f"| {id} | {one['promise']} | {one['trials']:,} | {verdict} | {below} |"
            f" {sum(one['faults'].values()):,} | {control['found']:,} ({one['broken']})"
            f" | {one['seed']} | `{one['short']}` |"
        )
    lines.append("")
    for id, one in results.items():
        counts = ", ".join(f"{name} {_number(n)}" for name, n in one["counts"].items())
        faults = ", ".join(f"{name} {n:,}" for name, n in one["faults"].items())
        of = one["machine"]
        lines.append(
            f"- {id}: {counts or 'no counts'}. Faults: {faults or 'none'}."
            f"{' ' + one['remark'] if one['remark'] else ''}"
            f" {one['seconds']} s at {of['commit']}, {of['date']}, {of['machine']}."
        )
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _in_order(item: tuple[str, object]) -> tuple[int, str]:
    digits = "".join(one for one in item[0] if one.isdigit())
    return int(digits), item[0]
