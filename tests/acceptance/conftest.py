"""The product as processes over real servers, shared by all tests of a worker: each
test has a tenant of its own.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from uuid import UUID, uuid4

import httpx2
import pytest

from scheduling.application.ports.identity import Scope
from tests.acceptance.desk import Desk
from tests.acceptance.product import Product, running_product
from tests.servers import Databases, nats_server

ALL = " ".join(scope for scope in Scope if scope is not Scope.IMPORT)


@pytest.fixture(scope="session")
def product(
    postgres: tuple[Databases, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """With a broker of its own: other tests of this worker empty the shared one."""
    databases, template = postgres
    folder = tmp_path_factory.mktemp("product")
    with (
        databases.fresh(template) as database_url,
        nats_server(folder / "nats") as nats_url,
        running_product(database_url, nats_url, folder / "run") as product,
    ):
        yield product


@pytest.fixture
def tenant() -> UUID:
    return uuid4()


Token = Callable[..., str]


@pytest.fixture
def token(tenant: UUID, product: Product) -> Token:
    """Mint a token of the test's tenant; `tenant_id`, `scope`, … as the issuer has."""

    def mint(**told: object) -> str:
        given = {"tenant_id": tenant, "scope": ALL, "subject": "reception", **told}
        return product.issuer.mint(**given)  # type: ignore[arg-type]  # checked there

    return mint


@pytest.fixture
async def http(product: Product) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        base_url=product.url, timeout=30, limits=httpx2.Limits(max_connections=64)
    ) as client:
        yield client


@pytest.fixture
def desk(http: httpx2.AsyncClient, token: Token) -> Desk:
    return Desk(http, token())
