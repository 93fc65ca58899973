"""P16: no tenant sees another, even where code forgets the filter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID, uuid4

import asyncpg
import httpx2

from tests.acceptance.desk import Desk
from tests.chaos.checks.tenants import (
    digest,
    empty_tables,
    seen_without_asking,
    tables_of,
)
from tests.chaos.every_operation import Id, Operation, every_operation
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage
from tests.chaos.whole_clinic import WholeClinic, notified, open_whole_clinic

READS = ("/preview", "/search")


async def run(setting: Setting) -> Outcome:
    rounds = 150 if setting.full else 1
    async with (
        a_stage(
            setting.folder, servers=setting.servers, apis=1, relays=1, inboxes=1
        ) as stage,
        httpx2.AsyncClient(base_url=stage.url(), timeout=60) as http,
    ):
        look = await _prepared(stage, http, setting.seed)
        before = await digest(stage.servers.superuser_url, look.clinic.tenant)
        for _ in range(rounds):
            await look.as_a_stranger()
        await look.without_scopes()
        failures = look.found
        after = await digest(stage.servers.superuser_url, look.clinic.tenant)
        failures += [f"{t} has changed" for t in before if before[t] != after[t]]
        statements, seen = await _by_sql(stage, look.clinic)
        failures += seen
        bare = await empty_tables(stage.servers.superuser_url, look.clinic.tenant)
        control = await _control(stage, look)
    return Outcome(
        trials=look.asked + statements,
        failures=failures,
        counts={
            "operations": len(look.operations),
            "requests with another's ids": look.asked,
            "statements without a filter": statements,
            "tables": len(before),
        },
        control=control,
        remark=f"Without a row of the tenant's, and so not shown: {', '.join(bare)}.",
    )


async def _prepared(stage: Stage, http: httpx2.AsyncClient, seed: int) -> "Look":
    tenant, mark = uuid4(), f"Zq{uuid4().hex[:12]}"
    desk = Desk(http, stage.token(tenant))
    clinic = await open_whole_clinic(desk, tenant, mark)
    url = stage.servers.superuser_url
    ids = {**clinic.ids, "notifications": await notified(url, clinic)}
    # What it still has to do would look like somebody's change.
    await stage.running["inbox-1"].stop()
    clinic = WholeClinic(tenant, ids, clinic.visit)
    chance = Random(seed)  # noqa: S311  # told
    return Look(stage, http, clinic, mark, await every_operation(http), chance)


@dataclass
class Look:
    """Somebody of another tenant, or without scopes, who tries all there is."""

    stage: Stage
    http: httpx2.AsyncClient
    clinic: WholeClinic
    mark: str
    operations: Sequence[Operation]
    chance: Random
    asked: int = 0
    found: list[str] = field(default_factory=list)

    async def as_a_stranger(self, tenant: UUID | None = None) -> None:
        """Ask for each thing, and for one that is nowhere: the answers are alike. By
        default as a tenant that was never here before.
        """
        desk = Desk(self.http, self.stage.token(tenant or uuid4()))
        # Whoever asks for what is nowhere must not be in the way of the other.
        nobody = Desk(self.http, self.stage.token(uuid4()))
        for one in self.chance.sample(self.operations, len(self.operations)):
            if one.method != "PUT":
                await self._ask_twice(one, desk, nobody)
        # These make things of the stranger's own under another's ids.
        for one in self.operations:
            if one.method == "PUT":
                await self._ask_twice(one, desk, nobody)

    async def without_scopes(self) -> None:
        """As the tenant's own people, who may do nothing, or only read."""
        for scope in ("", "scheduling:read"):
            token = self.stage.issuer.mint(tenant_id=self.clinic.tenant, scope=scope)
            desk = Desk(self.http, token)
            for one in self.operations:
                if scope and (one.method == "GET" or one.path.endswith(READS)):
                    continue
                self.asked += 1
                answer = await one.asked(desk, self._theirs(set()), self.mark)
                if answer.status_code != 403:
                    self.found.append(
                        f"{one.name} with scope {scope!r}: {answer.status_code}"
                    )

    async def _ask_twice(self, one: Operation, desk: Desk, nobody: Desk) -> None:
        sent: set[str] = set()
        nowhere: dict[str, str] = {}

        def unknown(kind: str) -> str:
            return nowhere.setdefault(self.clinic.of(kind), str(uuid4()))

        missing = await one.asked(nobody, unknown, f"Zq{uuid4().hex[:12]}")
        foreign = await one.asked(desk, self._theirs(sent), self.mark)
        self.asked += 1
        text = foreign.text
        told = [id for id in self.clinic.ids.values() if id in text and id not in sent]
        if told or self.mark in text:
            self.found.append(f"{one.name} told a stranger {told or self.mark}")
        if foreign.status_code >= 500:
            self.found.append(f"{one.name} was answered {foreign.status_code}")
        expected = missing.text
        for theirs, ours in nowhere.items():
            expected = expected.replace(ours, theirs)
        alike = foreign.status_code == missing.status_code and (
            foreign.status_code < 400 or text == expected
        )
        if not alike:
            self.found.append(
                f"{one.name} told another's {foreign.status_code} from nobody's"
                f" {missing.status_code}"
            )

    def _theirs(self, sent: set[str]) -> Id:
        def give(kind: str) -> str:
            sent.add(self.clinic.of(kind))
            return self.clinic.of(kind)

        return give


async def _by_sql(stage: Stage, clinic: WholeClinic) -> tuple[int, list[str]]:
    return await seen_without_asking(
        stage.servers.database_url, clinic.tenant, other=uuid4()
    )


async def _control(stage: Stage, look: Look) -> Outcome:
    """Take row security away; and let the stranger come with the tenant's own token,
    as if nobody told tenants apart. Each of the two looks must find something.
    """
    connection = await asyncpg.connect(stage.servers.superuser_url)
    try:
        for table in await tables_of(connection):
            await connection.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    finally:
        await connection.close()
    statements, seen = await _by_sql(stage, look.clinic)
    again = Look(
        look.stage, look.http, look.clinic, look.mark, look.operations, look.chance
    )
    await again.as_a_stranger(look.clinic.tenant)
    return Outcome(
        trials=again.asked + statements,
        failures=[*seen, *again.found] if seen and again.found else [],
    )


EXPERIMENT = Experiment(
    id="P16",
    promise="no tenant sees another, even if code forgets the filter",
    broken="row security off; a token of the other tenant's",
    run=run,
    short="tests/acceptance/test_isolation.py, tests/acceptance/test_every_door.py,"
    " tests/integration/test_row_security_of_repositories.py",
)
