"""The machine takes visits through their lives, alone, in series and many at once."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from scheduling.application.commands.update_appointment_statuses import StatusChange
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.errors import DomainError
from scheduling.domain.series import HowMuch
from scheduling.domain.status import Status
from tests.property.life_booking import MINUTE, there_are_visits
from tests.property.life_desk import (
    callers,
    id_of,
    numbers,
    patients,
    seldom,
    version_of,
)
from tests.property.life_editing import Editing
from tests.property.life_rules import YES, no
from tests.property.life_world import KEEPING, STEPS, Visit

LATER = [status for status in Status if status not in {"proposed", "cancelled"}]
STATUSES = [status for status in Status if status != "proposed"]
some_status = st.sampled_from(STATUSES)


class Stepping(Editing):
    @rule(visit=numbers, step=numbers, kind=callers)
    @there_are_visits
    def step(self, visit: int, step: int, kind: str) -> None:
        one = self.visit(visit)
        who, wanted = self.who(kind, one.patient), _some_step(one, step)
        if wanted is Status.CANCELLED:
            wanted = Status.ENTERED_IN_ERROR
        said = f"{one.status} to {wanted}"
        done = self.ask(
            self.commands.update_appointment_status(
                self.as_(who), id_of(one), expected=version_of(one), status=wanted
            ),
            self.model.step(who, one, wanted),
            said,
        )
        if done is not None:
            self.model.take_step(one, wanted)

    @rule(visit=numbers, step=st.integers(0, 59))
    @there_are_visits
    def go_on(self, visit: int, step: int) -> None:
        """As visits mostly do: reception says the next step."""
        self.step(visit, step, "staff")

    @rule(visit=numbers, much=st.sampled_from(list(HowMuch)), kind=callers)
    @there_are_visits
    def cancel(self, visit: int, much: HowMuch, kind: str) -> None:
        one = self.visit(visit)
        who = self.who(kind, one.patient)
        answer, going = self.model.cancel_some(who, one, much)
        done = self.ask(
            self.commands.cancel_appointment(
                self.as_(who),
                id_of(one),
                expected=version_of(one),
                reason_code=CancelReason.PATIENT,
                initiated_by=Initiator.STAFF,
                comment=None,
                series=much,
            ),
            answer,
            "cancel" if one.series is None else f"cancel {much} of a series",
        )
        if done is not None:
            self.model.leave([(visit, "cancelled") for visit in going])

    @rule(
        patient=patients,
        slot=numbers,
        occurrences=st.sampled_from((2, 3, 3)),
        minutes=st.sampled_from((None, 30, 60)),
        in_the_room=seldom,
        kind=callers,
    )
    def book_a_series(  # noqa: PLR0917
        self,
        patient: int,
        slot: int,
        occurrences: int,
        minutes: int | None,
        in_the_room: bool,  # noqa: FBT001
        kind: str,
    ) -> None:
        who = self.who(kind, patient)
        room = self.room.id if in_the_room else None
        first = self.wanted(patient, self.slot(slot), room=room)
        if minutes is not None:
            first.slot, first.end = None, first.start + minutes * MINUTE
        wanted = self.model.weekly(first, occurrences)
        expected = self.model.series(who, wanted)
        told: list[int | None] = []

        async def book() -> object:
            try:
                return await self.commands.book_series(
                    self.as_(who), self.request(first), occurrences
                )
            except DomainError as refusal:
                told.append(refusal.index)
                raise

        made = self.ask(book(), expected.answer, "book a series")
        if made is None:
            assert told == [expected.first]
            return
        series = {one.series_id for one in made}
        assert len(series) == 1
        for number, (one, where) in enumerate(zip(made, wanted, strict=True), start=1):
            assert one.series_index == number
            self.made(one, where, series=(one.series_id, number))

    @rule(
        some=st.lists(st.tuples(numbers, numbers, seldom), min_size=1, max_size=4),
        kind=st.sampled_from(("staff",) * 6 + ("clerk", "own")),
        why=st.sampled_from(("patient", "weather", "patient", "")),
    )
    @there_are_visits
    def take_many_steps(
        self,
        some: list[tuple[int, int, bool]],
        kind: str,
        why: str,
    ) -> None:
        """Each by itself: what cannot be done with one is no matter to the others."""
        who, model = self.who(kind, 0), self.model
        asked: dict[UUID, tuple[Visit, Status, bool]] = {}
        for number, step, stale in some:
            one = self.visit(number)
            asked.setdefault(one.id, (one, _some_step(one, step), stale))
        answers = [
            no("OPTIMISTIC_LOCK_CONFLICT")
            if stale
            else model.one_of_many(who, one, wanted, says_why=bool(why))
            for one, wanted, stale in asked.values()
        ]
        changes = [
            StatusChange(
                id=id_of(one),
                status=wanted,
                version=one.version + stale,
                reason_code=why or None,
            )
            for one, wanted, stale in asked.values()
        ]
        done = self.ask(
            self.commands.update_appointment_statuses(self.as_(who), changes),
            YES if who.patient is None else no("FORBIDDEN"),
            "take many steps",
        )
        if done is None:
            return
        leaving = []
        for got, answer, (one, wanted, _) in zip(
            done, answers, asked.values(), strict=True
        ):
            code = None if isinstance(got, Appointment) else got.code
            self.seen[f"one of many: {code or 'done'}"] += 1
            assert code in answer.codes, f"{one.status} to {wanted}: {got!r}"
            if code is None and one.status in KEEPING and wanted not in KEEPING:
                leaving.append((one, wanted))
            elif code is None:
                model.stepped(one, wanted)
        model.leave(leaving)


def _some_step(one: Visit, number: int) -> Status:
    """Mostly one that follows."""
    follow = sorted(STEPS[one.status])
    if one.status == "no-show":
        follow = ["arrived"]
    some = STATUSES if number >= 60 or not follow else [Status(s) for s in follow]
    return some[number % len(some)]
