"""`scheduling slots`: what rules would make of calendars, and making it so."""

import asyncio
import json
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterator,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from scheduling.application.commands.generate_slots import GenerateSlots
from scheduling.application.commands.roll_horizon_forward import RollHorizonForward
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.unavailable import Unavailable
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import (
    DomainError,
    PractitionerRoleNotFound,
)
from scheduling.domain.generation import Generation
from scheduling.domain.identifiers import PractitionerRoleId, ScheduleId, TenantId
from scheduling.domain.schedule import Schedule
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.cli.servers import DEFAULT_DATA_DIR, DataDir, database_url
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.wiring.almanac import open_almanac
from scheduling.entrypoints.wiring.storage import WorkerStorage, open_worker_storage

app = typer.Typer(no_args_is_help=True, help="Look at slots that rules make, or make.")

T = TypeVar("T")

SUBJECT = "cli:slots"
COUNTED = ("created", "updated", "unchanged", "conflicts", "retired", "retained")
A_PAGE = 500

TenantOption = Annotated[
    UUID | None, typer.Option(help="Whose; by default the tenant of dev.json")
]
ScheduleOption = Annotated[UUID | None, typer.Option(help="This calendar")]
RoleOption = Annotated[
    UUID | None, typer.Option(help="The calendar of this practitioner role")
]


@dataclass(frozen=True, slots=True)
class Made:
    """One of `total` calendars is done, the `number`th, or has failed."""

    schedule_id: ScheduleId
    number: int
    total: int
    run: Generation | None = None
    failure: Exception | None = None


@app.command()
def preview(
    *,
    tenant: TenantOption = None,
    schedule: ScheduleOption = None,
    role: RoleOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show what would change in a calendar, and change nothing."""
    _demand_one(schedule, role)
    caller = _operator(tenant, data_dir)

    async def look() -> tuple[Schedule, Generation]:
        async with _storage(data_dir) as storage:
            found = await _found(storage.begin, caller, schedule, role)
            make = GenerateSlots(storage.begin, storage.now, open_almanac())
            return found, await make(caller, found.id, dry_run=True)

    calendar, run = _asked(look())
    if as_json:
        typer.echo(json.dumps(_document(run), indent=2))
    else:
        _show(calendar, run)


@app.command()
def generate(
    *,
    tenant: TenantOption = None,
    schedule: ScheduleOption = None,
    role: RoleOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All calendars of the tenant")
    ] = False,
    roll_forward: Annotated[
        bool,
        typer.Option(
            "--roll-forward",
            help="With --all: as the job does each day; a calendar that was rolled "
            "forward today is passed over",
        ),
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make slots follow the rules, now.

    Each calendar is done by itself. Stopped half-way it is run again: what was done is
    unchanged the second time. Ends with 1 where one has failed; the others are done.
    """
    if everything == (schedule is not None or role is not None):
        raise typer.BadParameter("say which: --schedule, --role or --all")
    if roll_forward and not everything:
        raise typer.BadParameter("--roll-forward is for --all")
    if not everything:
        _demand_one(schedule, role)
    caller = _operator(tenant, data_dir)

    async def make() -> Counter[str]:
        async with _storage(data_dir) as storage:
            if roll_forward:
                made = _rolled(storage, caller)
            elif everything:
                made = _all(storage, caller)
            else:
                found = await _found(storage.begin, caller, schedule, role)
                made = _each(storage, caller, [found.id], 1)
            return await _tallied(made)

    tally = _asked(make())
    figures = ", ".join(f"{tally[name]} {name}" for name in COUNTED)
    plural = "" if tally["calendars"] == 1 else "s"
    typer.echo(f"{tally['calendars']} calendar{plural}: {figures}")
    if tally["failed"]:
        typer.echo(f"{tally['failed']} failed; run it again", err=True)
        raise typer.Exit(1)


async def _each(
    storage: WorkerStorage, caller: Caller, ids: Sequence[ScheduleId], total: int
) -> AsyncGenerator[Made, None]:
    make = GenerateSlots(storage.begin, storage.now, open_almanac())
    for number, id in enumerate(ids, start=1):
        try:
            run = await settled(partial(make, caller, id))
        except Unavailable:
            raise
        except Exception as failure:  # noqa: BLE001  # told with the calendar
            yield Made(id, number, total, failure=failure)
        else:
            yield Made(id, number, total, run)


async def _all(storage: WorkerStorage, caller: Caller) -> AsyncGenerator[Made, None]:
    ids: list[ScheduleId] = []
    async with storage.begin(caller) as work:
        while page := await work.generation.calendars(ids[-1] if ids else None, A_PAGE):
            ids += page
    async with aclosing(_each(storage, caller, ids, len(ids))) as each:
        async for one in each:
            yield one


async def _rolled(storage: WorkerStorage, caller: Caller) -> AsyncGenerator[Made, None]:
    roll = RollHorizonForward(storage.begin, storage.now, open_almanac())
    async with aclosing(roll(caller)) as calendars:
        async for one in calendars:
            # Counted on the day that it was done: here it is passed over.
            run = None if one.run is not None and one.run.repeated else one.run
            yield Made(one.schedule_id, one.number, one.total, run, one.failure)


async def _tallied(made: AsyncGenerator[Made, None]) -> Counter[str]:
    """Show each as it is done: a bar on a terminal, a line elsewhere."""
    tally: Counter[str] = Counter()
    with _progress() as moved:
        async with aclosing(made) as each:
            async for one in each:
                tally["calendars"] += 1
                tally["failed"] += one.failure is not None
                if one.run is not None:
                    tally.update({name: getattr(one.run, name) for name in COUNTED})
                moved(one)
    return tally


@contextmanager
def _progress() -> Iterator[Callable[[Made], None]]:
    console = Console(stderr=True)
    with Progress(
        TextColumn("calendars"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("calendars", total=None)

        def moved(one: Made) -> None:
            progress.update(bar, completed=one.number, total=one.total)
            if one.failure is not None or not console.is_terminal:
                progress.console.print(_line(one), highlight=False, soft_wrap=True)

        yield moved


def _line(one: Made) -> str:
    place = f"{one.number}/{one.total} {one.schedule_id}"
    if one.failure is not None:
        return f"{place} failed: {_why(one.failure)}"
    if one.run is None:
        return f"{place} done before today"
    counts = {name: getattr(one.run, name) for name in COUNTED}
    return f"{place} " + ", ".join(f"{n} {name}" for name, n in counts.items() if n)


def _why(failure: Exception) -> str:
    """Refusals name ids and times; messages of drivers may quote anything."""
    told = isinstance(failure, DomainError)
    return str(failure) if told else type(failure).__qualname__


def _show(calendar: Schedule, run: Generation) -> None:
    console = Console()
    zone = ZoneInfo(calendar.timezone)
    table = Table(
        title=f"{run.first_day} to {run.last_day}, times of {calendar.timezone}"
    )
    for name in ("", "start", "end", "seats", "why"):
        table.add_column(name)
    for change in run.changes:
        start, end = (at.astimezone(zone) for at in (change.start, change.end))
        table.add_row(
            change.action,
            f"{start:%a %Y-%m-%d %H:%M}",
            f"{end:%H:%M}",
            str(change.capacity),
            change.reason or "",
        )
    if run.changes:
        console.print(table)
    counts = ", ".join(f"{getattr(run, name)} {name}" for name in COUNTED)
    console.print(f"would be: {counts}", highlight=False, soft_wrap=True)
    told = len(run.changes)
    more = run.created + run.updated + run.conflicts + run.retired + run.retained - told
    if more > 0:
        console.print(f"{more} more changes are not shown", highlight=False)


def _document(run: Generation) -> dict[str, Any]:
    return {
        "scheduleId": str(run.schedule_id),
        "firstDay": run.first_day.isoformat(),
        "lastDay": run.last_day.isoformat(),
        **{name: getattr(run, name) for name in COUNTED},
        "keptByReason": dict(run.kept_by_reason),
        "changes": [
            {
                "action": change.action,
                "start": change.start.isoformat(),
                "end": change.end.isoformat(),
                "capacity": change.capacity,
                "reason": change.reason,
            }
            for change in run.changes
        ],
    }


def _demand_one(schedule: UUID | None, role: UUID | None) -> None:
    if (schedule is None) == (role is None):
        raise typer.BadParameter("say which: --schedule or --role")


async def _found(
    begin: BeginWork, caller: Caller, schedule: UUID | None, role: UUID | None
) -> Schedule:
    """Raise ScheduleNotFound or PractitionerRoleNotFound."""
    async with begin(caller) as work:
        if schedule is not None:
            return await work.schedules.get(ScheduleId(schedule))
        if role is None:
            raise ValueError("a schedule or a role")
        found = await work.schedules.of_role(PractitionerRoleId(role))
        if found is None:
            raise PractitionerRoleNotFound(role)
        return found


def _asked(work: Coroutine[Any, Any, T]) -> T:
    """Run it; refusals and a database that is away are said in a line."""
    try:
        return asyncio.run(work)
    except DomainError as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from refusal
    except Unavailable as away:
        typer.echo(
            "the database does not answer; what was done is done: run it again",
            err=True,
        )
        raise typer.Exit(1) from away


@asynccontextmanager
async def _storage(data_dir: Path) -> AsyncIterator[WorkerStorage]:
    url = SecretStr(database_url(data_dir))
    settings = Settings().model_copy(update={"database_url": url})
    async with open_worker_storage(settings) as storage:
        yield storage


def _operator(tenant: UUID | None, data_dir: Path) -> Caller:
    return Caller(
        tenant_id=TenantId(tenant or _tenant_of(data_dir)),
        subject=SUBJECT,
        scopes=frozenset({Scope.READ, Scope.MANAGE}),
        patient_id=None,
        request_id=f"slots-{uuid4()}",
        traceparent=None,
    )


def _tenant_of(data_dir: Path) -> UUID:
    file = data_dir / "dev.json"
    try:
        return UUID(json.loads(file.read_text())["tenantId"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(
            f"give one: no tenantId is to be read in {file}", param_hint="--tenant"
        ) from error
