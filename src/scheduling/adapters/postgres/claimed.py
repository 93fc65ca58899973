"""Which claims are in the way, said so that an index serves it."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, func, literal_column

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.domain.claim import ActorKind

LONGEST_CLAIM: ColumnElement[Any] = literal_column("interval '28 hours'")
"""No claim is longer (`ck_claims_length`): one that is in the way begins after that."""


def kind(of: ActorKind) -> ColumnElement[int]:
    return literal_column(str(int(of)), Integer)


def claimed_by(actor: ColumnElement[Any], kind: ColumnElement[Any]) -> Any:  # noqa: ANN401
    claims = t.claims
    return and_(
        claims.c.tenant_id == TENANT,
        claims.c.actor_id == actor,
        claims.c.actor_kind == kind,
    )


def around(start: ColumnElement[Any], end: ColumnElement[Any]) -> Any:  # noqa: ANN401
    """Claims that meet `[start, end)`, said so that their primary key serves it.

    `taken && …` would say it shorter, but PostgreSQL does not hold range operators for
    leakproof and so never uses them on an index under row level security.
    """
    claims = t.claims
    return and_(
        claims.c.starts_at > start - LONGEST_CLAIM,
        claims.c.starts_at < end,
        claims.c.until > start,
    )


def claims_json() -> ColumnElement[Any]:
    """All claims of a query in one value, as `claim_from` reads each."""
    claims = t.claims
    return func.json_agg(
        func.json_build_array(
            claims.c.appointment_id,
            claims.c.actor_kind,
            claims.c.actor_id,
            claims.c.share_id,
            claims.c.starts_at,
            claims.c.ends_at,
            claims.c.until,
            claims.c.overbooked,
            claims.c.expires_at,
        )
    )
