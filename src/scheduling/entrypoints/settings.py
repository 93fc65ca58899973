"""All that can be set from outside, read once, at this one door."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEV_ISSUER_PREFIX = "urn:scheduling:dev:"
"""Issuers that `scheduling dev` makes. Production processes refuse to trust them."""

AUTHORITY = r"^https?://[A-Za-z0-9.\-]+(:\d+)?(/[A-Za-z0-9._~%/\-]*)?$"
"""An address to sign in at. It becomes a part of a policy, in which blanks, commas and
semicolons mean much.
"""


class Settings(BaseSettings):
    """`SCHEDULING_*` environment variables; `scheduling settings` lists them."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULING_", extra="ignore")

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL, as postgresql://user:password@host:port/name",
    )
    database_role: str | None = Field(
        default=None,
        description="Role taken after login; by default the process's own "
        "(scheduling_api, scheduling_relay, …)",
    )
    database_pool_size: int = Field(
        default=6,
        ge=1,
        le=500,
        description="Connections of one process at the most; one process does not keep "
        "more of them busy, and each that is open costs PostgreSQL its caches",
    )
    nats_url: SecretStr | None = Field(
        default=None, description="NATS with JetStream, as nats://host:port"
    )
    jwks_url: str | None = Field(
        default=None, description="Where token keys are published"
    )
    jwks_file: Path | None = Field(
        default=None, description="Token keys in a file instead"
    )
    issuer: str | None = Field(
        default=None, description="The `iss` that a token must have"
    )
    audience: str = Field(
        default="scheduling", description="The `aud` that a token must have"
    )
    calendar_oidc_authority: str | None = Field(
        default=None,
        pattern=AUTHORITY,
        description="Where staff sign in to the calendar by OpenID Connect; by default "
        "at SCHEDULING_ISSUER",
    )
    calendar_oidc_client_id: str | None = Field(
        default=None,
        min_length=1,
        description="The calendar's client id there, of a public client; without one "
        "nobody can sign in to it",
    )
    calendar_oidc_scope: str = Field(
        default="openid profile scheduling:read scheduling:book scheduling:manage",
        description="What the calendar asks for there, apart by spaces",
    )
    calendar_oidc_resource: str | None = Field(
        default=None,
        description="The audience that it names there (RFC 8707), where the issuer "
        "wants to be told",
    )
    development: bool = Field(
        default=False,
        description="Set by `scheduling dev` for its own processes: trusts its issuer",
    )
    max_in_flight: int = Field(
        default=128, ge=1, description="Requests of one process before it answers 503"
    )
    max_event_streams: int = Field(
        default=256,
        ge=0,
        description="Event streams that one process keeps open before it answers 503",
    )
    event_stream_heartbeat: float = Field(
        default=15.0,
        gt=0,
        description="Seconds between two signs of life on a quiet event stream",
    )
    event_stream_lifetime: float = Field(
        default=600.0,
        gt=0,
        description="Seconds after which an event stream ends at the latest, for its "
        "token to be judged again",
    )
    rate_limit_per_second: float | None = Field(
        default=None,
        gt=0,
        description="Requests of one tenant that one process takes in a second before "
        "it answers 429; by default any number",
    )
    registry_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^{}\s]+$",
        description="Patient registry that is asked for patients whom nobody told us "
        "of, as https://host/base; by default nobody is asked",
    )
    registry_patient_path: str = Field(
        default="/tenants/{tenant}/patients/{patient}",
        pattern=r"^/[^{}]*(\{tenant\}[^{}]*)?\{patient\}[^{}]*$",
        description="Where below it a patient is, with {tenant} and {patient} for ids",
    )
    registry_token: SecretStr | None = Field(
        default=None, description="Bearer token that the registry is shown"
    )
    stream_replicas: int = Field(
        default=1,
        ge=1,
        le=5,
        description="Replicas of the JetStream stream (3 on a cluster)",
    )
    relay_metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Where `scheduling relay` serves /metrics; by default nowhere",
    )
    inbox_ack_wait: float = Field(
        default=30.0,
        ge=1,
        description="Seconds after which news that an inbox process took, and of which "
        "nothing was heard since, is delivered to another",
    )
    inbox_max_deliver: int = Field(
        default=20,
        ge=1,
        description="Deliveries of one message in vain before it is a dead letter",
    )
    inbox_metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Where `scheduling inbox` serves /metrics; by default nowhere",
    )
    cron_metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Where `scheduling cron` serves /metrics; by default nowhere",
    )
    retention_outbox_days: int = Field(
        default=30,
        ge=1,
        description="Days after which events that were published are removed from the "
        "outbox: until then they can be sent again",
    )
    retention_inbox_days: int = Field(
        default=90,
        ge=7,
        description="Days for which news that was followed is known, should it come "
        "again; longer than any stream keeps it",
    )
    retention_idempotency_hours: int = Field(
        default=48,
        ge=48,
        description="Hours for which the answer to an Idempotency-Key is kept",
    )
    retention_audit_days: int = Field(
        default=3650,
        ge=0,
        description="Days for which the audit is kept; 0: for ever",
    )
    retention_dead_letters_days: int = Field(
        default=30,
        ge=1,
        description="Days after which dead letters that were sent again are removed; "
        "others stay",
    )
    retention_generation_runs_days: int = Field(
        default=90,
        ge=1,
        description="Days for which runs that made slots are kept; the newest stay",
    )
    retention_notifications_days: int = Field(
        default=180,
        ge=1,
        description="Days for which notifications of practitioners are kept",
    )
    reminders: Literal["events", "smtp", "webhook"] = Field(
        default="events",
        description="How patients are reminded: by `notification.requested` for "
        "whoever sends messages, by mail, or by requests to a webhook",
    )
    reminder_attempts: int = Field(
        default=6,
        ge=1,
        le=50,
        description="How often it is tried to send a reminder by mail or webhook",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="The mail server, as smtp://, smtp+starttls:// or "
        "smtps://user:password@host:port",
    )
    smtp_sender: str | None = Field(
        default=None, description="The address that mail comes from"
    )
    reminder_webhook_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]+",
        description="Where reminders are posted to",
    )
    reminder_webhook_secret: SecretStr | None = Field(
        default=None,
        description="What they are signed with, as whsec_…; several apart by spaces",
    )
    log_level: str = Field(default="info", description="debug, info, warning or error")
