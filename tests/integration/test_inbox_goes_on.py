"""However many messages wait for another try, the next one is followed."""

from uuid import uuid4

from scheduling.application.commands.receive_event import Reactions
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import ReceivedEvent
from scheduling.application.ports.messages import RoutedNews
from scheduling.application.ports.sub_files import Alarms
from scheduling.application.ports.unavailable import Unavailable
from scheduling.application.ports.unit_of_work import BeginWork
from tests.following import an_event, following, sending, settings_of, until_rows

MANY = 1_100
"""More than the thousand that a broker lets be without an answer by itself."""


class Away(Unavailable):
    pass


async def all_but_one_fail(_caller: Caller, event: ReceivedEvent[RoutedNews]) -> None:
    if event.id != "good":
        raise Away


def reactions(_begin: BeginWork, _now: Clock, _alarms: Alarms) -> Reactions:
    return {RoutedNews: all_but_one_fail}


async def test_a_thousand_that_wait_for_another_try_stop_nobody_else(
    database_url: str, nats_url: str
) -> None:
    data = {"equipmentId": str(uuid4()), "locationId": str(uuid4())}
    settings = settings_of(database_url, nats_url)
    async with (
        following(settings, reactions=reactions, first_pause=300.0),
        sending(nats_url) as sender,
    ):
        for _ in range(MANY):
            await sender.send(uuid4(), an_event("equipment.low-stock", data))
        good = an_event("equipment.low-stock", data, id="good")
        await sender.send(uuid4(), good)
        (followed,) = await until_rows(database_url, 1, "SELECT * FROM inbox")
    assert followed["event_id"] == "good"
