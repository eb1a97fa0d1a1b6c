"""Every setting, its type and its default; how a value is found is told in mailsacd.configuration.

``etc/mailsacd.toml`` documents each. Plans are tables with names that the operator chooses:
``plans.NAME.key``.
"""

from typing import Annotated, Literal

import msgspec

from mailsacd.check_settings import CheckSettings
from mailsacd.core.public_url import parse_public_url
from mailsacd.core.text_form import whole
from mailsacd.fault_settings import FaultSettings
from mailsacd.listening_settings import WaitSettings, WebsocketSettings
from mailsacd.plan_settings import DEFAULT_PLAN, PlanSettings
from mailsacd.run_settings import RunSettings
from mailsacd.setting_types import (
    Amount,
    Count,
    Days,
    Hours,
    PlainLogin,
    Port,
    Seconds,
    SmarthostTls,
    StartTls,
    TwinPort,
    Workers,
)
from mailsacd.spam_settings import SpamSettings
from mailsacd.throttle_settings import ThrottleSettings
from mailsacd.transcript_settings import TranscriptSettings


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[server]``: the machine as a whole."""

    data_dir: str = ""
    hostname: str = ""
    workers: Workers = 1


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the state is: an empty ``dsn`` asks for the embedded PostgreSQL."""

    dsn: str = ""
    direct_dsn: str = ""
    replica_dsn: str = ""
    connections: Count = 4
    mail_connections: Count = 2
    statement_timeout_s: Seconds = 30.0
    bin_dir: str = ""


class TlsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The certificate; empty paths ask for a self-signed one."""

    certificate: str = ""
    private_key: str = ""


class MessageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is accepted, whatever way it comes in."""

    max_bytes: Count = 2_621_440
    max_recipients: Count = 100
    accepted_domains: tuple[str, ...] = ("*",)
    refuse_bare_newlines: bool = False
    buffer_bytes: Count = 134_217_728


class StorageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of public mail, and how much in all; accounts have limits in their plans."""

    public_per_inbox: Amount = 6
    public_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 4
    max_messages: Amount = 5_000_000
    max_bytes: Amount = 21_474_836_480


class SmtpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[smtp]``: the port that takes mail from anybody."""

    host: str = ""
    port: Port = 1025
    tls_port: TwinPort = -1
    starttls: StartTls = "auto"
    max_connections: Count = 12_000
    max_connections_per_peer: Count = 6_000
    command_timeout_s: Seconds = 300.0
    data_timeout_s: Seconds = 180.0
    proxy_networks: tuple[str, ...] = ()
    allow_networks: tuple[str, ...] = ()


class Pop3Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[pop3]``: private inboxes for mail programs."""

    host: str = ""
    port: Port = 1110
    tls_port: TwinPort = -1
    starttls: StartTls = "auto"
    max_connections: Count = 6_000
    max_connections_per_peer: Count = 3_000
    idle_timeout_s: Seconds = 600.0
    plain_login: PlainLogin = "loopback"
    lock: bool = False
    login_delay_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0
    buffer_bytes: Count = 67_108_864
    proxy_networks: tuple[str, ...] = ()


class CaptureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The port that takes mail to any address from those who log in."""

    host: str = ""
    port: Port = 1587
    tls_port: TwinPort = -1
    starttls: StartTls = "auto"
    max_connections: Count = 1_000
    max_connections_per_peer: Count = 500
    command_timeout_s: Seconds = 300.0
    data_timeout_s: Seconds = 180.0
    plain_login: PlainLogin = "loopback"
    proxy_networks: tuple[str, ...] = ()


class SubmissionSettings(CaptureSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The port that takes mail from those who log in, and sends it to its recipients."""

    port: Port = 1588
    hide_client: bool = False


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[http]``: the REST API, its documentation, and WebSockets."""

    host: str = ""
    port: Port = 8025
    tls_port: TwinPort = -1
    anonymous_read: bool = True
    max_body_bytes: Count = 4_194_304
    buffer_bytes: Count = 134_217_728
    max_connections: Count = 5_000
    max_connections_per_peer: Count = 2_500
    idle_timeout_s: Seconds = 60.0
    proxy_networks: tuple[str, ...] = ()
    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    public_url: str = ""
    mcp: Literal["off", "read", "all"] = "all"

    def __post_init__(self) -> None:
        """Raises ValueError for a bad ``public_url``; a slash at its end is left out."""
        if self.public_url:
            read = "".join(parse_public_url(self.public_url))
            msgspec.structs.force_setattr(self, "public_url", read)


class FacadeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[facades]``: the APIs of other test tools, each on a port of its own; -1: none."""

    host: str = "127.0.0.1"
    mailpit_port: TwinPort = -1
    mailhog_port: TwinPort = -1


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[log]``: which sessions, messages and requests have a line in the log."""

    lines_per_s: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 20
    slow_s: Seconds = 1.0


class DnsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[dns]``: the name servers that are asked about other domains."""

    servers: tuple[str, ...] = ()
    timeout_s: Seconds = 5.0
    authority_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 53
    allowed_networks: tuple[str, ...] = ()


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How mail is posted to the webhooks of private addresses."""

    allowed_networks: tuple[str, ...] = ()
    ca_file: str = ""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=120)] = 15.0
    max_requests: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 64
    max_requests_per_target: Annotated[int, msgspec.Meta(ge=1, le=100)] = 8


class RelaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[relay]``: how mail goes out to other hosts."""

    smarthost: str = ""
    smarthost_user: str = ""
    smarthost_password: str = ""
    smarthost_tls: SmarthostTls = "auto"
    plain_login: PlainLogin = "loopback"
    routes: tuple[str, ...] = ()
    tls_policies: tuple[str, ...] = ()
    allowed_networks: tuple[str, ...] = ()
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 25
    ca_file: str = ""
    mta_sts: bool = True
    connect_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0
    enabled: bool = True
    max_connections: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 50
    max_connections_per_domain: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 20
    messages_per_connection: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 50
    lease_s: Annotated[int, msgspec.Meta(ge=2, le=3_600)] = 60
    retry_first_s: Seconds = 300.0
    retry_most_s: Seconds = 14_400.0
    delay_notice_hours: Hours = 4
    give_up_hours: Hours = 120
    suppressed_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 30
    kept_days: Days = 14
    release_to: tuple[str, ...] = ()
    own_sender: str = ""


class SendingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[sending]``: what accounts send, by the API and by the submission port."""

    max_attachments: Count = 100
    max_queued_bytes: Count = 268_435_456
    abuse_contact: Annotated[str, whole("([!-~]+@[!-~]+)?")] = ""
    unsubscribe: Annotated[str, whole("((mailto|https?):[!-;=?-~]+)?")] = ""


class DomainSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The domains that accounts bring, and those that the operator lends."""

    hosting: str = ""
    mail_hosts: tuple[str, ...] = ()
    recheck_hours: Hours = 24
    unverified_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 90


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people get an account, and how long they stay signed in."""

    sign_up: Literal["open", "invitation", "closed"] = "closed"
    max_sign_ups: Amount = 10_000
    default_plan: str = DEFAULT_PLAN
    session_days: Days = 30
    reset_hours: Hours = 24
    audit_days: Days = 365
    invitation_days: Days = 14


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, a section each; frozen, and read once at the start."""

    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    tls: TlsSettings = TlsSettings()
    message: MessageSettings = MessageSettings()
    storage: StorageSettings = StorageSettings()
    smtp: SmtpSettings = SmtpSettings()
    pop3: Pop3Settings = Pop3Settings()
    capture: CaptureSettings = CaptureSettings()
    submission: SubmissionSettings = SubmissionSettings()
    http: HttpSettings = HttpSettings()
    facades: FacadeSettings = FacadeSettings()
    websocket: WebsocketSettings = WebsocketSettings()
    wait: WaitSettings = WaitSettings()
    log: LogSettings = LogSettings()
    dns: DnsSettings = DnsSettings()
    webhook: WebhookSettings = WebhookSettings()
    relay: RelaySettings = RelaySettings()
    sending: SendingSettings = SendingSettings()
    throttle: ThrottleSettings = ThrottleSettings()
    checks: CheckSettings = CheckSettings()
    spam: SpamSettings = SpamSettings()
    transcripts: TranscriptSettings = TranscriptSettings()
    faults: FaultSettings = FaultSettings()
    domains: DomainSettings = DomainSettings()
    runs: RunSettings = RunSettings()
    accounts: AccountSettings = AccountSettings()
    plans: dict[str, PlanSettings] = msgspec.field(
        default_factory=lambda: {DEFAULT_PLAN: PlanSettings()}
    )
