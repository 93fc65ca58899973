"""PostgreSQL and the API come and go: clients are told to come back, and can."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
import pytest

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.embedded.program import Running, start
from scheduling.adapters.postgres.migrating import migrate
from tests.acceptance.conftest import ALL
from tests.acceptance.desk import Desk, codes
from tests.acceptance.product import PATIENCE, Product, running_product, what_is_wrong


@pytest.fixture
def postgres_of_ours(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A durable one: what it acknowledged must outlive its being killed."""
    server = EmbeddedPostgres(data_dir=tmp_path / "data", port=free_port())
    yield server
    server.remove()


async def started(server: EmbeddedPostgres) -> Running:
    running = await start(server.program())
    await running.ready()
    return running


class Clerk:
    """Books one slot after the other for as long as the test lasts."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.answers: list[httpx2.Response] = []
        self.made: list[str] = []
        self.step = asyncio.Event()

    async def work(self) -> None:
        slot = await self.desk.a_slot(capacity=10_000)
        while True:
            patient = str(uuid4())
            await self._insist(
                partial(self.desk.put, f"/v1/patients/{patient}", {"name": "Maria"})
            )
            made = await self._insist(
                partial(self.desk.book, slot, patient, key=patient)
            )
            self.made.append(made.json()["id"])
            self.step.set()

    async def _insist(
        self, ask: Callable[[], Awaitable[httpx2.Response]]
    ) -> httpx2.Response:
        """Ask again what was refused, as Retry-After says but in a hurry."""
        while True:
            answer = await ask()
            self.answers.append(answer)
            self.step.set()
            if answer.status_code in {200, 201}:
                return answer
            await asyncio.sleep(0.05)

    async def until_made(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.made) < count:
                self.step.clear()
                await self.step.wait()

    async def until_refused(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.answers[-1].status_code in {200, 201}:
                self.step.clear()
                await self.step.wait()


async def test_a_restarted_database_costs_503s_and_nothing_else(
    postgres_of_ours: EmbeddedPostgres, nats_url: str, tmp_path: Path, tenant: UUID
) -> None:
    database = await started(postgres_of_ours)
    try:
        url = postgres_of_ours.database_url
        await migrate(url)
        with running_product(url, nats_url, tmp_path / "run") as product:
            token = product.issuer.mint(tenant_id=tenant, scope=ALL)
            async with httpx2.AsyncClient(base_url=product.url, timeout=60) as http:
                clerk = Clerk(Desk(http, token))
                working = asyncio.create_task(clerk.work())
                await clerk.until_made(10)

                await database.stop()
                await clerk.until_refused()
                ready = await http.get("/readyz")
                alive = await http.get("/livez")
                database = await started(postgres_of_ours)
                back_at = len(clerk.made)
                await clerk.until_made(back_at + 10)

                database.kill()
                await database.wait()
                database = await started(postgres_of_ours)
                await clerk.until_made(len(clerk.made) + 10)
                working.cancel()
                with suppress(asyncio.CancelledError):
                    await working

                assert (ready.status_code, alive.status_code) == (503, 200)
                refused = [a for a in clerk.answers if a.status_code not in {200, 201}]
                assert set(codes(*refused)) <= {
                    (503, "SERVICE_UNAVAILABLE"),
                    (409, "REQUEST_IN_PROGRESS"),
                }
                assert all("retry-after" in answer.headers for answer in refused)
                for id in clerk.made:
                    answer = await clerk.desk.get(f"/v1/appointments/{id}")
                    assert answer.status_code == 200
            events = await product.events(tenant)
            assert what_is_wrong(await product.committed(tenant), events) == []
    finally:
        await database.stop()


async def test_what_was_acknowledged_outlives_a_killed_api(
    product: Product, desk: Desk, tenant: UUID
) -> None:
    slot = await desk.a_slot(capacity=1000)
    patients = [await desk.a_patient() for _ in range(60)]
    made: list[str] = []

    async def book(patient: str) -> None:
        with suppress(httpx2.TransportError):
            answer = await desk.book(slot, patient)
            assert answer.status_code == 201, answer.text
            made.append(answer.json()["id"])

    await book(patients[0])
    asked = [asyncio.create_task(book(patient)) for patient in patients[1:]]
    while len(made) < 20:
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        asked = [task for task in asked if not task.done()]
    product.kill_api()
    product.start_api()
    if asked:
        await asyncio.wait(asked)

    for id in made:
        answer = await desk.get(f"/v1/appointments/{id}")
        assert answer.status_code == 200
    left = (await desk.get(f"/v1/slots/{slot['id']}")).json()
    stored = await product.count(tenant, "appointments")
    assert len(made) <= stored == left["booked"]
    events = await product.events(tenant)
    created = [e for e in events if e.subject.endswith("appointment.created")]
    assert len(created) == stored


async def test_who_comes_in_crowds_is_shed_and_told_to_come_back(
    database_url: str, nats_url: str, tmp_path: Path, tenant: UUID
) -> None:
    with running_product(
        database_url, nats_url, tmp_path, SCHEDULING_MAX_IN_FLIGHT="4"
    ) as product:
        token = product.issuer.mint(tenant_id=tenant, scope=ALL)
        limits = httpx2.Limits(max_connections=64)
        async with httpx2.AsyncClient(
            base_url=product.url, timeout=60, limits=limits
        ) as http:
            desk = Desk(http, token)
            slot = await desk.a_slot(capacity=100)
            patients = [await desk.a_patient() for _ in range(64)]
            answers = await asyncio.gather(*(desk.book(slot, p) for p in patients))
            refused = [a for a in answers if a.status_code != 201]
            assert set(codes(*refused)) <= {(503, "SERVICE_UNAVAILABLE")}
            assert all(a.headers["retry-after"] for a in refused)
            assert await product.count(tenant, "appointments") == 64 - len(refused)
