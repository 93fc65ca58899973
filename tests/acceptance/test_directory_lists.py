"""Who treats, where, and who is a patient here: asked over HTTP."""

from uuid import UUID, uuid4

import orjson
import pytest

from tests.acceptance.conftest import ALL, Token
from tests.acceptance.desk import Desk, Thing, codes
from tests.acceptance.product import Product

MARK = "xMARKERx"


async def pages(desk: Desk, path: str, **asked: object) -> list[Thing]:
    """Return all items; there is a next page as long as the last one names it."""
    found: list[Thing] = []
    cursor: object = ""
    while cursor is not None:
        answer = await desk.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        cursor = asked["cursor"] = page["nextCursor"]
    return found


@pytest.mark.parametrize("kind", ["practitioners", "locations"])
async def test_each_is_shown_as_by_itself_and_once_on_all_pages(
    desk: Desk, kind: str
) -> None:
    put = desk.a_practitioner if kind == "practitioners" else desk.a_location
    for name in ("Bo", "Ana", "Bo", "ဒေါ်ခင်", "Zoe"):
        await put(name=name)
    whole = await pages(desk, f"/v1/{kind}")
    assert [one["name"] for one in whole] == ["Ana", "Bo", "Bo", "Zoe", "ဒေါ်ခင်"]
    assert len({one["id"] for one in whole}) == 5
    for limit in (1, 2, 5):
        assert await pages(desk, f"/v1/{kind}", limit=limit) == whole
    for one in whole:
        assert (await desk.get(f"/v1/{kind}/{one['id']}")).json() == one


async def test_who_works_at_a_clinic(desk: Desk) -> None:
    here, there = await desk.a_location(name="Here"), await desk.a_location()
    by_role, by_calendar, retired = [
        await desk.a_practitioner(name=name, active=active)
        for name, active in (("One", True), ("Two", True), ("Three", False))
    ]
    await desk.a_role(by_role, here)
    await desk.a_schedule(by_calendar, here)
    await desk.a_role(retired, here)
    await desk.a_role(await desk.a_practitioner(name="Four"), there)

    async def found(**asked: object) -> list[str]:
        return [one["name"] for one in await pages(desk, "/v1/practitioners", **asked)]

    assert await found(locationId=here) == ["One", "Three", "Two"]
    assert await found(locationId=here, active="true") == ["One", "Two"]
    assert await found(locationId=here, active="false") == ["Three"]
    assert await found(locationId=there) == ["Four"]
    assert await found(locationId=str(uuid4())) == []


@pytest.mark.parametrize("kind", ["practitioners", "locations"])
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"active": "yes"}, "active"),
        ({"limit": "201"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": "AZqdPgAAcACAAAAAAAABAQA="}, "cursor"),
        ({"cursor": "AZqdPgAAcACAAAAAAAABAf8="}, "cursor"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_parameter(
    desk: Desk, kind: str, asked: Thing, field: str
) -> None:
    answer = await desk.get(f"/v1/{kind}", params=asked)
    assert codes(answer) == [(422, "VALIDATION_FAILED")]
    assert answer.json()["errors"][0]["field"] == field


async def search(desk: Desk, query: str, **more: object) -> list[Thing]:
    answer = await desk.post("/v1/patients/search", {"query": query, **more})
    assert answer.status_code == 200, answer.text
    found: list[Thing] = answer.json()["items"]
    return found


async def test_a_patient_is_found_while_somebody_types(desk: Desk) -> None:
    told = {
        "name": "João da Silva",
        "fileNumber": "2026-000123",
        "phone": "+55 27 99999-1234",
        "email": "joao@example.org",
    }
    id = await desk.a_patient(**told)
    await desk.a_patient(name="Joana Souza")
    expected = {"id": id, **told, "active": True, "version": 1}
    for query in ("joao", "Sil JOÃ", "2026-0001", "99999 1234", "1234", "joao@ex"):
        assert await search(desk, query) == [expected], query
    assert len(await search(desk, "joa")) == 2
    assert len(await search(desk, "joa", limit=1)) == 1
    assert await search(desk, "silva souza") == []
    assert await search(desk, "?") == []


async def test_a_patient_is_found_by_what_was_put_last(desk: Desk) -> None:
    id = await desk.a_patient(name="Maria Silva")
    await desk.put(f"/v1/patients/{id}", {"name": "Maria Souza", "active": False})
    assert await search(desk, "silva") == []
    (found,) = await search(desk, "souza")
    assert (found["id"], found["active"], found["version"]) == (id, False, 2)


async def test_burmese_names_are_found_by_their_beginning(desk: Desk) -> None:
    id = await desk.a_patient(name="ဒေါ်ခင်မျိုးသန့်")
    for query in ("ဒေါ်", "ဒေါ်ခင်", "ခင်မျိုး", "သန့်"):
        assert [one["id"] for one in await search(desk, query)] == [id]


async def test_nobody_of_another_tenant_is_found_or_listed(
    desk: Desk, token: Token
) -> None:
    schedule = await desk.a_schedule()
    await desk.a_patient(name="Maria Silva")
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    assert await search(stranger, "maria") == []
    for path in ("/v1/practitioners", "/v1/locations"):
        assert await pages(desk, path) != []
        assert await pages(stranger, path) == []
    there = {"locationId": schedule["locationId"]}
    assert len(await pages(desk, "/v1/practitioners", **there)) == 1
    assert await pages(stranger, "/v1/practitioners", **there) == []


async def test_patients_see_who_treats_and_where_but_search_nobody(
    desk: Desk, token: Token
) -> None:
    await desk.a_schedule()
    own = Desk(desk.http, token(scope=ALL, patient_id=await desk.a_patient()))
    refused = await own.post("/v1/patients/search", {"query": "maria"})
    assert codes(refused) == [(403, "FORBIDDEN")]
    for path in ("/v1/practitioners", "/v1/locations"):
        assert len(await pages(own, path)) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "  "}, "query"),
        ({"query": "a\0b"}, "query"),
        ({"query": "x" * 201}, "query"),
        ({"query": "x", "limit": 0}, "limit"),
        ({"query": "x", "limit": 201}, "limit"),
        ({"query": "x", "limit": "5"}, "limit"),
        ({"query": "x", "colour": "red"}, "colour"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused_by_its_field(
    desk: Desk, body: Thing, field: str
) -> None:
    answer = await desk.post("/v1/patients/search", body)
    assert codes(answer) == [(422, "VALIDATION_FAILED")]
    assert answer.json()["errors"][0]["field"] == field


async def test_what_was_asked_for_is_kept_nowhere(
    desk: Desk, product: Product, tenant: UUID, token: Token
) -> None:
    """Who was found is in the audit; a name that somebody typed is in nothing."""
    id = await desk.a_patient(name=f"Maria {MARK}")
    assert len(await search(desk, f"maria {MARK}")) == 1
    assert await search(desk, f"nobody {MARK}") == []
    own = Desk(desk.http, token(patient_id=id))
    refused = [
        await own.post("/v1/patients/search", {"query": MARK}),
        await desk.post("/v1/patients/search", {"query": MARK, "limit": MARK}),
        await desk.post("/v1/patients/search", {"query": [MARK], f"x {MARK}": MARK}),
    ]
    for answer in refused:
        assert answer.status_code in {403, 422}
        assert MARK not in answer.text
    audit = [dict(row) for row in await product.audit(tenant)]
    reads = [row for row in audit if row["action"] == "patients.read"]
    assert [row["outcome"] for row in reads] == ["done", "done", "denied"]
    shown = [orjson.loads(row["changes"]).get("patientIds") for row in reads[:2]]
    assert shown == [[None, [id]], [None, []]]
    metrics = (await desk.http.get("/metrics")).text
    for told in (str(audit), metrics, product.logs()):
        assert told
        assert MARK.lower() not in told.lower()
