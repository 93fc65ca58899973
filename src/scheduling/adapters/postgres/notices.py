from dataclasses import dataclass

from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.notices import Notice, Notices


@dataclass(frozen=True, slots=True)
class PostgresNotices(Notices):
    transaction: Transaction

    def tell(self, news: Notice) -> None:
        self.transaction.announce((news,))
