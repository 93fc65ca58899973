"""P20: more than can be done is turned away at once, and what can be done is done."""

import asyncio
import sys
from collections import Counter

import orjson

from tests.chaos.clinic import SLOTS_A_DAY, Clinic, open_clinic
from tests.chaos.open_load import Order, Told
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage

TIMES = 4
AT_LEAST = 0.8
"""Of the peak: what is answered in time under TIMES as much as can be."""
OFFERED = 0.9
"""Of TIMES the peak: with less from the load's own process, nothing was tried."""
LINES = 3000


async def run(setting: Setting) -> Outcome:
    warm, finding, offering = (5.0, 10.0, 60.0) if setting.full else (1.0, 2.0, 5.0)
    async with a_stage(
        setting.folder, servers=setting.servers, apis=1, relays=1
    ) as stage:
        clinic = await open_clinic(
            stage.servers.superuser_url,
            practitioners=40,
            patients=4000,
            slots=SLOTS_A_DAY * (20 if setting.full else 3),
        )
        tried = Tried(stage, clinic, setting.seed)
        await tried.load(warm, lines=16)
        peaks = [
            _per_second(await tried.load(finding, lines=lines))
            for lines in (16, 32, 64)
        ]
        peak = max(peaks)
        told = await tried.load(offering, lines=LINES, rate=TIMES * peak)

        # The break: nobody is turned away.
        await stage.kill("api-1")
        stage.add("api", 1, SCHEDULING_MAX_IN_FLIGHT="1000000")
        await stage.start("api-1")
        await stage.until_ready()
        await tried.load(warm, lines=16)
        broken = await tried.load(offering, lines=LINES, rate=TIMES * peak)
    return Outcome(
        trials=told.arrived,
        failures=_judged(told, peak),
        counts=_counted(told, peak),
        faults=Counter({f"{TIMES} times the peak, in s": round(told.seconds)}),
        control=Outcome(
            trials=broken.arrived,
            failures=_judged(broken, peak),
            counts=_counted(broken, peak),
        ),
    )


class Tried:
    """A process of load against one API: four searches of a day to each booking."""

    def __init__(self, stage: Stage, clinic: Clinic, seed: int) -> None:
        self._stage, self._seed = stage, seed
        self._token = stage.token(clinic.tenant)
        day = clinic.start(0).date()
        self._again = [
            self._asked("GET", f"/v1/practitioners/{id}/slots?date={day}")
            for id in clinic.practitioners
        ]
        # The searched day is left alone: each search costs the same, however long.
        columns = [ids[SLOTS_A_DAY:] for ids in clinic.slots.values()]
        slots = [slot for row in zip(*columns, strict=True) for slot in row]
        self._once = [
            self._asked(
                "POST",
                "/v1/appointments",
                {
                    "patientId": clinic.patients[number % len(clinic.patients)],
                    "slotId": slot,
                    "appointmentType": "follow-up",
                },
            )
            for number, slot in enumerate(slots)
        ]
        self._used = 0

    async def load(
        self, seconds: float, *, lines: int, rate: float | None = None
    ) -> Told:
        host, port = self._stage.address()
        order = Order(
            host=host,
            port=port,
            seconds=seconds,
            rate=rate,
            lines=lines,
            seed=self._seed,
            again=self._again,
            once=self._once[self._used :],
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.open_load"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        result, _ = await process.communicate(orjson.dumps(order))
        told = Told(**orjson.loads(result))
        self._used += told.arrived // 5 + 1
        return told

    def _asked(self, method: str, path: str, body: object = None) -> str:
        content = b"" if body is None else orjson.dumps(body)
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self._token}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
            *("", content.decode()),
        ]
        return "\r\n".join(lines)


def _per_second(told: Told) -> float:
    return told.good / told.seconds


def _judged(told: Told, peak: float) -> list[str]:
    found = []
    if _per_second(told) < AT_LEAST * peak:
        found.append(
            f"{_per_second(told):.0f} a second were answered in time,"
            f" {_per_second(told) / peak:.0%} of the peak of {peak:.0f}"
        )
    if told.arrived / told.seconds < OFFERED * TIMES * peak:
        found.append(
            f"only {told.arrived / told.seconds / peak:.1f} times the peak was offered"
        )
    if told.unanswered:
        found.append(f"{told.unanswered} were not answered")
    if told.rude:
        found.append(f"{told.rude} times 503 had no Retry-After")
    # A slot that was booked in another run of the load is refused, as it should be.
    strange = {name: n for name, n in told.other.items() if name != "409"}
    found += [f"{n} times {name}" for name, n in strange.items()]
    return found


def _counted(told: Told, peak: float) -> dict[str, float]:
    return {
        "peak a second": peak,
        "offered a second": told.arrived / told.seconds,
        "in time a second": _per_second(told),
        "share of the peak": _per_second(told) / peak,
        "too late": told.late,
        "turned away": told.shed,
        "409": told.other.get("409", 0),
        "p99 of what was in time, in ms": told.p99_of_good_ms,
        "p99 of 503 in ms": told.p99_of_shed_ms,
    }


EXPERIMENT = Experiment(
    id="P20",
    promise="overload is shed with 503 + Retry-After, goodput ≥ 80 % of peak",
    broken="as many requests in flight as come",
    run=run,
    short="tests/acceptance/test_outages.py",
)
