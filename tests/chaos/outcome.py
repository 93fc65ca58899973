"""What an experiment is, and what came out of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tests.chaos.servers import Servers


class Scale(Enum):
    SHORT = "short"
    """Up to 15 seconds on a quiet machine, for `make test`."""
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an experiment is given. Whoever has servers may lend them; an experiment
    that kills servers takes its own.
    """

    folder: Path
    """Empty, and one that PostgreSQL's user may enter."""
    seed: int
    scale: Scale
    servers: Servers | None = None

    @property
    def full(self) -> bool:
        return self.scale is Scale.FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`failures` are sentences; an experiment without a failed control says nothing."""

    trials: int
    """How often the promise could have been broken: what zero failures are worth."""
    failures: list[str]
    counts: Mapping[str, float] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    control: "Outcome | None" = None
    """The same checker over a run that was broken on purpose."""
    remark: str = ""

    @property
    def passed(self) -> bool:
        return (
            not self.failures
            and self.trials > 0
            and self.control is not None
            and bool(self.control.failures)
        )

    @property
    def verdict(self) -> str:
        if self.failures:
            return f"broken: {len(self.failures)}"
        if self.trials == 0:
            return "nothing was tried"
        if self.control is None:
            return "no control"
        return "holds" if self.control.failures else "the control saw nothing"

    def told(self) -> str:
        """All of it, for people."""
        lines = [
            f"  {self.trials:,} trials: {self.verdict}",
            f"  faults: {_listed(self.faults)}",
            f"  counts: {_listed(self.counts)}",
        ]
        if self.remark:
            lines.append(f"  {self.remark}")
        lines += [f"  failure: {one}" for one in self.failures[:10]]
        if self.control is not None:
            found = self.control.failures
            lines.append(f"  control: {len(found):,} found, {found[:1]}")
        return "\n".join(lines)


Run = Callable[[Setting], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A module `pNN_….py` ends with one, named EXPERIMENT."""

    id: str
    """As the table of promises has it: P2."""
    promise: str
    broken: str
    """How the control is broken, in a few words."""
    run: Run
    short: str
    """Where `make test` has a short version: a file, or several."""


def _listed(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {_number(n)}" for name, n in counts.items()) or "none"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
