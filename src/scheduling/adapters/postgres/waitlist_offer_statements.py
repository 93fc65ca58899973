"""What is read of offers of freed time: with its entry, whom to ask, which are over."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    exists,
    literal_column,
    or_,
    select,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.claimed import kind
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.domain.claim import ActorKind

_INSTANT = DateTime(timezone=True)
_OFFERED: ColumnElement[str] = literal_column("'offered'")


TIME_COLUMNS = (
    "practitioner_id",
    "location_id",
    "slot_ids",
    "starts_at",
    "ends_at",
    "timezone",
    "appointment_type",
)


def entries_with_offers() -> Select[Any]:
    """Entries, and what is offered to each: in columns that begin with `offer_`, and
    with `hold_` where the hold is.
    """
    entries, offers, holds = t.waitlist_entries, t.waitlist_offers, t.appointments
    live = and_(
        offers.c.tenant_id == TENANT,
        offers.c.waitlist_entry_id == entries.c.id,
        offers.c.status == _OFFERED,
    )
    held = and_(holds.c.tenant_id == TENANT, holds.c.id == offers.c.appointment_id)
    return (
        select(
            entries,
            *(c.label(f"offer_{c.name}") for c in offers.c if c.name != "tenant_id"),
            *(holds.c[name].label(f"hold_{name}") for name in TIME_COLUMNS),
        )
        .select_from(entries.outerjoin(offers, live).outerjoin(holds, held))
        .where(entries.c.tenant_id == TENANT)
        .order_by(entries.c.created_at, entries.c.id)
    )


def named_entries() -> Select[Any]:
    """The same with the names of their patients, which are always there."""
    entries, patients = t.waitlist_entries, t.patients
    name = (
        select(patients.c.name)
        .where(patients.c.tenant_id == TENANT, patients.c.id == entries.c.patient_id)
        .scalar_subquery()
    )
    return entries_with_offers().add_columns(name.label("patient_name"))


@cache
def reading_named() -> Statement:
    ids = given("ids", ARRAY(Uuid))
    return compiled(named_entries().where(t.waitlist_entries.c.id == any_(ids)))


@cache
def reading_entries(by: str) -> Statement:
    """By `id`, or those that a patient waits with."""
    entries = t.waitlist_entries
    asked = (
        [entries.c.id == given("id", Uuid)]
        if by == "id"
        else [
            entries.c.patient_id == given("patient_id", Uuid),
            entries.c.status == literal_column("'waiting'"),
        ]
    )
    return compiled(entries_with_offers().where(*asked))


@cache
def reading_whom_to_ask() -> Statement:
    entries, offers = t.waitlist_entries, t.waitlist_offers
    others = entries.alias("others")
    busy = exists().where(
        offers.c.tenant_id == TENANT,
        offers.c.waitlist_entry_id == entries.c.id,
        offers.c.status == _OFFERED,
    )
    asked = exists().where(
        offers.c.tenant_id == TENANT,
        offers.c.source_event_id == given("source_event_id", Text),
        others.c.tenant_id == TENANT,
        others.c.id == offers.c.waitlist_entry_id,
        others.c.patient_id == entries.c.patient_id,
    )
    return compiled(
        select(entries).where(
            entries.c.tenant_id == TENANT,
            entries.c.id == any_(given("ids", ARRAY(Uuid))),
            entries.c.status == literal_column("'waiting'"),
            ~busy.correlate(entries),
            ~asked.correlate(entries),
        )
    )


@cache
def reading_offers_over() -> Statement:
    offers, holds = t.waitlist_offers, t.appointments
    return compiled(
        select(offers.c.waitlist_entry_id)
        .join(
            holds,
            and_(holds.c.tenant_id == TENANT, holds.c.id == offers.c.appointment_id),
        )
        .where(
            offers.c.tenant_id == TENANT,
            offers.c.status == _OFFERED,
            or_(
                offers.c.expires_at <= given("now", _INSTANT),
                holds.c.status != literal_column("'pending'"),
            ),
        )
        .order_by(offers.c.expires_at, offers.c.id)
        .limit(given("limit", Integer))
    )


@cache
def reading_holds_run_out() -> Statement:
    """By the claims of their patients, which go when a hold lapses or is booked."""
    claims, offers = t.claims, t.waitlist_offers
    offered = exists().where(
        offers.c.tenant_id == TENANT,
        offers.c.appointment_id == claims.c.appointment_id,
        offers.c.status == _OFFERED,
    )
    return compiled(
        select(claims.c.appointment_id)
        .where(
            claims.c.tenant_id == TENANT,
            claims.c.actor_kind == kind(ActorKind.PATIENT),
            claims.c.expires_at.is_not(None),
            claims.c.expires_at <= given("now", _INSTANT),
            ~offered.correlate(claims),
        )
        .order_by(claims.c.expires_at, claims.c.appointment_id)
        .limit(given("limit", Integer))
    )
