from dataclasses import dataclass

from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.notices import Notices
from scheduling.domain.events import NotificationRequested, PortalReply


@dataclass(frozen=True, slots=True)
class PostgresNotices(Notices):
    transaction: Transaction

    def tell(self, news: NotificationRequested | PortalReply) -> None:
        self.transaction.announce((news,))
