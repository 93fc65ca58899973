"""Our own events that we follow ourselves: what a calendar is made from has changed."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from scheduling.adapters.cloud_events.incoming import Incoming
from scheduling.adapters.cloud_events.rejections import InvalidMessage
from scheduling.application.ports.messages import CalendarNews
from scheduling.domain.identifiers import PractitionerRoleId, ScheduleId


def own_news(incoming: Incoming) -> CalendarNews | None:
    """Return what it says, None where it is not of our own. Raise InvalidMessage."""
    if incoming.type not in OWN_NEWS:
        return None
    try:
        return OWN_NEWS[incoming.type](incoming)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidMessage("data: an id is missing or is none") from error


def _of_role(incoming: Incoming) -> CalendarNews:
    data = _data(incoming)
    return CalendarNews(
        schedule_id=ScheduleId(UUID(data["scheduleId"])),
        practitioner_role_id=PractitionerRoleId(UUID(data["practitionerRoleId"])),
        role_version=incoming.version,
    )


def _of_calendar(incoming: Incoming) -> CalendarNews:
    return CalendarNews(
        schedule_id=ScheduleId(UUID(_data(incoming)["scheduleId"])),
        practitioner_role_id=None,
        role_version=None,
    )


def _data(incoming: Incoming) -> Mapping[str, Any]:
    if not isinstance(incoming.data, dict):
        raise TypeError("data is not an object")
    return incoming.data


OWN_NEWS: Mapping[str, Callable[[Incoming], CalendarNews]] = {
    "practitioner-role.changed": _of_role,
    "schedule.changed": _of_calendar,
    "schedule.published": _of_calendar,
}
