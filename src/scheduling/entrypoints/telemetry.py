"""Logs and metrics: ids, codes and times; never bodies, query strings or names.

Logs are JSON lines on stderr, those of libraries included. An exception is logged as
its type and the places it came through, without its message: messages of drivers and
validators quote the values they stumbled on, and those may be a patient's.
"""

import logging
import os
import sys
import traceback
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from structlog.typing import EventDict, WrappedLogger

FRAMES_LOGGED = 12
"""Innermost calls of an exception; the outermost are the server's, and always alike."""

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logging(level: str = "info", stream: BinaryIO | None = None) -> None:
    """Send structlog and the standard library's loggers to one stream of JSON lines.

    Libraries speak from `warning` on: below that they tell of URLs and statements.
    """
    number = _LEVELS[level.lower()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _exception_without_its_message,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
    logging.root.handlers[:] = [_ToStructlog()]
    logging.root.setLevel(max(number, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    logging.captureWarnings(capture=True)


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            # The text of such a record often is the exception's message.
            fields["exc_info"] = record.exc_info
        else:
            fields["message"] = record.getMessage()
        structlog.get_logger().log(record.levelno, "library", **fields)


def _exception_without_its_message(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = [
            {"type": type(e).__qualname__, "at": _places(e)} for e in _chain(error)
        ]
    return event


def _chain(error: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__ or (
            None if link.__suppress_context__ else link.__context__
        )
    return links


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _to_json(event: EventDict, **_options: object) -> bytes:
    return orjson.dumps(event, default=str)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where a process registers its figures, and how they are read."""

    registry: CollectorRegistry

    def render(self) -> tuple[bytes, str]:
        """Return the body and content type of `/metrics`.

        With PROMETHEUS_MULTIPROC_DIR set the figures of all workers are added up, so
        that it does not matter which of them is asked.
        """
        registry = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST


def open_metrics() -> Metrics:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return Metrics(registry)
