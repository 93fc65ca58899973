"""The production processes, and the commands that prepare a database for them."""

import asyncio
import os
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import typer
from pydantic import SecretStr

from scheduling.adapters.postgres.revisions import (
    newest_revision,
    standing_revision,
)
from scheduling.entrypoints.settings import Settings

app = typer.Typer()

After = Annotated[
    int | None,
    typer.Option(
        hidden=True, help="Begin work when the other end of this descriptor closes"
    ),
]


@app.command()
def api(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port")] = 8080,
    fd: Annotated[
        int | None, typer.Option(help="A listening socket passed on instead")
    ] = None,
    after: After = None,
) -> None:
    """Serve HTTP."""
    from scheduling.entrypoints.http.serve import serve  # noqa: PLC0415  # see app.py

    wait_for(after)
    serve(Settings(), host=host, port=port, fd=fd)


@app.command()
def relay(*, after: After = None) -> None:
    """Publish the outbox to JetStream."""
    from scheduling.entrypoints.relay import run  # noqa: PLC0415  # see app.py

    wait_for(after)
    asyncio.run(run(Settings()))


@app.command()
def migrate(
    *,
    revision: Annotated[
        str, typer.Option(help="Where to go, up or down; `base` empties")
    ] = "head",
) -> None:
    """Bring the database to the newest schema, or to another revision."""
    from scheduling.adapters.postgres import migrating  # noqa: PLC0415  # see app.py

    standing = asyncio.run(migrating.migrate(_database_url(), revision))
    typer.echo(f"at revision {standing or 'base'}")


@app.command()
def seed_demo() -> None:
    """Fill the demo clinic group, once, and print its tenant's id."""
    from scheduling.entrypoints import demo  # noqa: PLC0415  # see app.py

    typer.echo(asyncio.run(demo.seed_demo(_database_url())))


@app.command(hidden=True)
def prepare(
    *,
    tell: Annotated[int, typer.Option(help="Descriptor that the tenant's id goes to")],
    demo: bool = True,
) -> None:
    """Migrate and seed for `scheduling dev`: one process imports all of it once."""
    from scheduling.entrypoints import demo as clinic  # noqa: PLC0415  # see app.py

    async def work(url: str) -> UUID:
        if await standing_revision(url) != newest_revision():
            from scheduling.adapters.postgres import migrating  # noqa: PLC0415

            await migrating.migrate(url)
        return await (clinic.seed_demo if demo else clinic.open_tenant)(url)

    tenant = asyncio.run(work(_database_url()))
    with os.fdopen(tell, "w") as told:
        told.write(str(tenant))


@app.command()
def settings() -> None:
    """List every SCHEDULING_* variable, what it means, and its value now."""
    known = Settings()
    for name, field in Settings.model_fields.items():
        value = getattr(known, name)
        if isinstance(value, SecretStr):
            value = _without_password(value.get_secret_value())
        shown = "" if value is None else value
        typer.echo(f"SCHEDULING_{name.upper()}={shown}")
        typer.echo(f"    {field.description}")


def _database_url() -> str:
    url = Settings().database_url
    if url is None:
        raise typer.BadParameter("SCHEDULING_DATABASE_URL is not set")
    return url.get_secret_value()


def _without_password(url: str) -> str:
    """Keep what helps to see where it points; anything odd is masked whole."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname or parts.query:
        return "***"
    _, at, place = parts.netloc.rpartition("@")
    user = f"{parts.username or ''}:***@" if at else ""
    return urlunsplit((parts.scheme, f"{user}{place}", parts.path, "", ""))


def wait_for(gate: int | None) -> None:
    """Everything is imported by now; begin when the supervisor has the rest ready."""
    if gate is not None:
        with os.fdopen(gate, "rb") as waiting:
            waiting.read()
