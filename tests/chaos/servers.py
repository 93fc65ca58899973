"""The two servers that an experiment stands on: its own, or somebody's."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.postgres import DATABASE, EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Servers:
    """`database_url` is the service's login, `superuser_url` for the same database:
    checkers and breakers see all rows and may change what the product may not.
    """

    database_url: str
    superuser_url: str
    nats_url: str


@dataclass(frozen=True, slots=True)
class OwnServers:
    """Of the wheels, durable, with all that they keep below one folder."""

    postgres: EmbeddedPostgres
    nats: EmbeddedNats

    @classmethod
    def below(cls, folder: Path) -> "OwnServers":
        for name in ("postgres", "nats"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name).chmod(0o755)
        return cls(
            EmbeddedPostgres(data_dir=folder / "postgres", port=free_port()),
            EmbeddedNats(data_dir=folder / "nats", port=free_port()),
        )

    @property
    def urls(self) -> Servers:
        parts = urlsplit(self.postgres.superuser_url)
        superuser = urlunsplit((*parts[:2], f"/{DATABASE}", "", ""))
        return Servers(self.postgres.database_url, superuser, self.nats.url)
