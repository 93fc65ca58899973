"""P18: no personal data in logs, events, problems, metrics, audit; also not when things
break while it is under way, and drivers quote what they had in hand.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from uuid import UUID, uuid4

import asyncpg
import httpx2
import nats

from scheduling.adapters.embedded.folders import free_port
from tests.acceptance.desk import Desk, Thing, at
from tests.chaos.checks.marks import Hunt
from tests.chaos.every_operation import Operation, every_operation
from tests.chaos.faults import terminate_sessions
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage
from tests.chaos.whole_clinic import (
    PHONE,
    WholeClinic,
    a_marked_patient,
    notified,
    open_whole_clinic,
)
from tests.following import an_event, sending

REMARK = (
    "The names of unknown fields are said back to whoever sent them, where they look"
    " like names (letters, digits, - and _, up to 40): marked names here do not."
)
LENT = "The servers' own logs were not read."
# As they came, and as they are when only digits are kept.
DIGITS = ("98765-4321", "5527987654321", "987654321")
FIGURES = ("relay", "inbox", "cron")
JSON = {"Content-Type": "application/json"}
PATIENCE = 60.0
FOLLOWED = """
SELECT EXISTS (SELECT FROM inbox WHERE event_id = $1)
   AND NOT EXISTS (SELECT FROM outbox WHERE tenant_id = $2 AND published_at IS NULL)
"""


async def run(setting: Setting) -> Outcome:
    rounds = 60 if setting.full else 1
    mark, tenant = f"zqmark{uuid4().hex[:10]}", uuid4()
    ports = {name: free_port() for name in FIGURES}
    async with (
        a_stage(
            setting.folder,
            servers=setting.servers,
            apis=1,
            relays=1,
            inboxes=1,
            crons=1,
            SCHEDULING_LOG_LEVEL="debug",
            SCHEDULING_RELAY_METRICS_PORT=str(ports["relay"]),
            SCHEDULING_INBOX_METRICS_PORT=str(ports["inbox"]),
            SCHEDULING_CRON_METRICS_PORT=str(ports["cron"]),
        ) as stage,
        httpx2.AsyncClient(base_url=stage.url(), timeout=60) as http,
    ):
        traffic = Traffic(stage, http, tenant, mark)
        await traffic.begin()
        chance = Random(setting.seed)  # noqa: S311  # told
        for _ in range(rounds):
            await traffic.break_something(chance)
            await traffic.round()
        await traffic.settle()
        hunt = Hunt([mark, *DIGITS])
        await _hunted(hunt, traffic, ports)
        control = await _control(traffic, ports)
    return Outcome(
        trials=sum(hunt.read.values()),
        failures=hunt.found,
        counts={f"read: {place}": n for place, n in sorted(hunt.read.items())},
        faults=stage.faults.counts,
        control=control,
        remark=""
        if setting.servers is None
        else "The servers' own logs were not read.",
    )


@dataclass
class Traffic:
    stage: Stage
    http: httpx2.AsyncClient
    tenant: UUID
    mark: str
    refused: list[httpx2.Response] = field(default_factory=list)
    operations: Sequence[Operation] = ()
    clinic: WholeClinic | None = None

    @property
    def desk(self) -> Desk:
        return Desk(self.http, self.stage.token(self.tenant))

    async def begin(self) -> None:
        self.operations = await every_operation(self.http)
        self.clinic = await open_whole_clinic(self.desk, self.tenant, self.mark)
        await notified(self.stage.servers.superuser_url, self.clinic)

    async def round(self) -> None:
        """Write the mark wherever words go: as is right, and in all ways wrong."""
        await self._whole_life()
        await self._told_by_others()
        await self._wherever_there_are_words()
        await self._in_wrong_places()

    async def break_something(self, chance: Random) -> None:
        """End the sessions of all processes while some work, and kill one of them:
        what a driver had in hand is what it quotes.
        """
        lives = (self._whole_life() for _ in range(4))
        await asyncio.gather(*lives, self._end_sessions(chance))
        await self.stage.restart(chance.choice(self.stage.names("api", "inbox")))
        await self.stage.until_ready()

    async def _end_sessions(self, chance: Random) -> None:
        for _ in range(3):
            await asyncio.sleep(chance.uniform(0.02, 0.2))  # in the midst of it
            await terminate_sessions(
                self.stage.servers.superuser_url, "%", self.stage.faults
            )

    async def settle(self) -> None:
        """Return when what was told last was followed, and all is in the stream."""
        await self.stage.until_ready()
        last = await self._tell("patient.created", self._patient(str(uuid4())))
        connection = await asyncpg.connect(self.stage.servers.superuser_url)
        try:
            async with asyncio.timeout(PATIENCE):
                while not await connection.fetchval(  # noqa: ASYNC110  # of others
                    FOLLOWED, last, self.tenant
                ):
                    await asyncio.sleep(0.1)
        finally:
            await connection.close()

    async def _whole_life(self) -> None:
        desk, mark = self.desk, self.mark
        words: Thing = {"reason": f"reason {mark}", "notes": f"notes {mark}"}
        try:
            patient = await a_marked_patient(desk, mark)
            slot = await desk.a_slot(at("09:00", days=2))
            visit = await desk.booked(slot, patient, **words)
            other: Thing = {"allowDoubleBooking": True, "overrideReason": mark}
            await desk.book(slot, **other, **words)
            later = await desk.a_slot(at("12:00", days=2))
            path = f"/v1/appointments/{visit['id']}"
            edit = {"version": visit["version"], "notes": f"more {mark}"}
            visit = (await desk.ask("PATCH", path, json=edit)).json()
            move = {"slotId": later["id"], "reason": mark, "version": visit["version"]}
            visit = (await desk.post(f"{path}/reschedule", move)).json()
            await desk.post("/v1/patients/search", {"query": f"name {mark}"})
            await desk.get(f"/v1/slots/{slot['id']}/waitlist-candidates")
            await desk.cancel(visit, comment=f"comment {mark}")
            await desk.get(f"{path}/history")
            changed = {"name": f"New {mark}", "phone": PHONE, "fileNumber": mark}
            await desk.put(f"/v1/patients/{patient}", changed)
        except (AssertionError, KeyError, httpx2.TransportError):
            pass  # something is broken, on purpose: what was said is kept
        self._keep(desk)

    async def _told_by_others(self) -> None:
        id = str(uuid4())
        await self._tell("patient.created", self._patient(id))
        await self._tell("patient.updated", {**self._patient(id), "active": self.mark})
        wish = {"requestId": str(uuid4()), "patientId": self.mark, "slotId": self.mark}
        await self._tell("portal.appointment.requested", wish)

    async def _tell(self, type: str, data: Thing) -> str:
        event = an_event(type, data)
        async with sending(self.stage.servers.nats_url) as sender:
            await sender.send(self.tenant, event)
        return str(event["id"])

    def _patient(self, id: str) -> Thing:
        return {
            "patientId": id,
            "name": f"Told {self.mark}",
            "fileNumber": f"told-{self.mark}-{id[:8]}",
            "email": f"{self.mark}@example.org",
            "phone": PHONE,
        }

    async def _wherever_there_are_words(self) -> None:
        """Ask for each operation with the mark in every word of its example."""
        clinic, desk = self.clinic, self.desk
        if clinic is None:
            return
        for one in self.operations:
            marked = Operation(
                one.method, one.path, one.parameters, _marked(one.body, self.mark)
            )
            known = {**clinic.ids, "notifications": str(uuid4())}
            await one.asked(desk, lambda _kind: str(uuid4()), self.mark)
            await marked.asked(desk, lambda kind: known[kind], self.mark)  # noqa: B023
        self._keep(desk)

    async def _in_wrong_places(self) -> None:
        desk, mark = self.desk, self.mark
        for path in (
            f"/v1/patients/{mark}",
            f"/nowhere/{mark}",
            f"/calendar/{mark}",
            f"/calendar/assets/{mark}.js",
            f"/calendar?patient={mark}&phone=98765-4321",
            f"/v1/availability?from={mark}&to={mark}&cursor={mark}",
            f"/v1/calendar?from={mark}&x%20{mark}={mark}",
            f"/v1/waitlist?status={mark}",
            f"/docs?{mark}",
        ):
            await desk.get(path)
            await desk.ask("POST", path, json={f"name {mark}": mark})
        for headers in (
            {"Authorization": f"Bearer {mark}"},
            {"X-Request-Id": f"{mark} {mark}"},
            {"Last-Event-ID": mark},
            {"If-Match": mark},
            {"Idempotency-Key": f"a {mark} \u00e9".encode().decode("latin-1")},
            {"Content-Type": mark},
            {"Accept-Language": mark},
            {"User-Agent": mark, "Referer": f"https://{mark}.test"},
        ):
            with suppress(UnicodeEncodeError):
                await desk.ask(
                    "POST", "/v1/appointments", content="{}", headers=headers
                )
                await desk.ask("GET", "/v1/settings", headers=headers)
        torn = f'{{"notes": "{mark}'
        await desk.ask("POST", "/v1/appointments", content=torn, headers=JSON)
        self._keep(desk)

    def _keep(self, desk: Desk) -> None:
        self.refused += [one for one in desk.everything if one.status_code >= 400]


def _marked(body: object, mark: str, name: str = "") -> object:
    if isinstance(body, dict):
        return {key: _marked(value, mark, key) for key, value in body.items()}
    if isinstance(body, list):
        return [_marked(value, mark, name) for value in body]
    if name in WORDS:
        return mark
    return body


WORDS = {
    *("name", "reason", "notes", "comment", "overrideReason", "description"),
    *("fileNumber", "query"),
}


async def _hunted(hunt: Hunt, traffic: Traffic, ports: dict[str, int]) -> None:
    stage = traffic.stage
    for answer in traffic.refused:
        # What was asked for by the client is its own affair; what is told is ours.
        hunt.texts("problems", [f"{answer.text} {dict(answer.headers)}"])
    await hunt.rows(stage.servers.superuser_url, traffic.tenant)
    await hunt.stream(stage.servers.nats_url, traffic.tenant)
    figures = [(await traffic.http.get("/metrics")).text]
    for port in ports.values():
        url = f"http://127.0.0.1:{port}/metrics"
        figures.append((await traffic.http.get(url)).text)
    hunt.texts("figures", figures)
    hunt.logs(stage.folder)


async def _control(traffic: Traffic, ports: dict[str, int]) -> Outcome:
    """Plant the mark in a log, an event, the audit and a refusal; all must be found."""
    mark, stage = traffic.mark, traffic.stage
    with (stage.folder / "api-1.log").open("a") as log:
        log.write(f'{{"event": "planted {mark}"}}\n')
    client = await nats.connect(stage.servers.nats_url)
    subject = f"scheduling.{traffic.tenant}.planted.event"
    await client.jetstream().publish(subject, f"planted {mark}".encode())
    await client.close()
    connection = await asyncpg.connect(stage.servers.superuser_url)
    await connection.execute(
        "UPDATE outbox SET body = $2 WHERE id ="
        " (SELECT min(id) FROM outbox WHERE tenant_id = $1)",
        *(traffic.tenant, f"planted {mark}".encode()),
    )
    await connection.close()
    said = httpx2.Response(400, text=f"planted {mark}")
    planted = Hunt([mark])
    await _hunted(
        planted,
        Traffic(stage, traffic.http, traffic.tenant, mark, [said]),
        ports,
    )
    places = {one.split(" has ")[0] for one in planted.found}
    expected = {"log of api-1", "stream", "outbox", "problems"}
    return Outcome(
        trials=len(expected), failures=planted.found if expected <= places else []
    )


EXPERIMENT = Experiment(
    id="P18",
    promise="no personal data in logs, events, problems, metrics",
    broken="the mark planted in a log, an event, the outbox and a refusal",
    run=run,
    short="tests/acceptance/test_privacy.py",
)
