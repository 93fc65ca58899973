"""What makes a generated request one that means something, and which refusals of a
request in good shape are right all the same. Loaded by schemathesis, in its process.

Generated ids are nobody's: nearly every answer would be a 404. So a request in good
shape is given ids of things that are there (those that the test made, and those that
answers have shown since), periods that end after they start, versions that are stored,
and an Idempotency-Key of its own. What was generated to be wrong stays as it is.
"""

import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData

WORLD = json.loads(Path(os.environ["SCHEMATHESIS_WORLD"]).read_text())

chance = random.Random(WORLD["seed"])  # noqa: S311  # for repetition, not for secrets
ids: dict[str, list[str]] = defaultdict(list, WORLD["ids"])
KINDS = {*ids, "series", "waitlist", "exception"}
known = {id for some in ids.values() for id in some}
versions: dict[str, int] = {}
schedule_of: dict[str, str] = dict(WORLD["schedule_of"])
"""Of each exception; its path takes both, and they must belong together."""
asked = 0

ZONES = ("America/Sao_Paulo", "America/St_Johns", "Asia/Kathmandu", "Etc/GMT+12", "UTC")
"""A few, since each is held against every filter, which takes seconds for hundreds."""

schemathesis.openapi.format("timezone", st.sampled_from(ZONES))

_PERIODS = {"start": "end", "from": "to", "earliest": "latest"}
_DAYS = {"validFrom": "validTo"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


BOOKINGS = ("/appointments", "/self-book", "/series", "/fulfil")
ALSO_CALLED = {"actor": "practitioner", "hold": "appointment"}


def kind_of(name: str) -> str:
    """`practitioner-roles` and `practitionerRoleId` both are of `practitionerrole`."""
    plain = re.sub("ids?$", "", name.replace("-", "").lower())
    return plain if plain == "series" else plain.removesuffix("s")


def one_of(kind: str, *, but_the_first: bool = False) -> str | None:
    some = ids[ALSO_CALLED.get(kind, kind)][1 if but_the_first else 0 :]
    return chance.choice(some) if some else None


def nobody() -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:  # noqa: ANN401
    if case.meta is None:
        return
    if not case.meta.is_negative_at(ParameterLocation.PATH):
        replace_path(case)
    if case.meta.generation.mode.is_negative:
        return
    case_headers(case)
    if isinstance(case.body, dict):
        case.body = mended(case.body)
        if case.operation.path.endswith(BOOKINGS):
            say_when(case.body)
        if case.operation.path.endswith("/reschedule"):
            say_when_instead(case.body)
        if "version" in case.body:
            id = str(case.path_parameters.get("id"))
            case.body["version"] = versions.get(id, 1)
    if case.query:
        case.query = mended(dict(case.query))
    if case.operation.path == "/v1/calendar" and "practitionerId" not in case.query:
        case.query.setdefault("locationId", one_of("location"))


def replace_path(case: Any) -> None:  # noqa: ANN401
    """Give each id in the path that nobody has to something that is there."""
    before = ""
    for segment in case.operation.path.split("/"):
        if segment.startswith("{"):
            name = segment.strip("{}")
            given = case.path_parameters.get(name)
            kind = kind_of(before if name == "id" else name)
            # Who deletes all there is leaves nothing for others to be asked about.
            spares = case.method == "DELETE"
            spared = spares and [given] == ids[kind][:1]
            if spared or (given not in known and chance.random() < 0.9):
                another = one_of(kind, but_the_first=spares) or nobody()
                case.path_parameters[name] = another
        before = segment
    exception = case.path_parameters.get("exceptionId")
    if exception in schedule_of:
        case.path_parameters["id"] = schedule_of[exception]


def case_headers(case: Any) -> None:  # noqa: ANN401
    global asked  # noqa: PLW0603  # one process, one thread
    asked += 1
    if "Idempotency-Key" in case.headers and not chance.random() < 0.05:
        case.headers["Idempotency-Key"] = f"request-{asked}"
    if "If-Match" in case.headers and not chance.random() < 0.1:
        version = versions.get(str(case.path_parameters.get("id")))
        if version is None:
            del case.headers["If-Match"]
        else:
            case.headers["If-Match"] = f'"{version}"'


def mended(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body or query with ids that are there, and periods that are some."""
    made = {name: _mended(name, value) for name, value in given.items()}
    for start, end in _PERIODS.items():
        if start in made and end in made:
            made[start], made[end] = _in_order(made[start], made[end])
    for start, end in _DAYS.items():
        if made.get(start) and made.get(end):
            made[start], made[end] = sorted((made[start], made[end]))
    if "date" in made and chance.random() < 0.5:
        made.pop("from", None)
        made.pop("to", None)
    elif "from" in made and "to" in made:
        made.pop("date", None)
    if "days" in made and chance.random() < 0.5:
        made.pop("from", None)
        made.pop("to", None)
    elif "from" in made and "to" in made:
        made.pop("days", None)
    return made


def _mended(name: str, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return mended(value)
    if isinstance(value, list):
        return [_mended(name.removesuffix("s"), one) for one in value]
    is_id = name.endswith("Id") and isinstance(value, str)
    if is_id and value not in known and chance.random() < 0.98:
        return one_of(kind_of(name)) or value
    return value


def _in_order(start: Any, end: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Keep days and nothings; make a period of instants one of the days to come."""
    if not isinstance(start, str) or not isinstance(end, str):
        return start, end
    if _DAY.fullmatch(start) and _DAY.fullmatch(end):
        first, last = sorted((start, end))
        return first, last
    begins = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    begins += timedelta(days=chance.randrange(1, 30), hours=chance.randrange(24))
    lasts = timedelta(minutes=chance.choice((15, 30, 60, 24 * 60)))
    return begins.isoformat(), (begins + lasts).isoformat()


def say_when(body: dict[str, Any]) -> None:
    """Name a slot, mostly; else all of a place and a time, or nothing that is whole."""
    by_start = ("practitionerId", "locationId", "start", "durationMinutes")
    if all(body.get(name) for name in by_start) and chance.random() < 0.5:
        body.pop("slotId", None)
    elif chance.random() < 0.95:
        for name in by_start:
            body.pop(name, None)
        body["slotId"] = body.get("slotId") or one_of("slot")


def say_when_instead(body: dict[str, Any]) -> None:
    """Name a slot, mostly, and then nothing else; or a start, and what goes with it."""
    if chance.random() < 0.7:
        for name in ("start", "practitionerId", "locationId", "durationMinutes"):
            body.pop(name, None)
        body["slotId"] = body.get("slotId") or one_of("slot")
    elif body.get("start"):
        body.pop("slotId", None)


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Response) -> None:  # noqa: ANN401
    """Remember what is there, by the ids and versions in answers."""
    if not 200 <= response.status_code < 300:
        return
    if case.method == "DELETE":
        gone = case.path_parameters
        _forget(str(gone.get("exceptionId", gone.get("id"))))
        return
    if "json" not in response.headers.get("content-type", [""])[0]:
        return
    place = response.headers.get("location", [case.operation.path])[0]
    words = [kind_of(word) for word in place.split("/") if not word.startswith("{")]
    kind = next((word for word in reversed(words) if word in KINDS), "")
    told = response.json()
    for one in told.get("items", [told])[:20] if isinstance(told, dict) else ():
        remember(kind, one)


def remember(kind: str, thing: Any) -> None:  # noqa: ANN401
    if not isinstance(thing, dict):
        return
    if "appointmentType" in thing:
        kind = "appointment"  # in lists and answers of other things, too
    for name, value in thing.items():
        if name == "id" and isinstance(value, str):
            _learn(kind, value)
            if isinstance(thing.get("version"), int):
                versions[value] = thing["version"]
            if kind == "exception" and "scheduleId" in thing:
                schedule_of[value] = thing["scheduleId"]
        elif name.endswith("Id") and isinstance(value, str):
            _learn(kind_of(name), value)


def _forget(id: str) -> None:
    known.discard(id)
    for some in ids.values():
        if id in some:
            some.remove(id)


def _learn(kind: str, id: str) -> None:
    if id not in known:
        known.add(id)
        ids[kind].append(id)


ONE_FIELD_AGAINST_ANOTHER = {
    r"a hold needs no override",
    r"a list spans \d+ days at most",
    r"a preview spans \d+ days at most",
    r"a slot is 24 hours long at the most",
    r"a start and an end go together",
    r"an appointment takes \d+ slots at the most",
    r"an exception is \d+ days long at the most",
    r"an override needs a reason",
    r"closed time has no windows",
    r"either a date, or a start and an end",
    r"end must not be before start",
    r"extra hours take a window",
    r"give [a-zA-Z ]+, or .*",
    r"is one of [a-z, -]+",  # a reason, by the status that it is for
    r"more than \d+ slots",
    r"must be \d+ (hours|days) after [a-z]+ at most",
    r"must be after (earliest|from|start)",
    r"must be an instant or a day, as from is",
    r"must not be before from",
    r"must not name an appointment twice",
    r"only closed time has a start and an end",
    r"or practitionerId must be given",
    r"say what is to change",
    r"slotMinutes must fit between startTime and endTime",
    r"validTo must not be before validFrom",
    r"windows name their own service types",
}
AGAINST_WHAT_IS_STORED_OR_WHO_ASKS = {
    r"a patient's own token cancels as the patient",
    r"a role keeps its practitioner and its location; make another one",
    r"another location has this code",
    r"another patient has this file number",
    r"is not the time that the entry waits for",
}
NO_WORD_FOR_IT = {
    r"is none that we gave",  # cursors are opaque
    r"must be (ahead|in the future)",
    r"must be between the years 1900 and 2200",
    r".* does not say how far it is from UTC",  # some days of some zones
}
_RIGHTLY = re.compile(
    "|".join(
        ONE_FIELD_AGAINST_ANOTHER | AGAINST_WHAT_IS_STORED_OR_WHO_ASKS | NO_WORD_FOR_IT
    )
)
"""All that a request in good shape may be told by a 422: what no schema can say."""

CODES = {
    (412, "OPTIMISTIC_LOCK_CONFLICT"),  # of a version that is not the stored one
    (428, "PRECONDITION_REQUIRED"),  # If-Match or `version`: either will do
    (422, "IDEMPOTENCY_KEY_REUSED"),  # the twentieth key is used again on purpose
    (400, "PATIENT_ID_CLAIM_REQUIRED"),  # staff who book as if they were patients
}


@schemathesis.hook
def filter_failure(
    _context: Any,  # noqa: ANN401
    failure: Failure,
    _case: Any,  # noqa: ANN401
    response: Response,
) -> bool:
    """Let pass what was refused for a reason that no schema can say; nothing else."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    told = response.json()
    if (response.status_code, told.get("code")) in CODES:
        return False
    refused = [one["message"] for one in told.get("errors", [])]
    return not refused or not all(map(_RIGHTLY.fullmatch, refused))
