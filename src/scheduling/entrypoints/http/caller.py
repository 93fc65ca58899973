"""Who asks: the one dependency by which every route says what it takes to be let in."""

import re

from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from scheduling.application.ports.identity import (
    Authenticate,
    Caller,
    Forbidden,
    Reason,
    Scope,
    Unauthenticated,
)

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


OF_PATIENTS = frozenset({Scope.READ, Scope.BOOK})
"""All that a patient's own token can allow, whatever else it says."""


class Requires(SecurityBase):
    """Let in who has the scope, or one of the others, and say who it is.

    `caller: Annotated[Caller, Depends(Requires(Scope.BOOK))]`. As one object that is
    also the security scheme it costs a request one dependency, not three.
    """

    def __init__(self, scope: Scope, *others: Scope) -> None:
        self.scheme_name = "token"
        self.model = HTTPBearer(bearerFormat="JWT")
        self._scope = scope
        self._enough = frozenset({scope, *others})

    async def __call__(self, request: Request) -> Caller:
        authenticate: Authenticate = request.state.authenticate
        identity = await authenticate(_bearer_token(request))
        scopes = identity.scopes
        if identity.patient_id is not None:
            scopes &= OF_PATIENTS
        caller = Caller(
            tenant_id=identity.tenant_id,
            subject=identity.subject,
            scopes=scopes,
            patient_id=identity.patient_id,
            request_id=request.state.request_id,
            traceparent=_traceparent(request),
        )
        # Before they are turned away: who was, is recorded.
        request.state.caller = caller
        if self._enough.isdisjoint(scopes):
            raise Forbidden(self._scope)
        return caller


def _bearer_token(request: Request) -> str:
    given = request.headers.getlist("authorization")
    if not given:
        raise Unauthenticated(Reason.MISSING)
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token:
        raise Unauthenticated(Reason.MALFORMED)
    return token


def _traceparent(request: Request) -> str | None:
    given = request.headers.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else None
