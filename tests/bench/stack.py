"""The product as a stranger starts it, for measuring: `scheduling dev`, empty."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from scheduling.adapters.tokens.issuer import open_dev_issuer
from scheduling.application.ports.identity import Scope
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the parts of a running product are."""

    data_dir: Path
    api_url: str
    database_url: str
    nats_url: str
    process: asyncio.subprocess.Process

    def token(self, tenant: UUID) -> str:
        issuer = open_dev_issuer(self.data_dir, prefix=DEV_ISSUER_PREFIX)
        return issuer.mint(tenant_id=tenant, scope=" ".join(Scope))


@asynccontextmanager
async def running_stack(data_dir: Path | None = None) -> AsyncIterator[Stack]:
    """Start it on free ports; stop it and, if the folder is ours, forget it."""
    folder = data_dir or Path(tempfile.mkdtemp(prefix="scheduling-bench-"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "scheduling", "dev", "--port", "0", "--no-demo"),
        *("--data-dir", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=sys.stderr
        if os.environ.get("BENCH_LOGS")
        else asyncio.subprocess.DEVNULL,
    )
    try:
        await _ready(process)
        told = json.loads((folder / "dev.json").read_text())
        yield Stack(
            folder, told["apiUrl"], told["databaseUrl"], told["natsUrl"], process
        )
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


async def _ready(process: asyncio.subprocess.Process) -> None:
    if process.stdout is None:
        raise RuntimeError("the product was started without a pipe to listen on")
    async for line in process.stdout:
        if line.startswith(b"ready "):
            return
    raise RuntimeError(f"the product did not start ({await process.wait()})")
