"""CloudEvents 1.0 as others send them over NATS: read strictly, never repaired.

Structured mode is told by a content type of `application/cloudevents`; anything else is
binary mode, where attributes are headers `ce-…`, percent-encoded, and the body is the
data. The tenant is the subject's, for that is what the broker's permissions guard:
`inbox.<tenant>.<type>` of others, `scheduling.<tenant>.<type>` of ourselves, and ours
again as `inbox.replay.<tenant>.<type>`, where no tenant may publish.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import orjson
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.v1.event import CloudEvent

from scheduling.adapters.cloud_events.rejections import (
    BadSubject,
    NotACloudEvent,
    TenantMismatch,
)
from scheduling.domain.identifiers import TenantId

REQUIRED = ("specversion", "id", "source", "type")
NAMES_AT_MOST = 1000
"""Bytes that `id` and `source` may each take: they are a key together."""

VERSION_AT_MOST = 2**63 - 1

_SUBJECT = re.compile(r"(inbox|inbox\.replay|scheduling)\.([0-9a-f-]{36})\.([^\s*>]+)")
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json", re.IGNORECASE)
_STRUCTURED = "application/cloudevents"
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
# What a CloudEvents string may not hold: control characters, halves of characters.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An event that is one; its data is JSON of any shape yet.

    `subject` is the CloudEvent's, `version` its extension `aggregateversion`;
    `time` where it is one that we read. `is_ours`: it came by a way that only we may
    send on.
    """

    tenant_id: TenantId
    source: str
    id: str
    type: str
    subject: str | None
    version: int | None
    traceparent: str | None
    data: object
    is_ours: bool = False
    time: datetime | None = None


def tenant_of(subject: str) -> TenantId:
    """Return the tenant that a NATS subject names. Raise BadSubject."""
    return _address(subject)[1]


def read(subject: str, headers: Mapping[str, str], body: bytes) -> Incoming:
    """Raise BadSubject, NotACloudEvent or TenantMismatch."""
    way, tenant_id, type = _address(subject)
    named = _by_lower_name(headers)
    media = named.get("content-type", "").partition(";")[0].strip().lower()
    if media.startswith(_STRUCTURED):
        attributes, data = _structured(media, body)
    else:
        attributes, data = _binary(named, body)
    _demand(attributes)
    if attributes["type"] != type:
        raise BadSubject("the event's type is not the subject's")
    told = attributes.get("tenantid")
    if told is not None and told != str(tenant_id):
        raise TenantMismatch("tenantid is not the subject's tenant")
    trace = attributes.get("traceparent")
    return Incoming(
        tenant_id=tenant_id,
        source=attributes["source"],
        id=attributes["id"],
        type=type,
        subject=attributes.get("subject"),
        version=_version(attributes.get("aggregateversion")),
        # W3C: one that is not understood is as good as none.
        traceparent=trace if trace and _TRACEPARENT.fullmatch(trace) else None,
        data=data,
        is_ours=way != "inbox",
        time=_time(attributes.get("time")),
    )


def _address(subject: str) -> tuple[str, TenantId, str]:
    found = _SUBJECT.fullmatch(subject)
    if found is None:
        raise BadSubject("it is not inbox.<tenant>.<type>")
    try:
        return found[1], TenantId(UUID(found[2])), found[3]
    except ValueError as error:
        raise BadSubject("its tenant is not a UUID") from error


def _by_lower_name(headers: Mapping[str, str]) -> dict[str, str]:
    named = {name.lower(): value for name, value in headers.items()}
    if len(named) < len(headers):
        raise NotACloudEvent("two headers differ by their case only")
    return named


def _structured(media: str, body: bytes) -> tuple[dict[str, Any], object]:
    if media != f"{_STRUCTURED}+json":
        raise NotACloudEvent("structured mode is read as JSON only")
    attributes = _parsed(body)
    if not isinstance(attributes, dict):
        raise NotACloudEvent("the body is not a JSON object")
    if "data_base64" in attributes:
        raise NotACloudEvent("data_base64: data is read as JSON only")
    data = attributes.pop("data", None)
    # JSON's null stands for an attribute that is not there (JSON format, 2.2).
    return {n: v for n, v in attributes.items() if v is not None}, data


def _binary(named: Mapping[str, str], body: bytes) -> tuple[dict[str, Any], object]:
    try:
        attributes: dict[str, Any] = {
            name.removeprefix("ce-"): unquote(value, errors="strict")
            for name, value in named.items()
            if name.startswith("ce-")
        }
    except UnicodeDecodeError as error:
        raise NotACloudEvent("a header is not percent-encoded UTF-8") from error
    if "data" in attributes:
        raise NotACloudEvent("ce-data: data is the body")
    if "content-type" in named:
        attributes.setdefault("datacontenttype", named["content-type"])
    return attributes, _parsed(body) if body else None


def _parsed(body: bytes) -> object:
    try:
        parsed: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotACloudEvent("the body is not JSON") from error
    return parsed


def _demand(attributes: dict[str, Any]) -> None:
    """Look for what must be there first: the library would make it up."""
    if missing := [name for name in REQUIRED if name not in attributes]:
        raise NotACloudEvent(f"missing: {', '.join(missing)}")
    if attributes["specversion"] != "1.0":
        raise NotACloudEvent("specversion is not 1.0")
    for name, value in attributes.items():
        _demand_fit(name, value)
    for name in ("id", "source"):
        if len(attributes[name].encode()) > NAMES_AT_MOST:
            raise NotACloudEvent(f"{name} takes more than {NAMES_AT_MOST} bytes")
    content = attributes.get("datacontenttype", "application/json")
    if not _JSON.fullmatch(content.partition(";")[0].strip()):
        raise NotACloudEvent("datacontenttype: data is read as JSON only")
    try:
        # `time` refuses nothing: what orders news is version and broker.
        CloudEvent({n: v for n, v in attributes.items() if n != "time"})
    except CloudEventValidationError as error:
        wrong = sorted({_told(name) for name in error.errors})
        raise NotACloudEvent(f"wrong: {', '.join(wrong)}") from error


def _demand_fit(name: str, value: object) -> None:
    if _UNFIT.search(name):
        raise NotACloudEvent("an attribute's name is not one")
    if isinstance(value, str):
        if not value or _UNFIT.search(value):
            raise NotACloudEvent(f"{_told(name)} is empty or has control characters")
    elif name in _STRINGS or not isinstance(value, bool | int):
        raise NotACloudEvent(f"{_told(name)} is not a string")


def _told(name: str) -> str:
    """A name that nobody agreed on is somebody's words, and not repeated."""
    return name if name in _STRINGS else "an extension"


_STRINGS = frozenset(
    {*REQUIRED, "subject", "time", "datacontenttype", "dataschema"}
    | {"tenantid", "traceparent", "partitionkey"}
)


def _time(told: object) -> datetime | None:
    """A time of another form, or nonsense, is as good as none; so is one that would lie
    outside the years 1 to 9999 in UTC.
    """
    try:
        time = datetime.fromisoformat(str(told))
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _version(told: object) -> int | None:
    """A number in JSON, its digits in a header."""
    if told is None:
        return None
    if isinstance(told, str) and re.fullmatch(r"[0-9]{1,19}", told, re.ASCII):
        told = int(told)
    if isinstance(told, bool) or not isinstance(told, int):
        raise NotACloudEvent("aggregateversion is not a whole number")
    if not 0 <= told <= VERSION_AT_MOST:
        raise NotACloudEvent("aggregateversion is out of bounds")
    return told
