"""`/v1/settings`: what an organisation decides about its own booking."""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import AfterValidator, ConfigDict, Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.settings import LONGEST_BUFFER_MINUTES, Limits, Settings
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.shapes import Flag, Instant, Shape, Whole, Zone, answer
from scheduling.entrypoints.http.use_cases import Queries

router = room("/settings", "directory")

_DEFAULT = Settings()
_DAY, _YEAR = 24 * 60, 365 * 24 * 60

BufferMinutes = Annotated[Whole, Field(ge=0, le=LONGEST_BUFFER_MINUTES)]
UpToADay = Annotated[Whole, Field(ge=0, le=_DAY)]
Count = Annotated[Whole, Field(ge=1, le=10_000)]


def _each_once(offsets: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(offsets)) < len(offsets):
        raise ValueError("must not say the same twice")
    return offsets


class LimitsBody(Shape):
    """How many appointments a practitioner takes; null: as many as there is room."""

    per_practitioner_day: Count | None = None
    per_practitioner_week: Count | None = None


class SettingsBody(Shape):
    """Put whole: what is left out goes back to its default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "bufferMinutes": 15,
                    "minimumNoticeMinutes": 60,
                    "horizonDays": 90,
                    "limits": {"perPractitionerDay": 20},
                    "timezone": "America/Sao_Paulo",
                }
            ]
        }
    )

    buffer_minutes: BufferMinutes = _DEFAULT.buffer_minutes
    minimum_notice_minutes: Annotated[Whole, Field(ge=0, le=_YEAR)] = (
        _DEFAULT.minimum_notice_minutes
    )
    horizon_days: Annotated[Whole, Field(ge=1, le=730)] = _DEFAULT.horizon_days
    hold_minutes: Annotated[Whole, Field(ge=1, le=_DAY)] = _DEFAULT.hold_minutes
    reminder_offsets_minutes: Annotated[
        tuple[Annotated[Whole, Field(ge=1, le=_YEAR)], ...],
        Field(max_length=10, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
    ] = _DEFAULT.reminder_offsets_minutes
    no_show_grace_minutes: UpToADay = _DEFAULT.no_show_grace_minutes
    limits: LimitsBody = LimitsBody()
    timezone: Zone = _DEFAULT.timezone
    waitlist_offers: Annotated[
        Flag,
        Field(
            description="Freed time is kept for one who waits after the other, each "
            "for `holdMinutes`, before it is everybody's again",
        ),
    ] = _DEFAULT.waitlist_offers

    def to_settings(self) -> Settings:
        return Settings(
            buffer_minutes=self.buffer_minutes,
            minimum_notice_minutes=self.minimum_notice_minutes,
            horizon_days=self.horizon_days,
            hold_minutes=self.hold_minutes,
            reminder_offsets_minutes=self.reminder_offsets_minutes,
            no_show_grace_minutes=self.no_show_grace_minutes,
            limits=Limits(
                self.limits.per_practitioner_day, self.limits.per_practitioner_week
            ),
            timezone=self.timezone,
            waitlist_offers=self.waitlist_offers,
        )


class SettingsView(Shape):
    """Version 0: nothing was put yet, these are the defaults."""

    buffer_minutes: int
    minimum_notice_minutes: int
    horizon_days: int
    hold_minutes: int
    reminder_offsets_minutes: list[int]
    no_show_grace_minutes: int
    limits: LimitsBody
    timezone: str
    waitlist_offers: bool
    updated_at: Instant | None
    version: int


def _view(one: Settings) -> dict[str, Any]:
    return {
        "bufferMinutes": one.buffer_minutes,
        "minimumNoticeMinutes": one.minimum_notice_minutes,
        "horizonDays": one.horizon_days,
        "holdMinutes": one.hold_minutes,
        "reminderOffsetsMinutes": one.reminder_offsets_minutes,
        "noShowGraceMinutes": one.no_show_grace_minutes,
        "limits": {
            "perPractitionerDay": one.limits.per_practitioner_day,
            "perPractitionerWeek": one.limits.per_practitioner_week,
        },
        "timezone": one.timezone,
        "waitlistOffers": one.waitlist_offers,
        "updatedAt": one.updated_at,
        "version": one.version,
    }


def _put(one: Settings) -> StoredAnswer:
    return answer(200, _view(one), version=one.version)


def _expected(request: Request) -> ExpectedVersion | None:
    """There always are settings: `If-Match: *` asks for nothing here."""
    expected = expected_version(request)
    return None if expected is None or expected.value is None else expected


@router.put(
    "",
    **documented.command(
        SettingsView,
        errors.PreconditionFailed,
        errors.OptimisticLockConflict,
        status=200,
        if_match=True,
    ),
)
async def put_settings(
    wanted: SettingsBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE, Scope.ADMIN))],
) -> Response:
    """Decide how the organisation books; what is booked stays as it is."""
    return await commanding(
        request,
        caller,
        lambda do: do.put_settings(
            caller, wanted.to_settings(), expected=_expected(request)
        ),
        _put,
    )


@router.get("", **documented.reading(SettingsView))
async def get_settings(
    request: Request, caller: Annotated[Caller, Depends(Requires(Scope.READ))]
) -> Response:
    """The settings that hold now."""
    queries: Queries = request.state.queries
    one = await queries.get_settings(caller)
    return found(request, _view(one), one.version)
