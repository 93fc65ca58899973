"""News that is of nothing we store: answers to those who asked, and requests to tell
somebody something.
"""

from typing import Protocol

from scheduling.domain.events import NotificationRequested, PortalReply


class Notices(Protocol):
    def tell(self, news: NotificationRequested | PortalReply) -> None:
        """Let it go out with the transaction."""
