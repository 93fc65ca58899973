"""How long the calendar takes in Chromium: to come, to draw a busy day, to be scrolled.

`.venv/bin/python -m tests.bench.calendar_page` prints it as a table for
docs/benchmarks.md. Beside what a watch says stands how long the page's main thread was
at work by its own clock, which other work on the machine does not lengthen as much.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from playwright.async_api import Browser, CDPSession, Page, Route

from tests.bench.report import this_machine
from tests.bench.stack import bench_folder, running_stack
from tests.browser.browsing import chromium, script_that_remembers

PRACTITIONERS = 20
LOADS = 7
FRAMES = 180
QUIET = 20
"""Seconds without another entry after which all are drawn"""

ENTRIES = "() => document.querySelectorAll('.ec-event').length"
SCROLL = """async frames => {
    const grid = document.querySelector('.ec-main')
    const took = []
    let last = performance.now()
    for (let at = 0; at < frames; at += 1) {
        if (at < frames / 2) grid.scrollTop += 40
        else { grid.scrollTop -= 20; grid.scrollLeft += 30 }
        await new Promise(resolve => requestAnimationFrame(resolve))
        const now = performance.now()
        took.push(now - last)
        last = now
    }
    return took.sort((one, other) => one - other)
}"""


@dataclass(frozen=True, slots=True)
class Busy:
    """A day of 20 practitioners: each visit is as long as each free time after it."""

    visits: int
    minutes: int
    begins: int
    free: bool

    def times(self) -> Iterator[tuple[int, datetime, datetime, bool]]:
        """Yield practitioner, start, end, and whether the time is free."""
        day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        begins = day + timedelta(days=1, hours=self.begins)
        length = timedelta(minutes=self.minutes)
        for practitioner in range(PRACTITIONERS):
            start = begins
            for _ in range(self.visits // PRACTITIONERS):
                yield practitioner, start, start + length, False
                start += length
                if self.free:
                    yield practitioner, start, start + length, True
                    start += length


DAYS = (
    Busy(visits=300, minutes=20, begins=7, free=True),
    Busy(visits=6000, minutes=4, begins=1, free=False),
)


def _id(number: int) -> str:
    return str(UUID(int=number + 1))


def _answer(day: Busy) -> dict[str, Any]:
    visits, slots = [], []
    for number, (who, start, end, free) in enumerate(day.times()):
        there = {
            "id": _id(number),
            "practitionerId": _id(who),
            "locationId": _id(0),
            "start": start.isoformat(),
            "end": end.isoformat(),
            "version": 1,
        }
        if free:
            seats = {"capacity": 1, "booked": 0, "remaining": 1, "status": "free"}
            told = {"scheduleId": _id(who), "serviceTypes": ["consultation"]}
            slots.append({**there, **seats, **told})
        else:
            names = {"patientName": f"Patient {number}", "practitionerName": str(who)}
            none = {"holdExpiresAt": None, "seriesId": None, "overbooked": False}
            told = {"appointmentType": "consultation", "status": "booked"}
            ids = {"patientId": _id(number), "slotIds": []}
            visits.append({**there, **names, **none, **told, **ids})
    date = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    days = [{"date": date, "appointments": visits, "slots": slots}]
    return {"timezone": "UTC", "from": date, "to": date, "days": days}


async def _page(browser: Browser, url: str) -> Page:
    context = await browser.new_context(
        base_url=url, viewport={"width": 1280, "height": 800}, timezone_id="UTC"
    )
    page = await context.new_page()
    await page.add_init_script(script_that_remembers("front-desk"))
    return page


async def _loading(browser: Browser, url: str) -> list[float]:
    """Return milliseconds from the address to the day's entries, nothing cached."""
    took = []
    for _ in range(LOADS + 1):
        page = await _page(browser, url)
        began = time.perf_counter()
        await page.goto("/calendar/", wait_until="commit")
        await page.locator(".ec-event").first.wait_for(timeout=60_000)
        took.append((time.perf_counter() - began) * 1000)
        await page.context.close()
    return took[1:]


async def _worked(session: CDPSession) -> float:
    """Return the milliseconds that the main thread has worked so far."""
    told = await session.send("Performance.getMetrics")
    return 1000 * next(
        float(one["value"]) for one in told["metrics"] if one["name"] == "TaskDuration"
    )


async def _busy(browser: Browser, url: str, day: Busy) -> str:
    page = await _page(browser, url)
    people = [
        {"id": _id(who), "name": f"Dr. Number {who}", "active": True}
        for who in range(PRACTITIONERS)
    ]
    answer = _answer(day)

    async def practitioners(route: Route) -> None:
        await route.fulfill(json={"items": people, "nextCursor": None})

    async def calendar(route: Route) -> None:
        await route.fulfill(json=answer)

    await page.route("**/v1/practitioners?*", practitioners)
    await page.route("**/v1/calendar?*", calendar)
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    await page.goto(f"/calendar/#/waitlist?date={tomorrow}")
    await page.get_by_role("heading", level=1).wait_for()
    before = await _worked(session)
    began = time.perf_counter()
    await page.get_by_role("link", name="Day", exact=True).click()
    await page.locator(".ec-event").first.wait_for(timeout=120_000)
    first, at_first = await _worked(session), (time.perf_counter() - began) * 1000
    entries, still = 0, 0
    while still < QUIET:
        await asyncio.sleep(1)
        now = await page.evaluate(ENTRIES)
        entries, still = now, still + 1 if now == entries else 0
    drawn = await _worked(session)
    frames = await page.evaluate(SCROLL, FRAMES)
    scrolled = await _worked(session)
    await page.context.close()
    return (
        f"| {day.visits} visits{' and as many free times' if day.free else ''} "
        f"| {at_first:.0f} ms ({first - before:.0f} ms) | {drawn - before:.0f} ms "
        f"| {frames[FRAMES // 2]:.1f} / {frames[FRAMES * 95 // 100]:.1f} / "
        f"{frames[-1]:.1f} ms | {(scrolled - drawn) / FRAMES:.1f} ms |"
    )


async def main() -> None:
    with bench_folder() as folder:
        async with running_stack(folder, demo=True) as stack, chromium() as browser:
            url = stack.api_url
            loads = await _loading(browser, url)
            lines = [await _busy(browser, url, day) for day in DAYS]
    for name, value in this_machine().items():
        print(f"- {name}: {value}")  # noqa: T201
    print(  # noqa: T201
        "\nDemo data, address to entries, nothing cached: median "
        f"{median(loads):.0f} ms of {LOADS} (worst {max(loads):.0f} ms)\n\n"
        f"| a day of {PRACTITIONERS} practitioners | first entries (work) "
        "| work until all are drawn | scrolled: frames p50 / p95 / worst "
        "| work a frame |\n|---|---|---|---|---|"
    )
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
