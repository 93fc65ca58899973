"""Retries under an Idempotency-Key: done once, answered alike."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, codes
from tests.acceptance.product import Product


def same(first: httpx2.Response, again: httpx2.Response) -> None:
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert again.status_code == first.status_code
    assert again.content == first.content
    for header in ("etag", "location", "content-type"):
        assert again.headers.get(header) == first.headers.get(header)


async def test_a_retry_gets_the_same_answer_byte_for_byte(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, patient, key = await desk.a_slot(), await desk.a_patient(), str(uuid4())
    first = await desk.book(slot, patient, key=key)
    for _ in range(3):
        same(first, await desk.book(slot, patient, key=key))
    assert await product.count(tenant, "appointments") == 1
    told = [e.subject for e in await product.events(tenant)]
    assert told.count(f"scheduling.{tenant}.appointment.created") == 1


async def test_a_retry_after_things_moved_on_gets_the_answer_of_then(
    desk: Desk,
) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    first = await desk.book(slot, patient, key="book")
    cancelled = await desk.cancel(first.json(), key="cancel")
    assert cancelled.status_code == 200
    same(first, await desk.book(slot, patient, key="book"))
    same(cancelled, await desk.cancel(first.json(), key="cancel"))


async def test_puts_and_other_posts_are_done_once_too(desk: Desk) -> None:
    path, body = f"/v1/patients/{uuid4()}", {"name": "Maria Silva"}
    same(await desk.put(path, body, key="put"), await desk.put(path, body, key="put"))
    schedule = await desk.a_schedule()
    wish = {"practitionerId": schedule["practitionerId"]}
    wish["locationId"] = schedule["locationId"]
    first = await desk.post("/v1/schedules", wish, key="post")
    same(first, await desk.post("/v1/schedules", wish, key="post"))


async def test_another_request_under_the_key_is_refused(desk: Desk) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    first = await desk.book(slot, patient, key="k")
    assert first.status_code == 201
    other_body = await desk.book(slot, patient, key="k", reason="another")
    other_path = await desk.put(f"/v1/patients/{patient}", {"name": "M"}, key="k")
    assert codes(other_body, other_path) == [(422, "IDEMPOTENCY_KEY_REUSED")] * 2


async def test_keys_belong_to_a_caller_of_a_tenant(desk: Desk, token: Token) -> None:
    slot, patient = await desk.a_slot(capacity=2), await desk.a_patient()
    mine = await desk.book(slot, patient, key="k")
    colleague = Desk(desk.http, token(subject="colleague"))
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    theirs = await colleague.book(slot, await colleague.a_patient(), key="k")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    foreign = await stranger.book(slot, patient, key="k")
    assert codes(foreign) == [(404, "PATIENT_NOT_FOUND")]


async def test_parallel_duplicates_make_one_thing(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(capacity=50), await desk.a_patient()
    answers = await asyncio.gather(
        *(desk.book(slot, patient, key="k") for _ in range(20))
    )
    done = [a for a in answers if a.status_code == 201]
    refused = [a for a in answers if a.status_code != 201]
    assert set(codes(*refused)) <= {(409, "REQUEST_IN_PROGRESS")}
    assert all(a.headers["retry-after"] == "1" for a in refused)
    assert Counter(a.headers.get("idempotency-replayed") for a in done)[None] == 1
    assert len({a.content for a in done}) == 1
    assert await product.count(tenant, "appointments") == 1


async def test_a_refusal_is_not_kept_as_if_it_were_an_answer(desk: Desk) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    standing = await desk.booked(slot)
    assert codes(await desk.book(slot, patient, key="k")) == [
        (409, "SLOT_NOT_AVAILABLE")
    ]
    invalid = await desk.book(slot, patient, key="k", appointmentType="")
    assert codes(invalid) == [(422, "VALIDATION_FAILED")]
    await desk.cancel(standing)
    later = await desk.book(slot, patient, key="k")
    assert later.status_code == 201
    assert "idempotency-replayed" not in later.headers


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_a_key_that_is_none_is_refused(desk: Desk, key: str) -> None:
    answer = await desk.put("/v1/settings", {}, key=key)
    assert codes(answer) == [(422, "VALIDATION_FAILED")]
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_a_retry_after_the_api_was_killed_gets_the_same_answer(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = [await desk.a_slot() for _ in range(8)]
    patients = [await desk.a_patient() for _ in slots]

    async def until_answered(number: int) -> httpx2.Response:
        """Ask again under the same key, as clients are told to."""
        while True:
            try:
                answer = await desk.book(
                    slots[number], patients[number], key=f"k{number}"
                )
            except httpx2.TransportError:
                continue
            if answer.status_code not in {409, 503}:
                return answer

    first = await until_answered(0)
    asked = [asyncio.create_task(until_answered(n)) for n in range(1, len(slots))]
    await asyncio.sleep(0)  # they are on their way
    product.kill_api()
    product.start_api()
    answers = [first, *(await asyncio.gather(*asked))]
    assert {a.status_code for a in answers} == {201}
    for number, answer in enumerate(answers):
        again = await until_answered(number)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.content == answer.content
    assert await product.count(tenant, "appointments") == len(slots)
