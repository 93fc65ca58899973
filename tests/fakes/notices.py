from dataclasses import dataclass

from scheduling.application.ports.notices import Notice, Notices
from tests.fakes.transaction import Transaction


@dataclass
class MemoryNotices(Notices):
    transaction: Transaction

    def tell(self, news: Notice) -> None:
        self.transaction.announce((news,))
