from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import RoutedNews
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.routing import ROUTES


@dataclass(frozen=True, slots=True)
class RouteNotification(Reaction[RoutedNews]):
    """Have somebody told of what happened elsewhere; whom, the table says."""

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, event: ReceivedEvent[RoutedNews]) -> None:
        news = event.message
        notification = ROUTES[news.type].to_notification(
            news.references, source_event_id=event.id, now=self.now()
        )
        async with self.begin(caller) as work:
            work.notices.tell(notification)
