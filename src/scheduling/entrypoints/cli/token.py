"""`scheduling token`: a token of the development issuer, alone on stdout."""

import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from scheduling.application.ports.identity import Scope
from scheduling.entrypoints.cli.dev import default_data_dir
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX, Settings

app = typer.Typer()

EVERYTHING = " ".join(Scope)


@app.command()
def token(
    *,
    tenant: Annotated[
        UUID | None,
        typer.Option(help="Whose token; by default the demo tenant of dev.json"),
    ] = None,
    scope: Annotated[
        str, typer.Option(help="What it allows, space-separated; by default all")
    ] = EVERYTHING,
    patient: Annotated[
        UUID | None, typer.Option(help="Makes it this patient's own token")
    ] = None,
    sub: Annotated[str, typer.Option(help="Who bears it")] = "developer",
    data_dir: Annotated[
        Path | None,
        typer.Option(help="That of `scheduling dev`; the same by default"),
    ] = None,
    lifetime: Annotated[int, typer.Option(min=1, help="Seconds")] = 3600,
) -> None:
    """Mint a token for the dev issuer of a data directory, running or not."""
    from scheduling.adapters.tokens.issuer import (  # noqa: PLC0415  # keeps --help fast
        open_dev_issuer,
    )

    unknown = set(scope.split()) - set(Scope)
    if unknown:
        raise typer.BadParameter(
            f"no such scope; there are {', '.join(Scope)}", param_hint="--scope"
        )
    folder = data_dir or default_data_dir()
    issuer = open_dev_issuer(folder, prefix=DEV_ISSUER_PREFIX)
    minted = issuer.mint(
        tenant_id=tenant or _demo_tenant(folder),
        scope=scope,
        audience=Settings().audience,
        subject=sub,
        patient_id=patient,
        lifetime=lifetime,
    )
    typer.echo(minted)


def _demo_tenant(data_dir: Path) -> UUID:
    try:
        return UUID(json.loads((data_dir / "dev.json").read_text())["tenantId"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(
            f"give one: no tenantId is to be read in {data_dir / 'dev.json'}",
            param_hint="--tenant",
        ) from error
