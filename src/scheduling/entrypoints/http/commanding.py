"""The one way in for every command: once per Idempotency-Key, again after a lost race.

return await commanding(request, caller, lambda do: do.book_appointment(…), booked)
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from fastapi import Request
from fastapi.responses import Response

from scheduling.application.commands.answer_once import AnswerOnce
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.registry import PatientCachePort
from scheduling.application.ports.repositories import IdempotencyKey, StoredAnswer
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import InvalidInput, PatientNotFound
from scheduling.domain.identifiers import PatientId
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.http.use_cases import Commands, Queries

Result = TypeVar("Result")

_SANE_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG = re.compile(r'"(\d{1,9})"')


@dataclass(frozen=True, slots=True)
class CommandDoor:
    """What commanding needs of wiring."""

    commands: Commands
    begin: BeginWork
    now: Clock
    patients: PatientCachePort | None = None

    async def knowing_patients(
        self, caller: Caller, attempt: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Return what the attempt returns; where it lacks a patient whom the registry
        knows, what it returns then.
        """
        try:
            return await attempt()
        except PatientNotFound as missing:
            wanted = PatientId(missing.id)
            if self.patients is None or not await self.patients(caller, wanted):
                raise
        return await attempt()

    async def settled(
        self, caller: Caller, attempt: Callable[[], Awaitable[Result]]
    ) -> Result:
        """As `knowing_patients`, each time again after a lost race."""
        return await self.knowing_patients(caller, lambda: settled(attempt))

    async def once(
        self,
        caller: Caller,
        key: IdempotencyKey,
        command: Callable[[Commands], Awaitable[StoredAnswer]],
    ) -> tuple[StoredAnswer, bool]:
        def joining(begin: BeginWork) -> Awaitable[StoredAnswer]:
            return command(self.commands.within(begin, self.now))

        return await AnswerOnce(self.begin)(caller, key, joining)


async def commanding(
    request: Request,
    caller: Caller,
    command: Callable[[Commands], Awaitable[Result]],
    answer: Callable[[Result], StoredAnswer],
) -> Response:
    """Run a command and answer with what `answer` makes of its result.

    With an Idempotency-Key the answer is stored with the effect, and given again, byte
    for byte, with `Idempotency-Replayed: true`.
    """
    door: CommandDoor = request.state.commands

    async def run(commands: Commands) -> StoredAnswer:
        return answer(await command(commands))

    key = await _idempotency_key(request, caller)
    if key is None:
        return to_response(await door.settled(caller, lambda: run(door.commands)))
    given, replayed = await door.settled(caller, lambda: door.once(caller, key, run))
    response = to_response(given)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


async def asking_of_patients(
    request: Request, caller: Caller, query: Callable[[Queries], Awaitable[Result]]
) -> Result:
    """Return what a query about a patient says, whom the registry may have to name."""
    door: CommandDoor = request.state.commands
    queries: Queries = request.state.queries
    return await door.knowing_patients(caller, lambda: query(queries))


def to_response(answer: StoredAnswer) -> Response:
    return Response(
        answer.body,
        status_code=answer.status,
        headers=dict(answer.headers),
        media_type="application/json",
    )


async def _idempotency_key(request: Request, caller: Caller) -> IdempotencyKey | None:
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    if not _SANE_KEY.fullmatch(given):
        raise InvalidInput("1 to 255 visible ASCII characters", "Idempotency-Key")
    body = await request.body()
    asked = (
        request.method,
        request.url.path,
        request.url.query,
        request.headers.get("if-match", ""),
        str(caller.patient_id),
    )
    digest = sha256("\n".join(asked).encode() + b"\n" + body)
    return IdempotencyKey(given, digest.hexdigest())


def expected_version(
    request: Request, in_body: int | None = None
) -> ExpectedVersion | None:
    """Return the version that the caller decided on: `If-Match` before the body.

    RFC 9110, 13.1.1; `*` asks for no particular version, where a change must name one
    it is as good as none. Weak tags never match.
    """
    header = request.headers.get("if-match")
    if header is None:
        return None if in_body is None else ExpectedVersion(in_body)
    if header.strip() == "*":
        return ExpectedVersion(in_body, in_header=in_body is None)
    tag = _ETAG.fullmatch(header.strip())
    # What we never gave out as an ETag cannot be the version that is stored.
    return ExpectedVersion(int(tag[1]) if tag else -1, in_header=True)


def etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}
