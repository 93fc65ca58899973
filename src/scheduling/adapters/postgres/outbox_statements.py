"""What the relay and the operator say to the outbox."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    null,
    select,
    table,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.types import TypeEngine

from scheduling.adapters.postgres.statements import compiled
from scheduling.adapters.postgres.tables import outbox

PARTITION_LOCKS = 512_877_001
"""The first key of the advisory lock that a relay holds per partition."""

MEMBER_LOCKS = 512_877_002
"""The first key of the one shared lock that every relay holds, to be counted."""

CLAIMED_OF_ONE_PARTITION = 256
"""So that a partition with a backlog leaves room in the batch for the others."""


def _array(name: str, item: type[TypeEngine[Any]]) -> BindParameter[Any]:
    return bindparam(name, type_=ARRAY(item))


_PENDING = outbox.c.published_at.is_(None)
_BLOCKED = and_(_PENDING, outbox.c.blocked_at.is_not(None))

_held = (
    func.unnest(_array("partitions", SmallInteger), _array("floors", BigInteger))
    .table_valued(column("partition", SmallInteger), column("floor", BigInteger))
    .render_derived("held")
)
_waiting_for_replay = (
    func.unnest(_array("tenants", Uuid), _array("aggregates", Uuid))
    .table_valued(column("tenant_id", Uuid), column("aggregate_id", Uuid))
    .render_derived("stopped")
)
_oldest = (
    select(
        outbox.c.id,
        outbox.c.tenant_id,
        outbox.c.partition,
        outbox.c.aggregate_id,
        outbox.c.aggregate_version,
        outbox.c.event_id,
        outbox.c.subject,
        outbox.c.body,
    )
    .where(
        outbox.c.partition == _held.c.partition,
        _PENDING,
        outbox.c.id >= _held.c.floor,
        tuple_(outbox.c.tenant_id, outbox.c.aggregate_id).not_in(
            select(_waiting_for_replay.c.tenant_id, _waiting_for_replay.c.aggregate_id)
        ),
    )
    .order_by(outbox.c.id)
    .limit(literal_column(str(CLAIMED_OF_ONE_PARTITION)))
    .correlate(_held)
    .lateral("oldest")
)

# The outer limit has no ORDER BY, which would read 64 times 256 bodies to keep a
# thousand. A lateral join can only be a nested loop: partitions come in the order asked
# for, each in the order of its ids, and only the last one is cut. `PostgresOutbox`
# checks it.
CLAIM = compiled(
    select(*_oldest.c)
    .select_from(_held.join(_oldest, literal_column("true")))
    .limit(bindparam("rows", type_=Integer))
)

_done = (
    func.unnest(_array("partitions", SmallInteger), _array("ids", BigInteger))
    .table_valued(column("partition", SmallInteger), column("id", BigInteger))
    .render_derived("done")
)
MARK_PUBLISHED = compiled(
    update(outbox)
    .values(published_at=func.clock_timestamp())
    .where(outbox.c.partition == _done.c.partition, outbox.c.id == _done.c.id, _PENDING)
)

BLOCK = compiled(
    update(outbox)
    .values(
        blocked_at=func.clock_timestamp(),
        blocked_reason=bindparam("reason", type_=Text),
    )
    .where(
        outbox.c.partition == bindparam("of_partition", type_=SmallInteger),
        outbox.c.id == bindparam("of_id", type_=BigInteger),
        _PENDING,
    )
)

BLOCKED_AGGREGATES = compiled(
    select(outbox.c.partition, outbox.c.tenant_id, outbox.c.aggregate_id)
    .where(_BLOCKED, outbox.c.partition == func.any(_array("partitions", SmallInteger)))
    .distinct()
)

_locks = table(
    "pg_locks",
    *(
        column(name)
        for name in (
            "locktype",
            "database",
            "relation",
            "mode",
            "granted",
            "virtualtransaction",
            "classid",
            "objid",
            "objsubid",
            "pid",
        )
    ),
)
_databases = table("pg_database", column("oid"), column("datname"))
_this_database = (
    select(_databases.c.oid)
    .where(_databases.c.datname == func.current_database())
    .scalar_subquery()
)

# Every transaction that writes to the outbox holds this lock from before it draws an
# id until it ends, whether or not it has a transaction id yet.
WRITERS = compiled(
    select(_locks.c.virtualtransaction)
    .where(
        _locks.c.locktype == literal_column("'relation'"),
        _locks.c.database == _this_database,
        _locks.c.relation == cast(literal_column("'outbox'"), REGCLASS),
        _locks.c.mode == literal_column("'RowExclusiveLock'"),
    )
    .distinct()
)

HOLDERS = compiled(
    select(
        (cast(_locks.c.classid, BigInteger) == literal_column(str(MEMBER_LOCKS))).label(
            "is_member"
        ),
        cast(_locks.c.objid, Integer).label("partition"),
        _locks.c.pid,
    ).where(
        _locks.c.locktype == literal_column("'advisory'"),
        _locks.c.database == _this_database,
        cast(_locks.c.classid, BigInteger).in_(
            [literal_column(str(PARTITION_LOCKS)), literal_column(str(MEMBER_LOCKS))]
        ),
        _locks.c.objsubid == literal_column("2"),
        _locks.c.granted,
    )
)

JOIN_RELAYS = compiled(
    select(
        func.pg_advisory_lock_shared(
            literal_column(str(MEMBER_LOCKS)), literal_column("0")
        )
    )
)

_wanted = (
    func.unnest(_array("partitions", Integer))
    .table_valued(column("partition", Integer))
    .render_derived("wanted")
)
TRY_LOCK = compiled(
    select(_wanted.c.partition).where(
        func.pg_try_advisory_lock(
            literal_column(str(PARTITION_LOCKS)), _wanted.c.partition
        )
    )
)
UNLOCK = compiled(
    select(
        func.pg_advisory_unlock(
            literal_column(str(PARTITION_LOCKS)), _wanted.c.partition
        )
    )
)

PENDING = compiled(
    select(
        outbox.c.partition,
        func.count().label("pending"),
        (func.clock_timestamp() - func.min(outbox.c.created_at)).label("lag"),
    )
    .where(_PENDING)
    .group_by(outbox.c.partition)
)

_waits = outbox.alias("waits")
BLOCKED = compiled(
    select(
        outbox.c.tenant_id,
        outbox.c.aggregate_id,
        outbox.c.event_id,
        outbox.c.blocked_at,
        outbox.c.blocked_reason,
        select(func.count())
        .where(
            _waits.c.partition == outbox.c.partition,
            _waits.c.published_at.is_(None),
            _waits.c.tenant_id == outbox.c.tenant_id,
            _waits.c.aggregate_id == outbox.c.aggregate_id,
        )
        .scalar_subquery()
        .label("waiting"),
    )
    .where(_BLOCKED)
    .order_by(outbox.c.blocked_at)
)

_some = _array("aggregates", Uuid)
UNBLOCK = compiled(
    update(outbox)
    .values(blocked_at=null(), blocked_reason=null())
    .where(_BLOCKED, _some.is_(None) | (outbox.c.aggregate_id == func.any(_some)))
    .returning(outbox.c.tenant_id, outbox.c.aggregate_id)
)

POSITIONS = compiled(
    select(outbox.c.event_id, outbox.c.id).where(
        outbox.c.event_id == func.any(_array("events", Uuid))
    )
)

_from_id, _to_id = (bindparam(name, type_=BigInteger) for name in ("low", "high"))
_since = bindparam("since", type_=DateTime(timezone=True))
REPUBLISH = compiled(
    update(outbox)
    .values(published_at=null())
    .where(
        outbox.c.published_at.is_not(None),
        _from_id.is_(None) | (outbox.c.id >= _from_id),
        _to_id.is_(None) | (outbox.c.id <= _to_id),
        _since.is_(None) | (outbox.c.published_at >= _since),
    )
    .returning(outbox.c.id)
)
