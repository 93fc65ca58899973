"""News of one aggregate is worked on one by one; all others go on beside it."""

import asyncio

import pytest

from scheduling.entrypoints.inbox.lines import Lines


class Work:
    """Pieces of work that last until they are told to end."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.left: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}

    def take(
        self,
        lines: Lines,
        name: str,
        line: str | None,
        room: asyncio.Semaphore | None = None,
    ) -> None:
        end = self.ends[name] = asyncio.Event()

        async def work() -> None:
            self.begun.append(name)
            await end.wait()

        lines.take(work, line, lambda: self.left.append(name), room)

    async def end(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
        await settle()


async def settle() -> None:
    """Let everything go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_second_of_a_line_waits_for_the_first() -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        lines = Lines(tasks, at_once=9)
        work.take(lines, "a1", "a")
        work.take(lines, "a2", "a")
        work.take(lines, "b1", "b")
        work.take(lines, "free", None)
        await settle()
        assert work.begun == ["a1", "b1", "free"]
        await work.end("a1")
        assert work.begun == ["a1", "b1", "free", "a2"]
        assert work.left == ["a1"]
        work.take(lines, "a3", "a")
        await settle()
        assert "a3" not in work.begun
        await work.end("a2", "b1", "free")
        assert work.begun[-1] == "a3"
        await work.end("a3")
        assert not lines.under_way


async def test_no_more_is_worked_on_at_once_than_there_is_room_for() -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        lines = Lines(tasks, at_once=2)
        for name in ("one", "two", "three"):
            work.take(lines, name, name)
        await settle()
        assert work.begun == ["one", "two"]
        await work.end("two")
        assert work.begun == ["one", "two", "three"]
        await work.end("one", "three")


async def test_who_waits_for_its_line_takes_nobody_s_room() -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        lines = Lines(tasks, at_once=2)
        for name in ("a1", "a2", "a3"):
            work.take(lines, name, "a")
        work.take(lines, "b1", "b")
        await settle()
        assert work.begun == ["a1", "b1"]
        await work.end("a1", "a2", "a3", "b1")
    assert work.left[0] in {"a1", "b1"}
    assert sorted(work.left) == ["a1", "a2", "a3", "b1"]


async def test_a_kind_that_has_a_room_leaves_the_others_theirs() -> None:
    work, room = Work(), asyncio.Semaphore(2)
    async with asyncio.TaskGroup() as tasks:
        lines = Lines(tasks, at_once=3)
        for name in ("ours 1", "ours 2", "ours 3"):
            work.take(lines, name, None, room)
        work.take(lines, "theirs", None)
        await settle()
        assert work.begun == ["ours 1", "ours 2", "theirs"]
        await work.end("ours 2")
        assert work.begun[3:] == ["ours 3"]
        await work.end("ours 1", "ours 3", "theirs")


async def test_a_fault_of_one_ends_all() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    left: list[str] = []
    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as tasks:
            lines = Lines(tasks, at_once=2)
            Work().take(lines, "for ever", None)
            lines.take(fail, "a", lambda: left.append("failed"))
    assert left == ["failed"]
