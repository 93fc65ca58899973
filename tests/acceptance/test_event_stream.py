"""What is committed is told to whoever follows the stream of the API."""

import asyncio
import json
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, at, codes
from tests.acceptance.listening import PATH, Block, Listener, listening
from tests.acceptance.product import Product

OF_A_SCHEDULE = 2
"""Events of a slot with a schedule of its own: that was published, this was opened."""


def types(blocks: list[Block]) -> list[str]:
    return [block["event"] for block in blocks]


async def test_a_booking_is_told_as_its_cloudevent_byte_for_byte(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    async with asyncio.timeout(60), listening(desk) as listener:
        appointment = await desk.booked()
        told = await listener.events(OF_A_SCHEDULE + 1)
        answer = listener.answer
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    stored = await product.events(tenant)
    assert [block["data"].encode() for block in told] == [m.data for m in stored]
    [created] = [b for b in told if b["event"] == "appointment.created"]
    assert created.event["subject"] == appointment["id"]
    assert created.event["type"] == "appointment.created"


async def test_who_comes_back_with_the_last_id_misses_nothing_and_hears_nothing_twice(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    heard: list[Block] = []
    async with asyncio.timeout(60):
        async with listening(desk) as listener:
            # Before the first event there is a position already.
            last = listener.last_id
        for _ in range(3):
            await desk.booked()
            async with listening(desk, after=last) as listener:
                heard += await listener.events(2)
                last = listener.last_id
        stored = await product.events(tenant)
        async with listening(desk, after=last) as listener:
            heard += await listener.events(len(stored) - len(heard))
    assert [block["data"].encode() for block in heard] == [m.data for m in stored]
    assert len({block["id"] for block in heard}) == len(heard)


async def test_a_stream_may_be_narrowed_to_locations_and_practitioners(
    desk: Desk,
) -> None:
    ana, rui = await desk.a_practitioner(), await desk.a_practitioner()
    north, south = await desk.a_location(), await desk.a_location()
    async with (
        asyncio.timeout(60),
        listening(desk, practitionerId=ana) as of_ana,
        listening(desk, locationId=north) as in_north,
        listening(desk, locationId=north, practitionerId=ana) as of_ana_in_north,
        listening(desk, locationId=[north, south]) as everywhere,
        listening(desk, locationId=str(uuid4())) as nowhere,
        listening(desk) as everything,
    ):
        hour = 9
        places = [(ana, north), (ana, south), (rui, north), (rui, south)]
        for practitioner, location in places:
            schedule = await desk.a_schedule(practitioner, location)
            await desk.a_slot(at(f"{hour:02}:00"), schedule=schedule)
            hour += 1

        async def places_told(listener: Listener, count: int) -> set[tuple[str, str]]:
            told = [b.event["data"] for b in await listener.events(count)]
            return {(one["practitionerId"], one["locationId"]) for one in told}

        assert await places_told(everything, 8) == set(places)
        assert await places_told(everywhere, 8) == set(places)
        assert await places_told(of_ana, 4) == set(places[:2])
        assert await places_told(in_north, 4) == {places[0], places[2]}
        assert await places_told(of_ana_in_north, 2) == {places[0]}
        assert nowhere.last_id


async def test_another_tenants_events_are_never_told(desk: Desk, token: Token) -> None:
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    async with (
        asyncio.timeout(60),
        listening(desk) as ours,
        listening(stranger) as theirs,
    ):
        await stranger.a_slot()
        await desk.a_slot()
        told = await ours.events(OF_A_SCHEDULE)
        told_them = await theirs.events(OF_A_SCHEDULE)
        async with listening(desk, after=theirs.last_id) as again:
            await desk.a_slot()
            told += await again.events(1)
    tenants = {block.event["tenantid"] for block in told}
    assert len(tenants) == 1
    assert tenants.isdisjoint({block.event["tenantid"] for block in told_them})


async def test_only_staff_who_may_read_follow_the_stream(
    desk: Desk, token: Token
) -> None:
    patient = Desk(desk.http, token(patient_id=uuid4()))
    clerk = Desk(desk.http, token(scope="scheduling:book"))
    nobody = Desk(desk.http, "x")
    answers = [await one.get(PATH) for one in (patient, clerk, nobody)]
    assert codes(*answers) == [
        (403, "FORBIDDEN"),
        (403, "FORBIDDEN"),
        (401, "UNAUTHENTICATED"),
    ]
    assert "patient's own token" in answers[0].json()["detail"]


@pytest.mark.parametrize(
    "nonsense", ["7", "x-1", "1-", "1-2-3", "-1", "1-00", "a" * 99]
)
async def test_a_last_event_id_that_we_never_gave_is_refused(
    desk: Desk, nonsense: str
) -> None:
    answer = await desk.get(PATH, headers={"Last-Event-ID": nonsense})
    assert codes(answer) == [(422, "VALIDATION_FAILED")]
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


@pytest.mark.parametrize("asked", [{"locationId": "x"}, {"location": str(uuid4())}])
async def test_a_filter_that_we_do_not_know_is_refused(
    desk: Desk, asked: dict[str, str]
) -> None:
    answer = await desk.get(PATH, params=asked)
    assert codes(answer) == [(422, "VALIDATION_FAILED")]


async def test_who_missed_what_is_not_kept_is_told_to_load_anew(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.token}", "Last-Event-ID": "1-1"}
    async with (
        asyncio.timeout(60),
        desk.http.stream("GET", PATH, headers=headers) as answer,
    ):
        listener = Listener(answer)
        first = await listener.block()
        await desk.a_slot()
        after = await listener.events(OF_A_SCHEDULE)
    assert first["event"] == "reset"
    assert json.loads(first["data"]) == {"reason": "position-not-kept"}
    # Of two things: which is told first is nobody's promise.
    assert sorted(types(after)) == ["schedule.published", "slot.opened"]


async def test_asked_for_its_head_the_stream_is_over_at_once(desk: Desk) -> None:
    answer = await desk.ask("HEAD", PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"


async def test_streams_are_neither_requests_in_flight_nor_slow_ones(
    desk: Desk, http: httpx2.AsyncClient
) -> None:
    async with listening(desk):
        during = (await http.get("/metrics")).text
    assert "scheduling_http_requests_in_flight 0.0" in during
    assert "scheduling_event_streams_open 0.0" not in during
    after = (await http.get("/metrics")).text
    assert f'requests_total{{method="GET",route="{PATH}",status="200"}}' in after
    assert not [
        line
        for line in after.splitlines()
        if line.startswith("scheduling_http_request_seconds_count")
        and PATH in line
        and not line.endswith(" 0.0")
    ]
