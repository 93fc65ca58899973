"""Practitioners and locations by name, page after page."""

from dataclasses import replace
from typing import Any

from scheduling.application.ports.directory_lists import (
    LocationFilter,
    NamePosition,
    PractitionerFilter,
)
from scheduling.application.ports.identity import Caller
from scheduling.domain.directory import Practitioner
from scheduling.domain.identifiers import LocationId
from tests.builders import (
    EIGHT,
    a_caller,
    a_location,
    a_practitioner,
    a_role,
    a_schedule,
    an_id,
)
from tests.contracts.storages import Storage

PUT = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}
NAMES = ("Ána", "Zoe", "ana", "Bo", "Bo", "ဒေါ်ခင်")


async def practitioners(
    storage: Storage,
    caller: Caller,
    **asked: Any,  # noqa: ANN401
) -> list[str]:
    async with storage.begin(caller) as work:
        found = await work.directory_lists.practitioners(PractitionerFilter(**asked))
    return [one.name for one in found]


async def test_they_are_found_whole_and_by_name(everywhere: Storage) -> None:
    """As characters are numbered: an order that no server's locale changes."""
    caller, other = a_caller(), a_caller()
    people = [a_practitioner(name=name, **PUT) for name in NAMES]
    clinics = [
        a_location(name=name, code=f"C{n}", **PUT) for n, name in enumerate(NAMES)
    ]
    async with everywhere.begin(caller) as work:
        for person in people:
            work.practitioners.save(person)
        for clinic in clinics:
            work.locations.save(clinic)
    async with everywhere.begin(caller) as work:
        some = await work.directory_lists.practitioners(PractitionerFilter())
        places = await work.directory_lists.locations(LocationFilter())
    assert list(some) == sorted(people, key=lambda one: (one.name, one.id))
    assert list(places) == sorted(clinics, key=lambda one: (one.name, one.id))
    assert await practitioners(everywhere, other) == []


async def test_pages_join_where_names_are_alike(everywhere: Storage) -> None:
    caller = a_caller()
    people = [a_practitioner(name=name, **PUT) for name in (*NAMES, *NAMES)]
    async with everywhere.begin(caller) as work:
        for person in people:
            work.practitioners.save(person)
    after: NamePosition | None = None
    found: list[Practitioner] = []
    for _ in range(len(people) // 2):
        async with everywhere.begin(caller) as work:
            page = await work.directory_lists.practitioners(
                PractitionerFilter(after=after, limit=2)
            )
        found += page
        after = page[-1].name, page[-1].id
    assert found == sorted(people, key=lambda one: (one.name, one.id))
    assert await practitioners(everywhere, caller, after=after) == []


async def test_only_those_that_are_active_or_are_not(everywhere: Storage) -> None:
    caller = a_caller()
    async with everywhere.begin(caller) as work:
        for name, active in (("One", True), ("Two", False)):
            work.practitioners.save(a_practitioner(name=name, active=active, **PUT))
            place = a_location(name=name, code=name.upper(), active=active, **PUT)
            work.locations.save(place)
    asked_for: tuple[tuple[bool | None, list[str]], ...] = (
        (True, ["One"]),
        (False, ["Two"]),
        (None, ["One", "Two"]),
    )
    for wanted, names in asked_for:
        assert await practitioners(everywhere, caller, active=wanted) == names
        async with everywhere.begin(caller) as work:
            asked = LocationFilter(active=wanted)
            places = await work.directory_lists.locations(asked)
        assert [one.name for one in places] == names


async def test_who_works_at_a_location_has_a_role_or_a_calendar_there(
    everywhere: Storage,
) -> None:
    caller = a_caller()
    here, there = (a_location(code=code, **PUT) for code in ("HERE", "THERE"))
    names = ("By role", "By calendar", "By both", "Not any more", "There", "Deleted")
    people = {name: a_practitioner(name=name, **PUT) for name in names}
    role, _, both, was, away, gone = (one.id for one in people.values())
    roles = [
        a_role(role, here.id, **PUT),
        a_role(both, here.id, **PUT),
        a_role(was, here.id, active=False, **PUT),
        a_role(away, there.id, **PUT),
        a_role(gone, here.id, deleted_at=EIGHT, **PUT),
    ]
    calendars = [
        a_schedule(people["By calendar"].id, here.id),
        a_schedule(both, here.id),
        # A role leaves its calendar behind; nobody works by it.
        replace(a_schedule(was, here.id), practitioner_role_id=roles[2].id),
        replace(a_schedule(gone, here.id), practitioner_role_id=roles[4].id),
    ]
    async with everywhere.begin(caller) as work:
        for place in (here, there):
            work.locations.save(place)
        for person in people.values():
            work.practitioners.save(person)
        for one in roles:
            work.practitioner_roles.save(one)
        for calendar in calendars:
            work.schedules.save(calendar)
    for location_id, expected in (
        (here.id, ["By both", "By calendar", "By role"]),
        (there.id, ["There"]),
        (LocationId(an_id()), []),
    ):
        assert (
            await practitioners(everywhere, caller, location_id=location_id) == expected
        )
    after = people["By both"].name, both
    found = await practitioners(
        everywhere, caller, location_id=here.id, after=after, limit=1
    )
    assert found == ["By calendar"]
