"""Optimistic locking: a change says which version it was decided on."""

from dataclasses import dataclass

from scheduling.domain.errors import (
    OptimisticLockConflict,
    PreconditionFailed,
    PreconditionRequired,
)


@dataclass(frozen=True, slots=True)
class ExpectedVersion:
    """The version the caller saw, from the `If-Match` header or from the body.

    None is `If-Match: *`: any version, but there must be one.
    """

    value: int | None
    in_header: bool = False


def demand_version(expected: ExpectedVersion | None, actual: int) -> None:
    """Refuse a change that names no version; else as `check_version`."""
    if expected is None or expected.value is None:
        raise PreconditionRequired(
            "Say which version you change: If-Match, or version in the body."
        )
    check_version(expected, actual)


def check_version(expected: ExpectedVersion | None, actual: int) -> None:
    """Refuse a change decided on another version than the stored one.

    RFC 9110, 13.1.1: a false If-Match is 412; the same told in the body is 409.
    """
    if expected is None or expected.value == actual:
        return
    if expected.value is None and actual > 0:
        return
    refusal = PreconditionFailed if expected.in_header else OptimisticLockConflict
    raise refusal(f"The version is {actual}, not the one that was named.")
