"""How much one tenant may ask of this process, where that is limited at all.

Overload is shed by the front door, whoever comes. A quota is for fairness: one tenant's
runaway client is slowed down before the others notice it.
"""

import math
import time
from collections.abc import Callable
from typing import ClassVar

from scheduling.application.ports.identity import Authenticate, Identity
from scheduling.domain.identifiers import TenantId

_A_MOMENT = 1e-6
"""Seconds that are forgiven: ten tenths make no whole second in binary."""


class RateLimited(Exception):
    """Too much, too fast; `retry_after` is in whole seconds."""

    code: ClassVar[str] = "RATE_LIMITED"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"come back in {retry_after} s")
        self.retry_after = retry_after


class Quota:
    """A token bucket for each tenant: filled at `per_second`, one second's worth deep.

    Kept as one number for each, the instant at which its bucket is full again (this is
    the generic cell rate algorithm of ATM switches, which needs no timer). Above `many`
    tenants those are forgotten whose bucket is full.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        many: int = 10_000,
    ) -> None:
        self._each = 1 / per_second
        self._depth = max(1.0, self._each) + _A_MOMENT
        self._clock = clock
        self._many = many
        self._full_at: dict[TenantId, float] = {}

    def take(self, tenant: TenantId) -> None:
        """Take one from the tenant's bucket; raise RateLimited where it is empty."""
        now = self._clock()
        full_at = max(now, self._full_at.get(tenant, now)) + self._each
        too_early = full_at - now - self._depth
        if too_early > 0:
            raise RateLimited(math.ceil(too_early))
        if len(self._full_at) >= self._many:
            self._full_at = {t: at for t, at in self._full_at.items() if at > now}
        self._full_at[tenant] = full_at


class Rationed(Authenticate):
    """Know who comes, and let them in as often as their tenant may come."""

    def __init__(self, authenticate: Authenticate, quota: Quota) -> None:
        self._authenticate = authenticate
        self._quota = quota

    async def __call__(self, token: str, /) -> Identity:
        identity = await self._authenticate(token)
        self._quota.take(identity.tenant_id)
        return identity
