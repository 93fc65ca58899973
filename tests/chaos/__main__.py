"""`make chaos`: break things on purpose, and see what the promises are worth.

`ARGS="p2 p12 --seed=7 --short"` runs only these. In full, what was found is written to
docs/reliability.md; `--short` is for trying, and writes nothing.
"""

import asyncio
import importlib
import pkgutil
import secrets
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import tests.chaos
from tests.chaos import report
from tests.chaos.outcome import Experiment, Outcome, Scale, Setting


def experiments() -> list[Experiment]:
    """Return all of this folder, in the order of the promises."""
    names = sorted(
        module.name
        for module in pkgutil.iter_modules(tests.chaos.__path__)
        if module.name[:1] == "p" and module.name[1:3].isdigit()
    )
    found = (importlib.import_module(f"tests.chaos.{name}") for name in names)
    return [module.EXPERIMENT for module in found]


def _performed(experiment: Experiment, seed: int, scale: Scale) -> Outcome:
    """Run it in a folder of its own, which is kept where it failed."""
    folder = Path(tempfile.mkdtemp(prefix=f"scheduling-chaos-{experiment.id}-"))
    folder.chmod(0o755)
    setting = Setting(folder=folder, seed=seed, scale=scale)
    try:
        outcome = asyncio.run(_run(experiment, setting))
    except Exception:  # noqa: BLE001  # the next experiment is another matter
        words = traceback.format_exc()
        outcome = Outcome(trials=0, failures=[f"did not come to its end:\n{words}"])
    if outcome.passed:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _say(f"  kept: {folder}")
    return outcome


async def _run(experiment: Experiment, setting: Setting) -> Outcome:
    return await experiment.run(setting)


def main() -> None:
    asked = {word.lower() for word in sys.argv[1:] if not word.startswith("-")}
    options = dict(
        word.lstrip("-").partition("=")[::2]
        for word in sys.argv[1:]
        if word.startswith("-")
    )
    every = experiments()
    unknown = asked - {one.id.lower() for one in every}
    if unknown or options.keys() - {"seed", "short"}:
        raise SystemExit(
            f"no experiment or option is called {', '.join(unknown) or options};"
            f" there are {', '.join(one.id.lower() for one in every)},"
            " --seed=N and --short"
        )
    seed = int(options.get("seed") or secrets.randbelow(2**32))
    scale = Scale.SHORT if "short" in options else Scale.FULL
    good = True
    for one in every:
        if asked and one.id.lower() not in asked:
            continue
        _say(f"{one.id}: {one.promise} (seed {seed})")
        began = time.monotonic()
        outcome = _performed(one, seed, scale)
        took = time.monotonic() - began
        _say(f"{outcome.told()}\n  {took:.0f} s")
        good = good and outcome.passed
        if scale is Scale.FULL:
            report.write(one, outcome, seed=seed, seconds=took)
    sys.exit(0 if good else 1)


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  # its output is its result


if __name__ == "__main__":
    main()
