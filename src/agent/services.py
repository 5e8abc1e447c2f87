"""The composition root: builds what the graphs use, once a process, from settings. Tests put their own in place."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import httpx
from openai import APIConnectionError, APIStatusError, APITimeoutError

from agent.approvals.deadlines import Deadlines
from agent.approvals.requests import Approvals
from agent.assistant.knowledge import Knowledge
from agent.assistant.understand import ModelAnswerError, Understander, chat_model
from agent.commerce.demo_shop import demo_shop
from agent.commerce.fulfilment import Fulfilment
from agent.commerce.orders import Orders
from agent.commerce.payments import Payments
from agent.commerce.reads import Reads
from agent.commerce.refunds import Refunds
from agent.commerce.run import Commerce
from agent.commerce.shop_import import import_shop, is_empty
from agent.ledger.database import Clock, Database, utc_now
from agent.ledger.engines import Limits
from agent.ledger.failures import DatabaseAwayError
from agent.ledger.replica import Replica
from agent.observability.events import emit
from agent.providers.payment import PaymentNotSentError, PaymentUnknownError
from agent.providers.sandbox import RejectedRequestError, SandboxProvider, sandbox_client
from agent.resilience import (
    ANSWERED,
    CLASSIFIER,
    BreakerConfig,
    BreakerMoved,
    CircuitBreaker,
    CircuitOpenError,
    Failure,
    Verdict,
    classify_response,
)
from agent.settings import Settings, settings

ARTICLES = Path(__file__).parent / "assistant" / "articles"


@dataclass(frozen=True)
class Services:
    """What a node may use. `started_at`: threads that paused before it may have lost their checkpoint in a crash."""

    settings: Settings
    database: Database
    reads: Reads
    commerce: Commerce
    orders: Orders
    payments: Payments
    refunds: Refunds
    fulfilment: Fulfilment
    approvals: Approvals
    deadlines: Deadlines
    knowledge: Knowledge
    understander: Understander
    breakers: dict[str, CircuitBreaker]
    started_at: datetime
    payment_client: httpx.AsyncClient

    async def close(self) -> None:
        """Give every connection back."""
        await self.payment_client.aclose()
        self.knowledge.close()
        await self.database.close()


_built: Services | None = None
_building = asyncio.Lock()


async def services() -> Services:
    """The services of this process, built on first use."""
    global _built  # noqa: PLW0603  (one composition root a process is the point)
    async with _building:
        if _built is None:
            _built = await build(await asyncio.to_thread(settings))
    return _built


def replace(with_these: Services | None) -> None:
    """Put other services in place; None means: build anew on next use. For tests."""
    global _built  # noqa: PLW0603
    _built = with_these


async def build(config: Settings, clock: Clock = utc_now) -> Services:
    """Build services from settings: opens the ledger, creates what is missing, puts the demo shop into an empty one."""
    _teach_the_classifier()
    await asyncio.to_thread(config.data_dir.mkdir, parents=True, exist_ok=True)
    database = await asyncio.to_thread(_database, config, clock)  # looks at the file system
    await database.open()
    client = await asyncio.to_thread(
        sandbox_client,
        config.payment_url,
        config.data_dir / "sandbox.db",
        config.payment_timeout_seconds,
        config.sandbox_slow_seconds,
    )
    provider = SandboxProvider(client, timeout=config.payment_timeout_seconds)
    payment_breaker = CircuitBreaker(
        "payment",
        BreakerConfig(
            minimum_number_of_calls=config.payment_breaker_minimum_calls,
            wait_duration_in_open=config.payment_breaker_open_seconds,
            max_wait_duration_in_open=max(60.0, config.payment_breaker_open_seconds),
            slow_call_duration=config.payment_timeout_seconds,
            probe_lease_seconds=2 * config.payment_timeout_seconds,
        ),
        listeners=[_breaker_moved],
    )
    model_breaker = CircuitBreaker(
        "model",
        BreakerConfig(
            slow_call_duration=config.model_timeout_seconds, probe_lease_seconds=2 * config.model_timeout_seconds
        ),
        listeners=[_breaker_moved],
    )
    if config.seed_demo_shop and await is_empty(database):
        await import_shop(database, provider, demo_shop(now=clock()))
    refunds = Refunds(database, provider, payment_breaker)
    return Services(
        settings=config,
        database=database,
        reads=Reads(database),
        commerce=Commerce(database),
        orders=Orders(database),
        payments=Payments(database, provider, payment_breaker),
        refunds=refunds,
        fulfilment=Fulfilment(database),
        approvals=Approvals(database, config.approval_time_scale),
        deadlines=Deadlines(database),
        knowledge=await asyncio.to_thread(Knowledge.load, ARTICLES),
        understander=Understander(
            await asyncio.to_thread(chat_model, config),
            guard=model_breaker.call,
            open_errors=(CircuitOpenError,),
            timeout_seconds=config.model_timeout_seconds,
        ),
        breakers={"payment": payment_breaker, "model": model_breaker},
        started_at=clock(),
        payment_client=client,
    )


def _database(config: Settings, clock: Clock) -> Database:
    limits = Limits.of(config)
    replica = None
    if config.database_replica_url:
        breaker = CircuitBreaker("replica", BreakerConfig(minimum_number_of_calls=1), listeners=[_breaker_moved])
        replica = Replica(config.database_replica_url, limits, breaker)
    return Database(config.ledger_url, clock, limits, replica)


def _teach_the_classifier() -> None:
    """What the errors of the libraries and ports in use say about who is behind them."""
    CLASSIFIER.register(PaymentNotSentError, lambda error: _behind(error, Failure("connection")))
    CLASSIFIER.register(PaymentUnknownError, lambda error: _behind(error, Failure("timeout")))
    CLASSIFIER.register(RejectedRequestError, ANSWERED)
    CLASSIFIER.register(ModelAnswerError, Failure("bad_response"))
    CLASSIFIER.register(DatabaseAwayError, Failure("connection"))
    CLASSIFIER.register(APIConnectionError, Failure("connection"))
    CLASSIFIER.register(APITimeoutError, Failure("timeout"))
    CLASSIFIER.register(APIStatusError, lambda error: classify_response(cast(httpx.Response, error.response)))


def _behind(error: Exception, otherwise: Failure) -> Verdict:
    """What the error under ours says: it knows the kind better, and a Retry-After."""
    verdict = CLASSIFIER.classify(error.__cause__) if error.__cause__ else otherwise
    return verdict if isinstance(verdict, Failure) else otherwise


def _breaker_moved(move: BreakerMoved) -> None:
    emit("breaker.moved", name=move.name, before=move.before, after=move.after, kind=move.kind)
