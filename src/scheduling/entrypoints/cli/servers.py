"""Where the servers are: SCHEDULING_* variables, else the dev.json of a data folder."""

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from scheduling.entrypoints.settings import Settings

DataDir = Annotated[
    Path,
    typer.Option(
        help="The data directory of `scheduling dev`, for where the servers are "
        "unless SCHEDULING_DATABASE_URL and SCHEDULING_NATS_URL say it"
    ),
]
DEFAULT_DATA_DIR = Path(".data")


def database_url(data_dir: Path) -> str:
    return _find(Settings().database_url, "SCHEDULING_DATABASE_URL", data_dir)


def nats_url(data_dir: Path) -> str:
    return _find(Settings().nats_url, "SCHEDULING_NATS_URL", data_dir)


def _find(given: SecretStr | None, variable: str, data_dir: Path) -> str:
    """Raise BadParameter where it is written nowhere."""
    if given is not None:
        return given.get_secret_value()
    key = {
        "SCHEDULING_DATABASE_URL": "databaseUrl",
        "SCHEDULING_NATS_URL": "natsUrl",
    }[variable]
    file = data_dir / "dev.json"
    try:
        return str(json.loads(file.read_text())[key])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(
            f"set {variable}, or start `scheduling dev`: no {key} is to be read in "
            f"{file}",
            param_hint="--data-dir",
        ) from error
