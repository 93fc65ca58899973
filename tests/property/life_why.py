"""Why a slot is not offered, said plainly: everything that applies."""

from collections.abc import Iterator
from datetime import timedelta

from tests.property.life_model import Model
from tests.property.life_rules import Wanted
from tests.property.life_world import ZONES, ModelSlot, Visit, day_of


def why_not(model: Model, wanted: Wanted, slot: ModelSlot) -> set[str]:
    return set(_reasons(model, wanted, slot))


def _reasons(model: Model, wanted: Wanted, slot: ModelSlot) -> Iterator[str]:
    if not model.practitioners[wanted.practitioner]:
        yield "PRACTITIONER_INACTIVE"
    if not model.locations[wanted.location]:
        yield "LOCATION_INACTIVE"
    role = model.roles.get((wanted.practitioner, wanted.location))
    refused = None if role is None else role.refuses(slot.start, slot.end)
    if refused is not None:
        away = refused == "PRACTITIONER_NOT_AVAILABLE"
        yield "EXCEPTION" if away else "ROLE_INACTIVE"
    yield from _of_time(model, wanted, slot)
    taken = [visit for visit in model.keeping() if slot.id in visit.slots]
    if slot.blocked:
        yield "EXCEPTION"
    elif len(taken) >= slot.capacity:
        yield "CAPACITY_FULL" if slot.capacity > 1 else _taken_by(*taken)
    for mine, theirs, visit in model.clashes(wanted, [slot.id]):
        if mine.kind == "patient":
            yield "PATIENT_CONFLICT"
        else:
            yield _taken_by(visit) if mine.meets(theirs) else "BUFFER"
    if "BOOKING_LIMIT_REACHED" in model.reasons(wanted, [slot.id]):
        yield "LIMIT_REACHED"


def _taken_by(*visits: Visit) -> str:
    return "HELD" if any(visit.status == "pending" for visit in visits) else "BOOKED"


def _of_time(model: Model, wanted: Wanted, slot: ModelSlot) -> Iterator[str]:
    own, house = model.own_rules[slot.calendar], model.house
    notice = (house.notice if own.notice is None else own.notice) or timedelta()
    horizon = house.horizon if own.horizon is None else own.horizon
    zone = ZONES[wanted.location]
    if slot.start <= model.now or slot.start < model.now + notice:
        yield "MIN_NOTICE"
    if day_of(slot.start, zone) > day_of(model.now, zone) + timedelta(horizon or 0):
        yield "BEYOND_HORIZON"
