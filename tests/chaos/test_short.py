"""Short versions of experiments, each with its control. In full: `make chaos`."""

import random
from pathlib import Path

import pytest

from tests.chaos import (
    p01_survives,
    p02_no_overlap,
    p13_done_once,
    p14_no_lost_update,
)
from tests.chaos.outcome import Experiment, Scale, Setting
from tests.chaos.servers import Servers

LENT = [
    p02_no_overlap.EXPERIMENT,
    p13_done_once.EXPERIMENT,
    p14_no_lost_update.EXPERIMENT,
]
OWN = [p01_survives.EXPERIMENT]


@pytest.mark.parametrize("experiment", LENT, ids=lambda one: one.id)
async def test_the_promise_holds_and_its_control_fails(
    experiment: Experiment, folder: Path, servers: Servers
) -> None:
    await _holds(experiment, folder, servers)


@pytest.mark.parametrize("experiment", OWN, ids=lambda one: one.id)
async def test_the_promise_holds_while_servers_die(
    experiment: Experiment, folder: Path
) -> None:
    await _holds(experiment, folder)


async def _holds(
    experiment: Experiment, folder: Path, servers: Servers | None = None
) -> None:
    seed = random.randrange(2**32)  # noqa: S311  # told when it fails
    outcome = await experiment.run(
        Setting(folder=folder, seed=seed, scale=Scale.SHORT, servers=servers)
    )
    print(outcome.told())  # noqa: T201  # shown where it fails, or by -s
    assert outcome.passed, f"seed {seed}\n{outcome.told()}"
