"""The judges themselves: they see what is wrong, and know nothing of the product."""

import ast
import json
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from tests.chaos import report
from tests.chaos.checks.acknowledged import acknowledged
from tests.chaos.checks.added import lost_updates
from tests.chaos.checks.held import held, held_by_two
from tests.chaos.checks.once import once
from tests.chaos.checks.overlaps import overlaps
from tests.chaos.clinic import QUARTER, Clinic, open_clinic
from tests.chaos.ledger import Entry, Ledger, entries
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.servers import Servers

NINE, TEN = "2030-01-07T09:00:00Z", "2030-01-07T10:00:00Z"
HALF_PAST = "2030-01-07T09:30:00Z"


def booked(id: str, at: float, *, practitioner: str = "p", **more: str) -> Entry:
    told = {"id": id, "start": NINE, "end": TEN, "practitionerId": practitioner}
    return Entry(
        number=0,
        kind="book",
        said={"patient": more.get("patient", id), "room": more.get("room")},
        asked_at=at - 0.5,
        ended_at=at,
        status=201,
        told=told,
    )


def step(kind: str, id: str, at: float, status: int | None = 200, **told: str) -> Entry:
    ended = float("inf") if status is None else at + 0.5
    return Entry(0, kind, {"id": id}, at, ended, status, {"id": id, **told})


def moved(id: str, at: float, *, start: str = TEN) -> Entry:
    end = "2030-01-07T11:00:00Z"
    return step("move", id, at, start=start, end=end, practitionerId="p")


def test_two_who_hold_one_practitioner_at_one_moment_are_seen() -> None:
    assert held_by_two([booked("a", 1), booked("b", 2)]) == ["p was held by two: a, b"]


def test_two_who_hold_one_patient_or_room_at_one_moment_are_seen() -> None:
    same = [
        booked("a", 1, patient="x", room="r"),
        booked("b", 2, practitioner="q", patient="x", room="r"),
    ]
    assert held_by_two(same) == ["r was held by two: a, b", "x was held by two: a, b"]


def test_who_comes_after_another_has_left_is_no_second() -> None:
    left = [booked("a", 1), step("cancel", "a", 2), booked("b", 4)]
    assert held_by_two(left) == []
    assert held_by_two([booked("a", 1), moved("a", 2), booked("b", 4)]) == []


def test_what_may_have_been_cancelled_is_not_held_for_certain() -> None:
    assert (
        held_by_two([booked("a", 1), step("cancel", "a", 2, None), booked("b", 3)])
        == []
    )


def test_a_move_that_was_refused_leaves_its_visit_where_it_was() -> None:
    refused = step("move", "a", 2, 409, code="NEW_SLOT_NOT_AVAILABLE")
    seen = [booked("a", 1), refused, booked("b", 4)]
    assert held_by_two(seen) == ["p was held by two: a, b"]
    assert [(one.since, one.until) for one in held([booked("a", 1), refused])] == [
        (1, 2),
        (2.5, float("inf")),
    ]


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    first, second = ledger.asked("book", key="k"), ledger.asked("book", key="l")
    third = ledger.asked("book", key="m")
    ledger.answered(first, 201, id="a")
    ledger.silent(second, "it broke")
    ledger.close()
    with (tmp_path / "ledger").open("a") as file:
        file.write('{"answered": 3, "sta')  # the writer died
    one, two, three = entries(tmp_path / "ledger")
    assert (one.status, one.told, one.done, one.ambiguous) == (
        *(201, {"id": "a"}, True, False),
    )
    assert (two.status, two.ambiguous, two.said) == (None, True, {"key": "l"})
    assert (three.number, three.ambiguous) == (third, True)


@pytest.fixture
async def clinic(servers: Servers) -> Clinic:
    return await open_clinic(
        servers.superuser_url, practitioners=2, patients=2, slots=4
    )


async def put_visit(
    servers: Servers, clinic: Clinic, *, patient: int = 0, practitioner: int = 0,
    version: int = 1, claims: bool = True, notes: str | None = None,
) -> str:  # fmt: skip
    """Put a visit of the first slot into the tables, whether it may be there or not."""
    id, tenant = str(uuid4()), clinic.tenant
    of, by = clinic.patients[patient], clinic.practitioners[practitioner]
    slot, start = clinic.slots[by][0], clinic.start(0)
    connection = await asyncpg.connect(servers.superuser_url)
    try:
        await connection.execute(
            "INSERT INTO appointments (tenant_id, id, patient_id, practitioner_id,"
            " location_id, schedule_id, slot_ids, starts_at, ends_at, timezone,"
            " appointment_type, status, resources, overbooked, created_at, updated_at,"
            " version, notes) SELECT $1, $2, $3, $4, $5, schedule_id, ARRAY[id], $7,"
            " $8, 'UTC', 'x', 'booked', '[]', false, now(), now(), $9, $10"
            " FROM slots WHERE tenant_id = $1 AND id = $6",
            *(tenant, id, of, by, clinic.location, slot),
            *(start, start + QUARTER, version, notes),
        )
        await connection.execute(
            "UPDATE slots SET booked = booked + 1 WHERE tenant_id = $1 AND id = $2",
            *(tenant, slot),
        )
        for kind, actor in ((1, by), (2, of)) if claims else ():
            await connection.execute(
                "INSERT INTO claims (tenant_id, appointment_id, actor_kind, actor_id,"
                " share_id, starts_at, ends_at, until, taken, overbooked) VALUES"
                " ($1, $2, $3, $4, $2, $5, $6, $6, tstzrange($5, $6), false)",
                *(tenant, id, kind, actor, start, start + QUARTER),
            )
    finally:
        await connection.close()
    return id


async def without_the_last_word(servers: Servers) -> None:
    connection = await asyncpg.connect(servers.superuser_url)
    await connection.execute("ALTER TABLE claims DROP CONSTRAINT ex_claims_no_overlap")
    await connection.close()


async def test_visits_and_claims_that_overlap_are_seen(
    servers: Servers, clinic: Clinic
) -> None:
    await put_visit(servers, clinic)
    assert await overlaps(servers.superuser_url, clinic.tenant) == []
    await without_the_last_word(servers)
    await put_visit(servers, clinic, practitioner=1)
    found = await overlaps(servers.superuser_url, clinic.tenant)
    assert [words.split()[0] for words in found] == ["claims", "visits"]


async def test_a_visit_without_its_claims_and_a_full_slot_are_seen(
    servers: Servers, clinic: Clinic
) -> None:
    first = await put_visit(servers, clinic, claims=False)
    found = await overlaps(servers.superuser_url, clinic.tenant)
    assert found == [f"visit {first} is booked, and its claims are others"]
    await put_visit(servers, clinic, patient=1, claims=False)
    found = await overlaps(servers.superuser_url, clinic.tenant)
    assert any("counts 2, holds 2" in words for words in found)


def acknowledgement(clinic: Clinic, id: str, version: int = 1) -> Entry:
    start = clinic.start(0)
    told = {"id": id, "version": version, "status": "booked", "code": None}
    told |= {"start": start.isoformat(), "end": (start + QUARTER).isoformat()}
    return Entry(1, "book", {"key": id}, 1, 2, 201, told)


async def test_what_was_acknowledged_and_is_lost_or_older_is_seen(
    servers: Servers, clinic: Clinic
) -> None:
    id, url = await put_visit(servers, clinic), servers.superuser_url
    kept = acknowledgement(clinic, id)
    assert await acknowledged(url, clinic.tenant, [kept]) == []
    gone = acknowledgement(clinic, str(uuid4()))
    assert len(await acknowledged(url, clinic.tenant, [kept, gone])) == 1
    older = acknowledgement(clinic, id, version=2)
    assert await acknowledged(url, clinic.tenant, [older]) == [
        f"{id} was version 2 and is 1"
    ]


async def test_what_nobody_asked_for_is_seen_and_an_open_booking_explains_one(
    servers: Servers, clinic: Clinic
) -> None:
    await put_visit(servers, clinic)
    url = servers.superuser_url
    assert len(await acknowledged(url, clinic.tenant, [])) == 1
    never = Entry(1, "book", {"key": "k"}, 1)
    assert await acknowledged(url, clinic.tenant, [never]) == []
    refused = Entry(2, "book", {"key": "k"}, 3, 4, 409, {"code": "SLOT_NOT_AVAILABLE"})
    assert len(await acknowledged(url, clinic.tenant, [never, refused])) == 1


async def test_a_number_that_misses_an_addition_is_seen(
    servers: Servers, clinic: Clinic
) -> None:
    id = await put_visit(servers, clinic, version=2, notes="1")

    def add(base: int, status: int | None) -> Entry:
        return Entry(1, "a", {"thing": id, "base": base, "number": 1}, 1, 2, status)

    async def judged(*writes: Entry) -> list[str]:
        return await lost_updates(servers.superuser_url, clinic.tenant, writes)

    assert await judged(add(1, 200), add(1, 412)) == []
    assert await judged(add(1, None)) == []
    assert len(await judged(add(1, 200), add(1, 200))) == 2
    assert await judged(add(1, 412)) != []


async def test_what_was_done_twice_under_one_key_is_seen(
    servers: Servers, clinic: Clinic
) -> None:
    await put_visit(servers, clinic, claims=False)
    patient = clinic.patients[0]

    def answer(digest: str, *, replayed: bool) -> Entry:
        told = {"digest": digest, "replayed": replayed}
        return Entry(1, "book", {"key": "k", "patient": patient}, 1, 2, 201, told)

    async def judged(*answers: Entry) -> list[str]:
        found = await once(servers.superuser_url, clinic.tenant, answers)
        return [words for words in found if not words.startswith("news")]

    first, again = answer("x", replayed=False), answer("x", replayed=True)
    assert await judged(first, again) == []
    assert await judged(first, first) == ["k was done anew for a second time"]
    assert await judged(first, answer("y", replayed=True)) == [
        "k was answered in different words, or never"
    ]
    await put_visit(servers, clinic, claims=False)
    assert await judged(first) == [f"book of {patient} was done 2 times"]


def test_the_judges_import_nothing_of_the_product() -> None:
    folder = Path(__file__).parent
    judges = [*(folder / "checks").glob("*.py"), folder / "ledger.py"]
    assert len(judges) > 5
    imported = {
        name
        for file in judges
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    ours = {name for name in imported if name.split(".")[0] in {"scheduling", "tests"}}
    assert {n for n in ours if not n.startswith("tests.chaos.")} == set()
    assert all(n == "tests.chaos.ledger" or ".checks." in n for n in ours)


async def nothing(_setting: Setting) -> Outcome:
    return Outcome(trials=1, failures=[])


def test_an_experiment_without_a_control_that_failed_has_not_passed() -> None:
    found = Outcome(trials=1, failures=["lost"])
    assert Outcome(trials=1, failures=[], control=found).passed
    assert not Outcome(trials=1, failures=[]).passed
    assert not Outcome(
        trials=1, failures=[], control=Outcome(trials=1, failures=[])
    ).passed
    assert not Outcome(trials=0, failures=[], control=found).passed
    assert not Outcome(trials=1, failures=["lost"], control=found).passed


def test_the_page_keeps_its_prose_and_what_was_not_run_again(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(
        f"# Before\n\n{report.BEGIN}\nof last year\n{report.END}\n\nAfter.\n"
    )

    def told(id: str, trials: int) -> None:
        experiment = Experiment(
            id=id, promise="it holds", broken="all", run=nothing, short="there"
        )
        control = Outcome(trials=1, failures=["lost"])
        outcome = Outcome(trials=trials, failures=[], control=control)
        report.write(experiment, outcome, seed=7, seconds=1, folder=tmp_path)

    told("P12", 3000)
    told("P2", 10)
    told("P12", 30)
    words = page.read_text()
    assert words.startswith("# Before\n")
    assert words.endswith("\n\nAfter.\n")
    assert "of last year" not in words
    assert "3,000" not in words
    assert words.index("| P2 |") < words.index("| P12 |")
    assert "| P12 | it holds | 30 | holds | 1.0e-01 |" in words
    assert list(json.loads((tmp_path / "reliability.json").read_text())) == [
        "P2",
        "P12",
    ]
