"""`scheduling import`: records of other systems, through the same use cases."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Table

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import TenantId
from scheduling.entrypoints.cli.dev import default_data_dir
from scheduling.entrypoints.importing.keeping import Keep
from scheduling.entrypoints.importing.mapping import (
    Mapped,
    MappingInvalid,
    read_mapping,
)
from scheduling.entrypoints.importing.reading import FileUnreadable
from scheduling.entrypoints.importing.records import Kind
from scheduling.entrypoints.importing.report import (
    Report,
    Tallies,
    Tally,
    fingerprint,
    refused_in_all,
)
from scheduling.entrypoints.importing.running import Checkpoint, Import
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.wiring.storage import (
    Misconfigured,
    open_rehearsal,
    open_storage,
    system_clock,
)

app = typer.Typer()

ALL = "all"
SUBJECT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    mapped: Mapped
    kinds: tuple[Kind, ...]
    tenant_id: TenantId
    settings: Settings
    dry_run: bool
    resume: bool
    report: Path
    concurrency: int
    fingerprint: str


@app.command("import")
def import_(
    *,
    kind: Annotated[
        str, typer.Argument(help=f"{', '.join(Kind)}; or {ALL} that the mapping has")
    ],
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="CSV or NDJSON, also with .gz"
        ),
    ],
    mapping: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="TOML; see docs/import.md"),
    ],
    tenant: Annotated[
        UUID | None, typer.Option(help="Whose; by default the tenant of dev.json")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="That of `scheduling dev`, if no database is set"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do it all, and leave nothing")
    ] = False,
    resume: Annotated[
        bool, typer.Option(help="Go on where a killed import stood")
    ] = True,
    report: Annotated[
        Path | None,
        typer.Option(help="Refused rows, as NDJSON or .csv; here by default"),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=100, help="Records at a time")
    ] = 16,
) -> None:
    """Import practitioners, locations, patients, slots and appointments.

    Ends with 0 when every row was handled, refused ones included; with 1 when it had
    to stop (the same command goes on from there); with 2 when it could not begin.
    """
    settings, tenant_id = _where(tenant, data_dir or default_data_dir())
    try:
        mapped = read_mapping(mapping, file, tenant_id)
        kinds = _kinds(kind, mapped)
        options = Options(
            mapped=mapped,
            kinds=kinds,
            tenant_id=tenant_id,
            settings=settings,
            dry_run=dry_run,
            resume=resume,
            report=report or Path(f"{file.name.split('.')[0]}.{kind}.refused.ndjson"),
            concurrency=concurrency,
            fingerprint=fingerprint(
                file, mapping, words=(str(tenant_id), kind, _place(settings))
            ),
        )
    except (MappingInvalid, FileUnreadable, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    try:
        tallies = asyncio.run(_run(options))
    except (DatabaseUnavailable, FileUnreadable, Misconfigured, OSError) as error:
        told = str(error) or "the database does not answer"
        typer.echo(f"scheduling import: stopped: {told}", err=True)
        raise typer.Exit(1) from error
    _show(tallies, options)


def _where(tenant: UUID | None, data_dir: Path) -> tuple[Settings, TenantId]:
    """Settings come first, then what `scheduling dev` wrote down."""
    settings = Settings()
    if settings.database_url is not None and tenant is not None:
        return settings, TenantId(tenant)
    try:
        told: dict[str, Any] = json.loads((data_dir / "dev.json").read_text())
        if settings.database_url is None:
            url = SecretStr(told["databaseUrl"])
            settings = settings.model_copy(update={"database_url": url})
        return settings, TenantId(tenant or UUID(told["tenantId"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(
            "give --tenant and SCHEDULING_DATABASE_URL, or the --data-dir of a "
            f"`scheduling dev`: {data_dir / 'dev.json'} cannot be read"
        ) from error


def _kinds(kind: str, mapped: Mapped) -> tuple[Kind, ...]:
    if kind == ALL:
        return mapped.kinds
    if kind not in set(Kind):
        raise MappingInvalid(f"{kind}: one of {', '.join(Kind)}, {ALL}, please")
    if kind not in mapped.kinds:
        raise MappingInvalid(f"the mapping has no [{kind}]")
    return (Kind(kind),)


def _place(settings: Settings) -> str:
    """Which database, without who logs in: another one is another import."""
    if settings.database_url is None:
        return ""
    parts = urlsplit(settings.database_url.get_secret_value())
    return f"{parts.hostname}:{parts.port}{parts.path}"


async def _run(options: Options) -> Tallies:
    caller = Caller(
        tenant_id=options.tenant_id,
        subject=SUBJECT,
        scopes=frozenset({Scope.IMPORT, Scope.BOOK, Scope.MANAGE}),
        patient_id=None,
        request_id=f"import-{uuid4()}",
        traceparent=None,
    )
    checkpoint = Checkpoint(
        options.report.with_name(f"{options.report.name}.checkpoint"),
        options.fingerprint,
    )
    async with _storage(options) as (begin, now):
        with _progress(options) as moved:
            return await Import(
                mapped=options.mapped,
                kinds=options.kinds,
                keep=Keep(begin, now, caller),
                # A rehearsal is one transaction: it does one thing at a time.
                concurrency=1 if options.dry_run else options.concurrency,
                report=Report(options.report),
                checkpoint=None if options.dry_run else checkpoint,
                resume=options.resume,
                moved=moved,
            )()


@asynccontextmanager
async def _storage(options: Options) -> AsyncIterator[tuple[BeginWork, Clock]]:
    if options.dry_run:
        async with open_rehearsal(options.settings, options.tenant_id) as begin:
            yield begin, system_clock
        return
    size = {"database_pool_size": options.concurrency}
    async with open_storage(options.settings.model_copy(update=size)) as storage:
        yield storage.begin, storage.now


@contextmanager
def _progress(options: Options) -> Iterator[Callable[[Kind, int, Tally], None]]:
    """A bar for each kind, on a terminal only."""
    console = Console(stderr=True)
    size = options.mapped.source.size
    bars: dict[Kind, TaskID] = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows"),
        console=console,
        disable=not console.is_terminal,
    ) as progress:

        def moved(kind: Kind, read: int, tally: Tally) -> None:
            if kind not in bars:
                bars[kind] = progress.add_task(str(kind), total=size, rows=0)
            progress.update(bars[kind], completed=read, rows=tally.rows)

        yield moved


def _show(tallies: Tallies, options: Options) -> None:
    title = "What would happen" if options.dry_run else "Imported"
    table = Table(title=title)
    table.add_column("")
    columns = ("rows", "created", "changed", "unchanged", "repeated", "refused")
    for column in columns:
        table.add_column(column, justify="right")
    for kind, tally in tallies.items():
        figures = (
            tally.rows,
            tally.created,
            tally.changed,
            tally.unchanged,
            tally.repeated,
            sum(tally.refused.values()),
        )
        table.add_row(kind, *(str(figure) for figure in figures))
    console = Console()
    console.print(table)
    refused = refused_in_all(tallies)
    for code, count in refused.most_common():
        console.print(f"refused with {code}: {count}")
    if refused:
        console.print(f"refused rows: {options.report}", soft_wrap=True)
