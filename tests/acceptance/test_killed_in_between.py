"""The API is killed while visits are held, booked, moved and checked in: a step is done
whole or not at all, and who asks again under the same key gets it done once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import httpx2

from tests.acceptance.desk import Desk, Thing, at
from tests.acceptance.product import Product, what_is_wrong
from tests.acceptance.visits import (
    BUSY,
    FREE,
    as_it_is,
    check_in,
    edit,
    hold,
    made,
    news,
    reschedule,
    slot_now,
)

STEPS = 5


async def until_done(
    ask: Callable[[], Awaitable[httpx2.Response]], status: int = 200
) -> Thing:
    """Ask again as it was, as clients are told to, until it is answered."""
    while True:
        try:
            answer = await ask()
        except httpx2.TransportError:
            continue
        code = answer.json().get("code")
        if code not in {"REQUEST_IN_PROGRESS", "SERVICE_UNAVAILABLE"}:
            return made(answer, status)


async def a_life(
    desk: Desk, old: Thing, new: Thing, patient: str, steps: "asyncio.Queue[str]"
) -> Thing:
    """Each step under a key of its own; who waits learns of each that is done."""
    key = old["id"]
    one = await until_done(lambda: hold(desk, old, patient, key=f"h{key}"), 201)
    steps.put_nowait("held")
    used = {"holdId": one["id"], "notes": "left-handed"}
    booked = await until_done(
        lambda: desk.book(old, patient, key=f"b{key}", **used), 201
    )
    steps.put_nowait("booked")
    moved = await until_done(lambda: reschedule(desk, booked, new, key=f"m{key}"))
    steps.put_nowait("moved")
    shorter = await until_done(
        lambda: edit(desk, moved, durationMinutes=20, key=f"e{key}")
    )
    steps.put_nowait("edited")
    arrived = await until_done(lambda: check_in(desk, shorter, key=f"a{key}"))
    steps.put_nowait("arrived")
    return arrived


async def test_each_step_is_done_once_whenever_the_api_is_killed(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    schedule = await desk.a_schedule()
    slots = [
        await desk.a_slot(at("00:00") + timedelta(minutes=30 * n), schedule=schedule)
        for n in range(24)
    ]
    pairs = list(zip(slots[:12], slots[12:], strict=True))
    patients = [await desk.a_patient() for _ in pairs]
    steps: asyncio.Queue[str] = asyncio.Queue()
    lives = [
        asyncio.create_task(a_life(desk, old, new, patient, steps))
        for (old, new), patient in zip(pairs, patients, strict=True)
    ]
    for _ in range(3):
        for _ in range(len(lives) * STEPS // 4):
            await steps.get()
        product.kill_api()
        product.start_api()
    visits = await asyncio.gather(*lives)

    told = await news(product, tenant)
    for visit, (old, new) in zip(visits, pairs, strict=True):
        assert await as_it_is(desk, visit) == visit
        assert (visit["status"], visit["version"]) == ("arrived", STEPS)
        assert visit["slotIds"] == [new["id"]]
        assert (await slot_now(desk, old), await slot_now(desk, new)) == (FREE, BUSY)
        assert told.types_of(visit) == [
            "appointment.created",
            *["appointment.updated"] * 3,
            "appointment.arrived",
            "checkin.completed",
        ]
    assert await product.count(tenant, "appointments") == len(visits)
    assert await product.count(tenant, "claims") == 2 * len(visits)
    stream = await product.in_stream(tenant)
    assert what_is_wrong(await product.committed(tenant), stream) == []
