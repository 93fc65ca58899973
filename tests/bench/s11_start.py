"""S11: how long a warm start takes, and what an API process keeps in memory."""

import json
import sys
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from tests.bench.report import Result
from tests.bench.stack import Stack, running_stack

REQUESTS = 500


async def measure(folder: Path, *, starts: int = 5) -> list[Result]:
    """The first start makes the cluster and the demo clinic; it is not counted."""
    async with running_stack(folder, demo=True):
        pass
    seconds: list[float] = []
    memory: list[float] = []
    for _ in range(starts):
        began = time.perf_counter()
        async with running_stack(folder, demo=True) as stack:
            seconds.append(time.perf_counter() - began)
            await _use(stack)
            memory.append(_resident_mib(_api_process(stack.process.pid)))
    return [
        Result(
            id="S11",
            work="`scheduling dev` warm start to `ready`, with the demo clinic",
            ours=f"{median(seconds):.1f} s (worst {max(seconds):.1f} s)",
            reference="-",
            value=median(seconds),
            bar=6,
            aim=3,
            unit="s",
            at_most=True,
            raw={"seconds": seconds},
        ),
        Result(
            id="S11",
            work=f"memory of the API process after {REQUESTS} requests",
            ours=f"{median(memory):.0f} MiB",
            reference="-",
            value=median(memory),
            bar=130,
            aim=130,
            unit="MiB",
            at_most=True,
            raw={"mib": memory},
        ),
    ]


async def _use(stack: Stack) -> None:
    place = urlsplit(stack.api_url)
    tenant = json.loads((stack.data_dir / "dev.json").read_text())["tenantId"]
    request = json.dumps(
        "GET /v1/settings HTTP/1.1\r\n"
        f"Host: {place.netloc}\r\n"
        f"Authorization: Bearer {stack.token(tenant)}\r\n\r\n"
    )
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.http_load"),
        *(str(place.hostname), str(place.port), "16", "30"),
        stdin=PIPE,
        stdout=PIPE,
    )
    out, _ = await process.communicate("\n".join([request] * REQUESTS).encode())
    if json.loads(out)["statuses"] != {"200": REQUESTS}:
        raise RuntimeError(f"the API did not answer: {out.decode()}")


def _api_process(supervisor: int) -> int:
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text()
    return next(
        int(pid)
        for pid in children.split()
        if "\0api\0" in Path(f"/proc/{pid}/cmdline").read_text()
    )


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} tells no resident size")
