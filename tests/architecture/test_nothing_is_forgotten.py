"""What must name every class of a kind does name every class of that kind."""

import re
from collections import defaultdict

from scheduling.adapters.postgres.tables import metadata
from scheduling.domain import errors
from scheduling.domain.errors import (
    DomainError,
    InvalidInput,
    InvalidPeriod,
    NotBookable,
    NotFound,
    OptimisticLockConflict,
    PreconditionFailed,
)
from scheduling.domain.events import (
    AppointmentEvent,
    Event,
    PortalReply,
    ReminderEvent,
    SlotEvent,
    WaitlistOfferEvent,
)
from tests.architecture.wire import EVENTS, every

# Abstract: they group others, and nobody raises them.
GROUPS = {DomainError, NotFound, NotBookable}
# One code, two ways to be told: in the body and by If-Match; and a special case.
SHARED = [{OptimisticLockConflict, PreconditionFailed}, {InvalidInput, InvalidPeriod}]


def test_every_refusal_has_a_code_of_its_own() -> None:
    by_code = defaultdict(set)
    for refusal in every(DomainError) - GROUPS:
        by_code[refusal.code].add(refusal)
    assert DomainError.code not in by_code
    for code, refusals in by_code.items():
        assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code)
        assert len(refusals) == 1 or refusals in SHARED, code


def test_the_tree_of_refusals_is_drawn_whole() -> None:
    drawn = errors.__doc__ or ""
    for refusal in every(DomainError):
        assert re.search(rf"\b{refusal.__name__}\b", drawn), refusal


def test_every_event_is_an_example_on_the_wire() -> None:
    examples: set[type] = {type(example) for _, example in EVENTS}
    grouping: set[type] = {
        Event,
        AppointmentEvent,
        SlotEvent,
        PortalReply,
        ReminderEvent,
        WaitlistOfferEvent,
    }
    assert examples == every(Event) - grouping


def test_every_key_begins_with_the_tenant() -> None:
    for table in metadata.sorted_tables:
        first = next(iter(table.primary_key.columns), None)
        assert first is not None
        assert first.name == "tenant_id", table.name
