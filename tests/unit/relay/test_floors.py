"""A floor never passes an id that may still appear; see outbox_floors for the why."""

from hypothesis import given
from hypothesis import strategies as st

from scheduling.adapters.postgres.outbox_floors import Horizon, Partition


def test_nothing_is_settled_before_the_writers_of_then_have_ended() -> None:
    horizon = Horizon()
    horizon.observe(10, {"a", "b"})
    assert horizon.settled == 0
    horizon.observe(20, {"b", "c"})
    assert horizon.settled == 0
    horizon.observe(30, {"c", "d"})
    assert horizon.settled == 10


def test_a_writer_that_comes_later_does_not_hold_what_was_seen_before_it() -> None:
    horizon = Horizon()
    horizon.observe(10, set())
    horizon.observe(20, {"late"})
    assert horizon.settled == 10


def test_a_writer_that_stays_keeps_the_floor_where_it_is() -> None:
    horizon = Horizon()
    horizon.observe(5, set())
    horizon.observe(10, {"import"})
    for seen in (20, 30, 40):
        horizon.observe(seen, {"import"})
    assert horizon.settled == 5


def test_a_floor_rises_behind_what_is_published_and_settled() -> None:
    partition = Partition()
    partition.claimed([3, 5, 9], settled=7)
    partition.unfinished -= 3
    partition.released()
    assert partition.floor == 8


def test_a_floor_stays_below_what_was_not_published() -> None:
    partition = Partition()
    partition.claimed([3, 5, 9], settled=100)
    partition.unfinished -= 2
    partition.released()
    assert partition.floor == 0


def test_a_claim_that_was_read_before_all_began_again_does_not_raise_the_floor() -> (
    None
):
    partition = Partition()
    partition.claimed([3, 5], settled=100)
    partition.start_over()
    partition.unfinished -= 2
    partition.released()
    assert partition.floor <= 1


# Few transactions and many steps: long enough that some are open while others end.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "draw", "end", "observe", "observe"]),
        st.integers(0, 2),
    ),
    min_size=30,
    max_size=80,
)


@given(STEPS)
def test_no_id_at_or_below_the_settled_one_ever_appears_later(
    steps: list[tuple[str, int]],
) -> None:
    horizon = Horizon()
    open_now: dict[int, list[int]] = {}
    lives = 0
    names: dict[int, str] = {}
    next_id, visible = 1, 0
    for step, who in steps:
        if step == "begin" and who not in open_now:
            lives += 1
            open_now[who], names[who] = [], f"{who}/{lives}"
        elif step == "draw" and who in open_now:
            open_now[who].append(next_id)
            next_id += 1
        elif step == "end" and who in open_now:
            drawn = open_now.pop(who)
            visible = max([visible, *drawn])
        elif step == "observe":
            horizon.observe(visible, {names[who] for who in open_now})
        hidden = [id for drawn in open_now.values() for id in drawn]
        assert all(id > horizon.settled for id in hidden)
