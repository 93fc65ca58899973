"""Which organisations there are, for what is done for each of them."""

from collections.abc import Sequence
from typing import Protocol

from scheduling.domain.identifiers import TenantId


class Tenants(Protocol):
    async def all(self) -> Sequence[TenantId]: ...
