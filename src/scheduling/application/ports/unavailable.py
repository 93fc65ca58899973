"""Something that we stand on is away; the same request may well succeed later."""

from typing import ClassVar


class Unavailable(Exception):
    """Raised by adapters; `retry_after` is the seconds that a client should wait."""

    code: ClassVar[str] = "SERVICE_UNAVAILABLE"
    retry_after: ClassVar[int] = 1


class DatabaseUnavailable(Unavailable):
    """No connection is to be had, or the one in use broke.

    Whether a commit that was under way took place is not known: who asks again under
    the same Idempotency-Key gets the answer either way.
    """
