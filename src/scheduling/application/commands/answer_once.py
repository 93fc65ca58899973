from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.repositories import IdempotencyKey, StoredAnswer
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.join_work import joining


@dataclass(frozen=True, slots=True)
class AnswerOnce:
    """Do a command once, however often it is asked for under the same key.

    The answer is stored in the transaction of the effect: there is never one without
    the other, also where the process dies between any two lines.
    """

    begin: BeginWork

    async def __call__(
        self,
        caller: Caller,
        key: IdempotencyKey,
        command: Callable[[BeginWork], Awaitable[StoredAnswer]],
    ) -> tuple[StoredAnswer, bool]:
        """Return the answer, and whether it was given before."""
        async with self.begin(caller) as work:
            earlier = await work.answers.recall(key)
            if earlier is not None:
                return earlier, True
            answer = await command(joining(work))
            work.answers.keep(key, answer)
        return answer, False
