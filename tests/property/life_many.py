"""Several visits at once: weekly series, and what is called off with one of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from tests.property import life_model
from tests.property.life_model import MOVABLE, NO_SUCH_STEP, NOT_THERE
from tests.property.life_rules import YES, Answer, Place, Wanted, no
from tests.property.life_world import (
    STEPS,
    WEEK,
    ZONES,
    Visit,
    Who,
    on_the_wall,
)


class SeriesAnswer(NamedTuple):
    """The places of all, or why one of them (the first is 1) cannot be had."""

    places: list[list[Place]]
    answer: Answer
    first: int | None = None


class Model(life_model.Model):
    def weekly(self, first: Wanted, occurrences: int) -> list[Wanted]:
        """The same on the wall, week after week; as long as the first."""
        zone = ZONES[first.location]
        wall = first.start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        starts = [on_the_wall(wall + n * WEEK, zone) for n in range(occurrences)]
        length = first.end - first.start
        return [
            first if n == 0 else _at(first, start, length)
            for n, start in enumerate(starts)
        ]

    def series(self, who: Who, wanted: list[Wanted]) -> SeriesAnswer:
        """Each is asked for as if those before it were booked."""
        if wanted[0].patient is None or not who.sees(wanted[0].patient):
            return SeriesAnswer([], no("PATIENT_NOT_FOUND"))
        places: list[list[Place]] = []
        pretended: list[UUID] = []
        number_of = None
        answer = YES
        for number, one in enumerate(wanted, start=1):
            answer = self.answer(one)
            if not answer.places:
                not_found = answer.codes <= {"PATIENT_NOT_FOUND", "SLOT_NOT_FOUND"}
                number_of = None if not_found else number
                break
            places.append(answer.places)
            visit = self.visit_of(uuid4(), one, answer.places[0])
            self.visits[visit.id] = visit
            pretended.append(visit.id)
        for id in pretended:
            del self.visits[id]
        return SeriesAnswer(places, Answer([], answer.codes), number_of)

    def visit_of(self, id: UUID, wanted: Wanted, place: Place) -> Visit:
        assert wanted.patient is not None
        return Visit(
            id=id,
            patient=wanted.patient,
            calendar=self.slots[place.slots[0]].calendar,
            slots=place.slots,
            start=wanted.start,
            end=wanted.end,
            kind="consultation",
            status="booked",
            buffer=self.buffer,
            room=wanted.room,
        )

    def cancel_some(
        self, who: Who, named: Visit, much: str
    ) -> tuple[Answer, list[Visit]]:
        """Which go, where one, those that follow it or all of its series are meant."""
        if not who.sees(named.patient):
            return NOT_THERE, []
        meant = [
            visit
            for visit in self.visits.values()
            if much != "one"
            and visit is not named
            and named.series is not None
            and visit.series is not None
            and visit.series[0] == named.series[0]
            and (much == "all" or visit.series[1] > named.series[1])
            and visit.status in MOVABLE
            and self.now < visit.start
        ]
        if "cancelled" in STEPS[named.status]:
            meant.append(named)
        return (YES if meant else NO_SUCH_STEP), meant


def _at(first: Wanted, start: datetime, length: timedelta) -> Wanted:
    return replace(first, slot=None, start=start, end=start + length)
