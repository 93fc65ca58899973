"""News that is of nothing we store: answers to those who asked, and requests to tell
somebody something, or to go on with a patient who is here.
"""

from typing import Protocol, TypeAlias

from scheduling.domain.events import NotificationRequested, PortalReply
from scheduling.domain.handover_events import EncounterRequested

Notice: TypeAlias = NotificationRequested | PortalReply | EncounterRequested


class Notices(Protocol):
    def tell(self, news: Notice) -> None:
        """Let it go out with the transaction."""
