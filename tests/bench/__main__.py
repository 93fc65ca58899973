"""`make bench`: measure against the references and write docs/benchmarks.md.

`ARGS="s1 s5"` measures only these and prints them; `--quick` is for trying.
"""

import asyncio
import sys

from tests.bench import (
    report,
    s1_booking,
    s2_availability,
    s3_calendar,
    s4_relay,
    s5_latency,
    s6_generation,
    s8_reminders,
    s11_start,
)
from tests.bench.report import Result
from tests.bench.stack import bench_folder

ALL = ("s1", "s2", "s3", "s4", "s5", "s6", "s8", "s11")


async def _measure(name: str, *, quick: bool) -> list[Result]:
    with bench_folder() as folder:
        match name:
            case "s1":
                rounds, seconds = (5, 2) if quick else (11, 3)
                one = await s1_booking.measure(folder, rounds=rounds, seconds=seconds)
            case "s2":
                one = await s2_availability.measure(folder, rounds=3 if quick else 7)
            case "s3":
                one = await s3_calendar.measure(folder, rounds=3 if quick else 7)
            case "s4":
                events = 40_000 if quick else 200_000
                one = await s4_relay.measure(folder, events=events)
            case "s5":
                bookings = 200 if quick else 1000
                one = await s5_latency.measure(folder, bookings=bookings)
            case "s8":
                due = 20_000 if quick else 100_000
                one = await s8_reminders.measure(folder, reminders=due)
            case "s6" | "s7":
                roles, rounds = (40, 1) if quick else (200, 3)
                return await s6_generation.measure(folder, roles=roles, rounds=rounds)
            case "s11":
                return await s11_start.measure(folder, starts=2 if quick else 5)
            case _:
                raise SystemExit(
                    f"no benchmark is called {name}; there are {', '.join(ALL)}"
                )
    return [one]


def main() -> None:
    asked = [word.lower() for word in sys.argv[1:] if not word.startswith("-")]
    quick = "--quick" in sys.argv
    results: list[Result] = []
    for name in asked or ALL:
        print(f"measuring {name} …", file=sys.stderr, flush=True)  # noqa: T201
        results += asyncio.run(_measure(name, quick=quick))
    for result in results:
        print(f"{result.id}: {result.ours}; {result.value:.2f} {result.unit}", end=" ")  # noqa: T201
        print(f"({result.verdict}; reference {result.reference}) {result.remark}")  # noqa: T201
    if not asked and not quick:
        report.write(results)


if __name__ == "__main__":
    main()
