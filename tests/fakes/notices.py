from dataclasses import dataclass

from scheduling.application.ports.notices import Notices
from scheduling.domain.events import NotificationRequested, PortalReply
from tests.fakes.transaction import Transaction


@dataclass
class MemoryNotices(Notices):
    transaction: Transaction

    def tell(self, news: NotificationRequested | PortalReply) -> None:
        self.transaction.announce((news,))
