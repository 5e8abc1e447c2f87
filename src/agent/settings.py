"""Every environment variable the project reads, typed, in one class.

Nothing else in the package looks at `os.environ`. `.env.example` lists the same names with one line of why.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

HOME: Final = Path(__file__).resolve().parents[2] / "shops" / "home"
"""The first of the shops that come with it."""

SECRETS: Final = Path("/run/secrets")
"""Where containers find their secrets: a file each, named as its setting. The environment and `.env` count before."""

PaymentProviderName = Literal["sandbox", "stripe"]
"""Each is a case in `providers.factory`."""
GIVEN_BY_OTHERS: Final = frozenset(
    (
        "openai_api_key",
        "second_openai_api_key",
        "stripe_api_key",
        "payment_token",
        "payment_client_secret",
        "staff_notify_urls",
    )
)
"""Secrets whose form whoever gave them decides; nobody calls this server with them."""


class Settings(BaseSettings):
    """Settings of one process, read once from the environment and an optional `.env`. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    # where things are kept
    data_dir: Path = Path(".data")
    database_url: str = Field(  # empty: SQLite in data_dir
        default="", repr=False, validation_alias=AliasChoices("ledger_url", "database_url")
    )
    database_replica_url: str = Field(default="", repr=False)  # empty: no replica
    database_pool_size: int = Field(default=10, ge=1)
    database_pool_timeout_seconds: float = Field(default=10.0, gt=0)
    database_connect_timeout_seconds: int = Field(default=3, ge=2)  # libpq takes whole seconds, and no fewer
    database_statement_timeout_seconds: float = Field(default=15.0, gt=0)
    shop_dir: Path = HOME  # whose desk this is
    seed_shop: bool = True  # with the shop's catalogue, only ever into an empty ledger, with the sandbox

    # who may call: production starts only if somebody could, and Studio could not
    environment: Literal["development", "production"] = "development"
    langgraph_strict_msgpack: bool = False  # read by the platform; production needs it
    tokens_file: Path = Path(".tokens.json")  # what `desk` sends
    token_digests_file: Path | None = None  # empty: beside tokens_file
    service_token: SecretStr = SecretStr("")  # empty: that of tokens_file
    jwt_secret: SecretStr = SecretStr("")  # HS256
    jwt_key_file: Path | None = None  # RS256, a public key in PEM
    jwt_issuer: str = ""
    jwt_audience: str = ""
    customer_rate: str = "60/minute"  # empty: no limit
    identify_by_claim: Literal["off", "read", "full"] = "read"

    # one machine that keeps everything (`desk serve`): runs at once, and what the node `knowledge` has looked up
    jobs_per_worker: int = Field(default=10, ge=1, le=100)
    node_cache_file: Path | None = None  # empty: in memory

    # from SIGTERM to the end of the process: longer than the longest node, and what the engine needs to end in order
    drain_seconds: float = Field(default=75.0, ge=10, le=3_600)

    # the server's own address, for calls that the server makes to itself; `langgraph dev` sets it
    langgraph_api_url: str = "http://127.0.0.1:2024"

    # the payment provider: the sandbox, embedded or at `payment_url`; or Stripe
    payment_provider: PaymentProviderName = "sandbox"
    payment_url: str = ""
    payment_token: SecretStr = SecretStr("")  # empty: none is sent
    payment_token_url: str = ""  # of an OAuth2 token endpoint, in place of payment_token; empty: none
    payment_client_id: str = ""
    payment_client_secret: SecretStr = SecretStr("")
    payment_rate: str = ""  # such as 100/second; empty: no limit
    stripe_api_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")  # empty: its webhooks are refused
    stripe_url: str = ""  # empty: Stripe's own
    payment_timeout_seconds: float = Field(default=8.0, gt=0)
    payment_breaker_minimum_calls: int = Field(default=4, ge=1)
    payment_breaker_open_seconds: float = Field(default=5.0, gt=0)
    sandbox_slow_seconds: float = Field(default=3.0, ge=0)
    sandbox_webhook_secret: SecretStr = SecretStr("")  # empty: its webhooks are refused
    second_payment_provider: PaymentProviderName | Literal[""] = ""  # empty: none is asked in its place
    second_payment_url: str = ""  # of a second sandbox
    payment_wait_seconds: float = Field(default=86_400.0, ge=0)

    # the sandbox carrier, at the same address
    carrier_hand_over_seconds: float = Field(default=0.0, ge=0)

    # what failed while an order was undone, or a refund was paid
    debt_retry_seconds: float = Field(default=60.0, ge=0)

    # empty: each worker's circuit breakers learn, and its rates and budgets of retries count, for themselves
    redis_url: str = Field(default="", repr=False)

    # the model: without a key the embedded responder answers
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    model: str = "gpt-4.1-mini"
    second_model: str = ""  # empty: none is asked in its place
    second_openai_api_key: SecretStr | None = None  # empty: the first one's
    second_openai_base_url: str | None = None
    model_timeout_seconds: float = Field(default=20.0, gt=0)
    model_steps: int = Field(default=6, ge=1, le=20)  # calls of a model for one topic
    model_turn_seconds: float = Field(default=40.0, gt=0, le=50)  # of one turn, all its topics; a node has 60
    model_turn_tokens: int = Field(default=60_000, ge=1_000)  # the same

    # the reconciler
    reconcile_cron: str = "* * * * *"  # empty: no cron
    stale_after_seconds: float = Field(default=120.0, ge=0)

    # who is notified of what happens to customers' orders: empty means nobody
    notice_webhook_url: str = Field(default="", repr=False)
    notice_webhook_secret: SecretStr = SecretStr("")  # whsec_ and base64

    # which program of staff's is notified of approval requests and tickets: empty means none
    approval_webhook_url: str = Field(default="", repr=False)
    approval_webhook_secret: SecretStr = SecretStr("")  # whsec_ and base64

    # where staff read of their queues: JSON, {role or *: address}; empty means nowhere
    staff_notify_urls: SecretStr = SecretStr("")

    # what approvals are sealed with; an old key may follow the new one, after a comma. Empty: kept in data_dir
    trail_key: SecretStr = SecretStr("")

    # a customer's unapproved orders of so many hours are looked at together (LARGE_ORDER); 0: each by itself
    order_sum_hours: float = Field(default=24.0, ge=0)

    # people: 1.0 is the chains' own times; smaller is for drills
    approval_time_scale: float = Field(default=1.0, gt=0)

    # where traces go by OTLP over HTTP, such as http://127.0.0.1:4318; empty: nowhere
    otel_exporter_otlp_endpoint: str = ""

    # several workers on one host count in files here; read by prometheus_client as well, from the environment
    prometheus_multiproc_dir: Path | None = None  # empty: each counts for itself

    studio_mode: Literal["off", "read", "act"] = "off"  # of clients on loopback, in development

    @field_validator(
        "openai_api_key",
        "openai_base_url",
        "second_openai_api_key",
        "second_openai_base_url",
        "token_digests_file",
        "jwt_key_file",
        "node_cache_file",
        "prometheus_multiproc_dir",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("shop_dir", mode="before")
    @classmethod
    def _empty_is_home(cls, value: Any) -> Any:
        return value or HOME

    @property
    def digests_file(self) -> Path:
        """Where the digests of the tokens are that the server knows."""
        return self.token_digests_file or self.tokens_file.with_suffix(".sha256.json")

    @property
    def threads_file(self) -> Path:
        """Where `desk serve` keeps threads."""
        return self.data_dir / "threads.db"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger: DATABASE_URL, or the embedded SQLite file."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ledger.db'}"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Tests pass their own `Settings` to what they build instead."""
    return Settings()
