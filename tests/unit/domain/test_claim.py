from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.domain.claim import ActorKind, Claim, Clashes, claims_of, clashes
from scheduling.domain.identifiers import new_id
from scheduling.domain.period import Period
from tests.builders import EIGHT, a_device, a_room, a_slot, an_id, at, between

BASE = Claim(
    appointment_id=an_id(),
    kind=ActorKind.ROOM,
    actor_id=an_id(),
    share_id=an_id(),
    period=between("09:00", "09:30"),
    until=at("09:45"),
)


def other(period: Period, until: str | None = None) -> Claim:
    return replace(
        BASE,
        appointment_id=an_id(),
        share_id=an_id(),
        period=period,
        until=at(until) if until else period.end,
    )


@pytest.mark.parametrize(
    ("claim", "in_the_way"),
    [
        (other(between("09:44", "10:00")), True),
        (other(between("09:45", "10:00")), False),
        (other(between("08:30", "09:00")), False),
        (other(between("08:30", "09:00"), until="09:01"), True),
        (replace(other(BASE.period), share_id=BASE.share_id), False),
        (replace(other(BASE.period), actor_id=an_id()), False),
        (replace(other(BASE.period), kind=ActorKind.DEVICE), False),
        (replace(other(BASE.period), overbooked=True), True),
    ],
)
def test_who_is_in_whose_way(
    claim: Claim,
    in_the_way: bool,  # noqa: FBT001
) -> None:
    assert claim.is_in_the_way_of(BASE) is BASE.is_in_the_way_of(claim) is in_the_way


def test_one_who_overlaps_with_one_claim_and_touches_another_overlaps() -> None:
    touching = other(between("09:30", "10:00"))
    twice = replace(touching, period=between("09:10", "09:20"), until=at("09:20"))
    found = clashes([BASE], [touching, twice, other(between("08:00", "08:30"))])
    assert found == Clashes(overlapping=(touching.appointment_id,))


def test_claims_are_taken_in_one_order_whatever_order_is_asked() -> None:
    resources = [a_room(), a_device(), a_room()]
    slots = [a_slot(p) for p in (between("09:00", "09:30"), between("09:30", "10:00"))]
    orders = (resources, list(reversed(resources)))
    appointment_id, practitioner_id, patient_id = an_id(), an_id(), an_id()
    first, second = (
        claims_of(
            appointment_id,
            period=between("09:00", "10:00"),
            practitioner_id=practitioner_id,
            patient_id=patient_id,
            resources=order,
            slots=[(slot.id, slot.period) for slot in slots],
            buffer=timedelta(),
            overbooked=False,
        )
        for order in orders
    )
    assert first == second
    assert list(first) == sorted(
        first, key=lambda c: (c.kind, c.actor_id, c.period.start)
    )
    assert len(first) == 1 + 2 * (1 + len(resources))


def test_a_patient_is_taken_for_the_whole_visit_at_once() -> None:
    slots = [a_slot(p) for p in (between("09:00", "09:30"), between("09:30", "10:00"))]
    claims = claims_of(
        an_id(),
        period=between("09:00", "09:50"),
        practitioner_id=an_id(),
        patient_id=an_id(),
        resources=(),
        slots=[(slot.id, slot.period) for slot in slots],
        buffer=timedelta(),
        overbooked=False,
    )
    of = {
        kind: [c.period for c in claims if c.kind is kind]
        for kind in (ActorKind.PATIENT, ActorKind.PRACTITIONER)
    }
    assert of == {
        ActorKind.PATIENT: [between("09:00", "09:50")],
        ActorKind.PRACTITIONER: [
            between("09:00", "09:30"),
            between("09:30", "09:50"),
        ],
    }


def test_ids_are_of_version_7_and_lie_in_the_order_of_time() -> None:
    ids = [new_id(EIGHT + timedelta(milliseconds=n)) for n in range(1000)]
    assert ids == sorted(ids)
    assert {(id.version, id.variant) for id in ids} == {(7, "specified in RFC 4122")}
    assert len({new_id(EIGHT) for _ in range(1000)}) == 1000
