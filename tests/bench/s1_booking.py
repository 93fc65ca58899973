"""S1: `POST /v1/appointments` against pgbench doing the same transaction's statements.

The reference is made of the very statements that the product prepares, with the
documents of a real booking in which ids and times are replaced by expressions over
pgbench's counter: the reading one and the writing one, for a tenant that is set once.
"""

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import asyncpg
import orjson

from scheduling.adapters.postgres.appointment_statements import reading_for_booking
from scheduling.adapters.postgres.appointments import PostgresAppointments
from scheduling.adapters.postgres.batch import WRITES
from scheduling.adapters.postgres.sending import Batch, writing
from scheduling.adapters.postgres.sessions import SESSION
from scheduling.adapters.postgres.statements import Statement
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.identity import Caller
from scheduling.domain.availability import Assignment
from scheduling.domain.booking import (
    BookingFacts,
    decide_booking,
)
from scheduling.domain.booking_request import (
    BookingRequest,
    BySlot,
)
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.identifiers import PatientId, SlotId, TenantId
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from tests.bench.pgbench import filled, pgbench, write_script
from tests.bench.report import Result
from tests.bench.stack import Stack, running_stack
from tests.bench.world import (
    BASE,
    PATIENTS,
    PRACTITIONERS,
    QUARTER,
    SLOTS_A_DAY,
    World,
    let_postgres_look,
    make_world,
)

CONNECTIONS = 16
KEYED = 3
"""Rounds with an Idempotency-Key, which generated clients always send."""


async def measure(folder: Path, *, rounds: int = 11, seconds: int = 3) -> Result:
    """Take short turns and compare each with its neighbour: a shared machine may be
    twice as fast in one minute as in the next.
    """
    each = seconds * 6000
    ours: list[float] = []
    reference: list[float] = []
    tpc_b: list[float] = []
    keyed: list[float] = []
    loads: list[Mapping[str, Any]] = []
    async with running_stack(folder) as stack:
        world = await make_world(
            stack.database_url, uuid4(), slots=each * (2 * rounds + 1 + KEYED)
        )
        with stack.without("inbox", "cron"):
            # Statements are prepared and the tables are no longer empty: not counted.
            await _ours(stack, world, range(each), seconds=4)
            await let_postgres_look(stack.database_url)
            for n in range(rounds):
                first = each * (1 + 2 * n)
                reference.append(await _reference(stack, world, first, seconds, each))
                mine = range(first + each, first + 2 * each)
                loads.append(await _ours(stack, world, mine, seconds=seconds))
                ours.append(loads[-1]["per_second"])
                tpc_b.append(await _tpc_b(stack, seconds=2))
            for n in range(KEYED):
                first = each * (1 + 2 * rounds + n)
                mine = range(first, first + each)
                load = await _ours(stack, world, mine, seconds=seconds, keyed=True)
                keyed.append(load["per_second"])
    latency = {
        name: median(load[name] for load in loads) for name in ("p50_ms", "p99_ms")
    }
    ratios = [mine / other for mine, other in zip(ours, reference, strict=True)]
    share = median(mine / other for mine, other in zip(ours, tpc_b, strict=True))
    return Result(
        id="S1",
        work=f"`POST /v1/appointments`, {CONNECTIONS} connections, relay running",
        ours=f"{median(ours):,.0f}/s (p50 {latency['p50_ms']:.1f} ms,"
        f" p99 {latency['p99_ms']:.1f} ms)",
        reference=f"{median(reference):,.0f}/s (pgbench, the same statements)",
        value=median(ratios),
        bar=0.60,
        aim=0.80,
        unit="of the reference",
        remark=f"with an Idempotency-Key {median(keyed):,.0f}/s;"
        f" the rounds lie between {min(ratios):.2f} and {max(ratios):.2f};"
        " the share of a TPC-B is "
        f"{share:.2f} (pgbench's default transaction, {median(tpc_b):,.0f}/s)",
        raw={
            "ours": ours,
            "reference": reference,
            "tpc_b": tpc_b,
            "keyed": keyed,
            "loads": loads,
        },
    )


async def _tpc_b(stack: Stack, *, seconds: int) -> float:
    """The share by which schedulers are compared across machines."""
    connection = await asyncpg.connect(stack.database_url)
    made = await connection.fetchval("SELECT to_regclass('pgbench_accounts')")
    await connection.close()
    if made is None:
        await pgbench(stack.database_url, "-i", "-q", "-s", "10")
    return await pgbench(
        stack.database_url,
        *("-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1"),
        *("-T", str(seconds)),
    )


async def _ours(
    stack: Stack,
    world: World,
    numbers: range,
    *,
    seconds: float,
    keyed: bool = False,
) -> Mapping[str, Any]:
    place = urlsplit(stack.api_url)
    head = (
        "POST /v1/appointments HTTP/1.1\r\n"
        f"Host: {place.netloc}\r\n"
        f"Authorization: Bearer {stack.token(world.tenant)}\r\n"
        "Content-Type: application/json\r\n"
    )
    lines = []
    for n in numbers:
        body = (
            f'{{"patientId":"{world.patient(n)}","slotId":"{world.slot(n)}",'
            '"appointmentType":"follow-up"}'
        )
        key = f"Idempotency-Key: {world.slot(n)}\r\n" if keyed else ""
        request = f"{head}{key}Content-Length: {len(body)}\r\n\r\n{body}"
        lines.append(json.dumps(request))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.http_load"),
        *(str(place.hostname), str(place.port), str(CONNECTIONS), str(seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate("\n".join(lines).encode())
    result: Mapping[str, Any] = json.loads(out)
    if set(result["statuses"]) != {"201"}:
        raise RuntimeError(f"not every booking was booked: {result['statuses']}")
    return result


async def _reference(
    stack: Stack, world: World, first: int, seconds: int, each: int
) -> float:
    settings = {
        **SESSION,
        "role": "scheduling_api",
        "app.tenant_id": str(world.tenant),
    }
    options = quote(" ".join(f"-c {name}={value}" for name, value in settings.items()))
    with tempfile.TemporaryDirectory() as folder:
        script = write_script(Path(folder), booking_script(world))
        return await pgbench(
            f"{stack.database_url}?options={options}",
            *("-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1"),
            *("-T", str(seconds), "-f", str(script)),
            *("-D", f"first={first}", "-D", f"share={each // CONNECTIONS}"),
            *("-D", "i=0"),
        )


def booking_script(world: World) -> str:
    """Return the transaction for pgbench; client and counter choose the slot."""
    reading, values, batch = _one_booking(world)
    names = tuple(write.name for write in WRITES if write.name in batch.rows)
    documents = {name: orjson.dumps(batch.rows[name], default=str) for name in names}
    tenant = f"'{world.tenant}'"
    return "\n".join(
        [
            "\\set i :i + 1",
            "\\set n :first + :client_id * :share + :i",
            filled(reading, {**values, "tenant_id": tenant}) + ";",
            filled(
                writing(names),
                {
                    "tenant_id": tenant,
                    **{
                        n: _over_counter(d.decode(), world)
                        for n, d in documents.items()
                    },
                },
            )
            + ";",
        ]
    )


def _one_booking(world: World) -> tuple[Statement, dict[str, str], Batch]:
    """Decide a booking of slot 0 and gather its writes, as the product does."""
    now = datetime.now(UTC)
    slot = Slot(
        id=SlotId(world.slot(0)),
        schedule_id=world.schedule(0),  # type: ignore[arg-type]
        practitioner_id=world.practitioner(0),  # type: ignore[arg-type]
        location_id=world.location,  # type: ignore[arg-type]
        period=Period.of(BASE, QUARTER),
        timezone="UTC",
    )
    request = BookingRequest(
        patient_id=PatientId(world.patient(0)),
        when=BySlot(slot.id),
        appointment_type="follow-up",
    )
    facts = BookingFacts(
        settings=Settings(horizon_days=3650),
        patient_active=True,
        preferences=ContactPreferences(sms=True),
        practitioner_active=True,
        location_active=True,
        location_timezone="UTC",
        assignments=(Assignment(active=True),),
        has_schedule=True,
        slots=(slot,),
        claims=(),
    )
    booking = decide_booking(request, facts, now=now)
    caller = Caller(
        TenantId(world.tenant), "bench", frozenset(), None, uuid4().hex, None
    )
    transaction = Transaction(sessions=None, caller=caller)  # type: ignore[arg-type]
    PostgresAppointments(transaction).add(booking)
    others = json.dumps([{"kind": 2, "id": str(world.patient(0))}])
    return (
        reading_for_booking(),
        {
            "patient_id": _over_counter(str(world.patient(0)), world),
            "slot_id": _over_counter(str(world.slot(0)), world),
            "others": _over_counter(others, world),
        },
        transaction.batch,
    )


_ISO = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(?:\+00:00|Z)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STRUCTURE = re.compile(r'(?<=[^\\]"):(?=\S)')


def _over_counter(document: str, world: World) -> str:
    """Return an SQL expression that makes the document for `:n`.

    pgbench takes any colon before a letter or digit for a variable of its own, also in
    a literal: those of the JSON get a space behind them, those in strings are escaped.
    """
    known = {
        str(world.tenant): str(world.tenant),
        str(world.location): str(world.location),
        str(world.slot(0)): _made_of(6, ":n"),
        str(world.patient(0)): _made_of(4, f":n::bigint % {PATIENTS}"),
        str(world.practitioner(0)): _made_of(2, f":n::bigint % {PRACTITIONERS}"),
        str(world.schedule(0)): _made_of(5, f":n::bigint % {PRACTITIONERS}"),
    }

    def id_(match: re.Match[str]) -> str:
        # An id made for this booking: the same wherever the documents have it.
        digits = int(match[0][9:13] + match[0][-4:], 16)
        return known.get(match[0]) or _made_of(digits, ":n")

    def instant(match: re.Match[str]) -> str:
        at = datetime.fromisoformat(match[0])
        if at.second or at.microsecond:
            return match[0]  # when it was booked
        return (
            f"'||to_timestamp({int(at.timestamp())}"
            f" + :n::bigint / {PRACTITIONERS} / {SLOTS_A_DAY} * 86400"
            f" + :n::bigint / {PRACTITIONERS} % {SLOTS_A_DAY} * {QUARTER.seconds})||'"
        )

    parts = re.split(
        f"({_ISO.pattern}|{_UUID.pattern})", _STRUCTURE.sub(": ", document)
    )
    for i, part in enumerate(parts):
        if _UUID.fullmatch(part):
            parts[i] = _UUID.sub(id_, part)
        elif _ISO.fullmatch(part):
            parts[i] = _ISO.sub(instant, part)
        else:
            parts[i] = part.replace("'", "''")
        if ":n" not in parts[i]:
            parts[i] = re.sub(r":(?=\w)", r"\\u003a", parts[i])
    return f"('{''.join(parts)}')"


def _made_of(kind: int, n: str) -> str:
    return f"'||'{kind:08x}-0000-4000-8000-'||lpad(to_hex(({n})::bigint),12,'0')||'"
