"""Visits without an hour get one."""

from datetime import date, time

from scheduling.entrypoints.importing.spreading import ClinicDay, Day, Spread

A_DAY = date(2030, 1, 7)
NORTH, SOUTH = Day(("north",), A_DAY), Day(("south",), A_DAY)


def _spread(*, count: int = 3, capacity: int = 1) -> Spread:
    return Spread(
        ClinicDay(first=time(9), minutes=20, count=count, capacity=capacity, zone="UTC")
    )


def _place(spread: Spread, day: Day, patient: str) -> str:
    return spread.place(day, (patient,)).start.strftime("%H:%M")


def test_visits_take_the_stretches_of_a_clinics_day_in_turn() -> None:
    spread = _spread(capacity=2)

    starts = [_place(spread, NORTH, f"patient {n}") for n in range(4)]

    assert starts == ["09:00", "09:20", "09:40", "09:00"]
    assert _place(spread, SOUTH, "somebody") == "09:00"


def test_a_patient_is_not_at_two_places_at_once() -> None:
    spread = _spread()
    assert _place(spread, NORTH, "ada") == "09:00"

    assert _place(spread, SOUTH, "ada") == "09:20"
    assert _place(spread, SOUTH, "ben") == "09:40"
    assert _place(spread, SOUTH, "eve") == "09:00"


def test_where_no_seat_is_left_a_visit_is_placed_on_others() -> None:
    spread = _spread(count=1)
    _place(spread, NORTH, "ada")

    assert _place(spread, NORTH, "ben") == "09:00"


def test_the_same_rows_are_placed_the_same_again() -> None:
    visits = [(NORTH, "ada"), (SOUTH, "ada"), (NORTH, "ben"), (SOUTH, "ben")] * 3

    def placed() -> list[str]:
        spread = _spread(capacity=4)
        return [_place(spread, day, patient) for day, patient in visits]

    assert placed() == placed()
