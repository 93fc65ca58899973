from uuid import UUID

import httpx2
import pytest

from scheduling.domain.identifiers import TenantId
from scheduling.entrypoints.http.quota import Quota, RateLimited, Rationed
from tests.unit.http.door import Door

ONE, OTHER = TenantId(UUID(int=1)), TenantId(UUID(int=2))


class Hand:
    """A clock that is turned by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(of: Quota, tenant: TenantId, times: int) -> int:
    """Return how many of that many were let in."""
    let_in = 0
    for _ in range(times):
        try:
            of.take(tenant)
        except RateLimited:
            continue
        let_in += 1
    return let_in


def test_a_seconds_worth_comes_at_once_and_the_rest_as_time_goes() -> None:
    clock = Hand()
    of_ten = Quota(10, clock)
    assert taken(of_ten, ONE, 30) == 10
    clock.now += 0.5
    assert taken(of_ten, ONE, 30) == 5
    clock.now += 3600
    assert taken(of_ten, ONE, 30) == 10


def test_one_tenants_haste_is_not_anothers() -> None:
    of_two = Quota(2, Hand())
    assert taken(of_two, ONE, 9) == 2
    assert taken(of_two, OTHER, 9) == 2


def test_less_than_one_a_second_still_lets_one_in() -> None:
    clock = Hand()
    of_few = Quota(0.1, clock)
    of_few.take(ONE)
    with pytest.raises(RateLimited) as refused:
        of_few.take(ONE)
    assert refused.value.retry_after == 10
    clock.now += refused.value.retry_after
    of_few.take(ONE)


def test_who_waits_as_long_as_told_is_let_in() -> None:
    clock = Hand()
    of_three = Quota(3, clock)
    for _ in range(50):
        try:
            of_three.take(ONE)
        except RateLimited as refused:
            clock.now += refused.retry_after
            of_three.take(ONE)


def test_quiet_tenants_are_forgotten() -> None:
    clock = Hand()
    of_one = Quota(1, clock, many=3)
    for number in range(10):
        of_one.take(TenantId(UUID(int=number)))
        clock.now += 1
    assert taken(of_one, TenantId(UUID(int=9)), 9) == 1
    assert len(vars(of_one)["_full_at"]) <= 3


async def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    door = Door()
    door.ration(lambda others: Rationed(others, Quota(2, Hand())))
    async with door.client() as client:
        asked = [
            await client.get("/me", headers={"Authorization": "Bearer reception"})
            for _ in range(3)
        ]
        nobody = await client.get("/me", headers={"Authorization": "Bearer x"})
    assert [a.status_code for a in asked] == [200, 200, 429]
    assert refusal(asked[-1]) == ("RATE_LIMITED", "1")
    assert nobody.status_code == 401, "a token that is none is no tenant's"


def refusal(answer: httpx2.Response) -> tuple[str, str]:
    return answer.json()["code"], answer.headers["retry-after"]
