"""A product with a patient registry: whom nobody told us of is asked for there."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import httpx2
import pytest

from scheduling.adapters.embedded.folders import free_port
from tests.acceptance.conftest import ALL
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import PATIENCE, Product, running_product
from tests.acceptance.visits import hold, news
from tests.acceptance.waiting_room import PATH as WAITLIST
from tests.following import an_event, sending
from tests.registry_site import RegistrySite, a_document
from tests.servers import Databases, nats_server

UNKNOWN = [(404, "PATIENT_NOT_FOUND")]
AWAY = [(503, "SERVICE_UNAVAILABLE")]


@pytest.fixture(scope="module")
def port() -> int:
    """Where the registry is, in each test anew."""
    return free_port()


@pytest.fixture(scope="module")
def asking(
    postgres: tuple[Databases, str], tmp_path_factory: pytest.TempPathFactory, port: int
) -> Iterator[Product]:
    """A product of its own, whose inbox alone takes what a portal asks for."""
    databases, template = postgres
    folder = tmp_path_factory.mktemp("asking")
    with (
        databases.fresh(template) as database_url,
        nats_server(folder / "nats") as nats_url,
        running_product(
            database_url,
            nats_url,
            folder / "run",
            SCHEDULING_REGISTRY_URL=RegistrySite(port=port).url,
            SCHEDULING_REGISTRY_TOKEN="Marker-Token",  # noqa: S106  # of a test
        ) as product,
    ):
        yield product


@pytest.fixture
async def site(port: int) -> AsyncIterator[RegistrySite]:
    async with RegistrySite(port=port).open() as site:
        yield site


@pytest.fixture
async def reception(asking: Product, tenant: UUID) -> AsyncIterator[Desk]:
    token = asking.issuer.mint(tenant_id=tenant, scope=ALL, subject="reception")
    async with httpx2.AsyncClient(base_url=asking.url, timeout=30) as http:
        yield Desk(http, token)


def of_patient(desk: Desk, product: Product, tenant: UUID, patient: UUID) -> Desk:
    token = product.issuer.mint(
        tenant_id=tenant, scope=ALL, subject="portal", patient_id=patient
    )
    return Desk(desk.http, token)


async def test_whom_the_registry_knows_is_booked_for_and_asked_for_once(
    reception: Desk, site: RegistrySite, tenant: UUID
) -> None:
    patient = uuid4()
    site.knows(tenant, patient, a_document(patient, tenant))
    slots = [await reception.a_slot() for _ in range(2)]
    first = await reception.book(slots[0], str(patient), key="once")
    assert first.status_code == 201, first.text
    again = await reception.book(slots[0], str(patient), key="once")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    second = await reception.a_slot(at("12:00"))
    assert (await reception.book(second, str(patient))).status_code == 201
    kept = (await reception.get(f"/v1/patients/{patient}")).json()
    assert (kept["name"], kept["phone"]) == ("Marker-Name", "+49 30 1234")
    assert site.asked == [site.path(tenant, patient)]
    assert site.shown == ["Bearer Marker-Token"]


async def test_every_door_that_takes_a_patient_asks_for_them(
    reception: Desk, asking: Product, site: RegistrySite, tenant: UUID
) -> None:
    slot = await reception.a_slot(capacity=9)
    day = {"from": at("00:00").isoformat(), "to": at("23:00").isoformat()}
    why = {"practitionerId": slot["practitionerId"], **day}

    def somebody() -> str:
        patient = uuid4()
        site.knows(tenant, patient)
        return str(patient)

    async def searched(path: str, **asked: str) -> httpx2.Response:
        params = {"patientId": somebody(), **asked}
        return await reception.get(f"/v1/availability{path}", params=params)

    visit = {"slotId": slot["id"], "appointmentType": "consultation"}
    own = of_patient(reception, asking, tenant, UUID(somebody()))
    wish = {"patientId": somebody(), "earliest": day["from"], "latest": day["to"]}
    series = {"patientId": somebody(), "occurrences": 2, **visit}
    told = {
        "self-book": await own.post("/v1/appointments/self-book", visit),
        "hold": await hold(reception, slot, somebody()),
        "waitlist": await reception.post(WAITLIST, wish),
        "read": await reception.get(f"/v1/patients/{somebody()}"),
        "search": await searched("", **day),
        "next": await searched("/next"),
        "explain": await searched("/explain", **why),
    }
    assert {name: answer.status_code for name, answer in told.items()} == {
        "self-book": 201,
        "hold": 201,
        "waitlist": 201,
        "read": 200,
        "search": 200,
        "next": 200,
        "explain": 200,
    }
    # There is no slot a week later, and that is what a series is refused for.
    [(status, code)] = codes(await reception.post("/v1/appointments/series", series))
    assert (status, code) != (404, "PATIENT_NOT_FOUND")
    assert len(site.asked) == len(set(site.asked)) == 8


async def test_whom_nobody_knows_is_nobody(
    reception: Desk, site: RegistrySite, tenant: UUID
) -> None:
    stranger = uuid4()
    refused = await reception.book(await reception.a_slot(), str(stranger))
    assert codes(refused) == UNKNOWN
    assert codes(await reception.get(f"/v1/patients/{stranger}")) == UNKNOWN
    assert site.asked == [site.path(tenant, stranger)] * 2


async def test_who_is_inactive_here_is_not_asked_for(
    reception: Desk, site: RegistrySite, tenant: UUID
) -> None:
    patient = await reception.a_patient(active=False)
    site.knows(tenant, UUID(patient))
    assert codes(await reception.book(await reception.a_slot(), patient)) == UNKNOWN
    assert site.asked == []


async def test_a_patients_token_has_nobody_else_asked_for(
    reception: Desk, asking: Product, site: RegistrySite, tenant: UUID
) -> None:
    other = uuid4()
    site.knows(tenant, other)
    own = of_patient(reception, asking, tenant, uuid4())
    assert codes(await own.get(f"/v1/patients/{other}")) == UNKNOWN
    assert codes(await own.book(await reception.a_slot(), str(other))) == UNKNOWN
    assert site.asked == []


async def test_while_the_registry_is_away_the_same_is_asked_again_later(
    reception: Desk, site: RegistrySite, tenant: UUID
) -> None:
    patient, slot = uuid4(), await reception.a_slot()
    site.knows(tenant, patient)
    site.down = 500
    refused = await reception.book(slot, str(patient), key="later")
    assert codes(refused) == AWAY
    assert int(refused.headers["retry-after"]) > 0
    site.down = None
    booked = await reception.book(slot, str(patient), key="later")
    assert booked.status_code == 201, booked.text


async def test_whom_we_know_is_booked_for_while_the_registry_is_away(
    reception: Desk,
) -> None:
    """There is none at all here."""
    assert (await reception.book(await reception.a_slot())).status_code == 201


async def test_a_portals_wish_is_kept_for_whom_the_registry_knows(
    reception: Desk, asking: Product, site: RegistrySite, tenant: UUID
) -> None:
    """Also where the registry was away when it arrived: it is delivered again."""
    patient, stranger = uuid4(), uuid4()
    site.knows(tenant, patient)
    site.down = 500
    slot = await reception.a_slot()
    async with sending(asking.nats_url) as sender:
        for who in (patient, stranger):
            wish = {
                "requestId": str(uuid4()),
                "patientId": str(who),
                "slotId": slot["id"],
                "appointmentType": "consultation",
            }
            await sender.send(tenant, an_event("portal.appointment.requested", wish))
        await site.until_asked(4)
        site.down = None
    replies = {
        event["data"]["patientId"]: event["type"]
        for event in await _replies(asking, tenant, 2)
    }
    assert replies == {
        str(patient): "portal.appointment.accepted",
        str(stranger): "portal.appointment.rejected",
    }


async def test_figures_tell_of_it_and_nobody_tells_who_it_was(
    reception: Desk, asking: Product, site: RegistrySite, tenant: UUID
) -> None:
    patient = uuid4()
    site.knows(tenant, patient, a_document(patient, email="Marker@example.org"))
    assert (await reception.book(await reception.a_slot(), str(patient))).is_success
    site.knows(tenant, wrong := uuid4(), a_document(uuid4(), name="Marker"))
    refused = await reception.get(f"/v1/patients/{wrong}")
    assert codes(refused) == AWAY
    figures = (await reception.get("/metrics")).text
    assert 'scheduling_registry_requests_total{outcome="found"}' in figures
    assert 'scheduling_registry_requests_total{outcome="invalid"}' in figures
    events = json.dumps((await news(asking, tenant)).events)
    audit = str([dict(row) for row in await asking.audit(tenant)])
    assert str(patient) in events
    assert "registry" in audit
    for told in (events, audit, refused.text, figures, asking.logs()):
        assert "Marker" not in told


async def _replies(product: Product, tenant: UUID, count: int) -> list[Thing]:
    """Wait until the portal has been told so much."""
    question = (
        "SELECT body FROM outbox WHERE tenant_id = $1 AND subject LIKE '%.portal.%'"
    )
    async with asyncio.timeout(PATIENCE):
        while len(rows := await product.rows(question, tenant)) < count:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)
    return [json.loads(row["body"]) for row in rows]
