"""The composition root: builds what the graphs use, once a process, from settings. Tests put their own in place."""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.approvals.deadlines import Deadlines
from agent.approvals.feedback import Feedback
from agent.approvals.index import Index
from agent.approvals.questions import Questions
from agent.approvals.requests import Approvals
from agent.approvals.trail import Trail
from agent.assistant.chat_models import chat_models
from agent.assistant.knowledge import Knowledge
from agent.assistant.tool_loop import ToolLoop
from agent.assistant.translation import Translator
from agent.assistant.understand import Understander
from agent.breakers import Breakers
from agent.commerce.comparison import Comparison
from agent.commerce.debts import Debts
from agent.commerce.dispatcher import Commerce
from agent.commerce.expiry import Expiry
from agent.commerce.fulfilment import Fulfilment
from agent.commerce.orders import Orders
from agent.commerce.payments import Payments
from agent.commerce.policy import RULES
from agent.commerce.queries import Queries
from agent.commerce.shop_import import NotEmptyError, catalogue, check_currency, import_shop, is_empty
from agent.commerce.ticket_queue import Tickets
from agent.files import keep_private
from agent.identity import APPROVER_ROLES
from agent.ledger.database import Clock, Database, utc_now
from agent.ledger.database_errors import DatabaseUnavailableError
from agent.ledger.engines import Limits
from agent.ledger.heartbeat import Heartbeat
from agent.ledger.quarantine import Quarantine
from agent.ledger.readiness import Readiness
from agent.ledger.replica import Replica
from agent.node_policies import BUDGETS
from agent.notifications.conversations import ConversationNotifications
from agent.notifications.receivers import Receivers, build_receivers
from agent.notifications.staff_delivery import StaffDelivery
from agent.notifications.webhook_delivery import WebhookDelivery
from agent.observability.events import COUNT_BY
from agent.observability.metrics import DECISION_SECONDS, FALLBACKS, PAYMENTS, RETRIES
from agent.observability.start import start_observing
from agent.providers.factory import Providers, build_providers
from agent.resilience import CLASSIFIER, BreakerConfig, CircuitBreaker, Failure
from agent.settings import Settings, settings
from agent.shop import SHOP


@dataclass(frozen=True)
class Services:
    """What a node may use. `heartbeat` is the reconciler's, `readiness` tells whether the ledger can be written.
    `started_at`: threads that paused before it may have lost their checkpoint in a crash."""

    settings: Settings
    database: Database
    queries: Queries
    commerce: Commerce
    orders: Orders
    payments: Payments
    debts: Debts
    comparison: Comparison
    fulfilment: Fulfilment
    expiry: Expiry
    tickets: Tickets
    notifications: ConversationNotifications
    webhook_delivery: WebhookDelivery
    staff_delivery: StaffDelivery
    approvals: Approvals
    deadlines: Deadlines
    index: Index
    feedback: Feedback
    questions: Questions
    quarantine: Quarantine
    heartbeat: Heartbeat
    readiness: Readiness
    knowledge: Knowledge
    understander: Understander
    tool_loop: ToolLoop
    translator: Translator
    breakers: Breakers
    started_at: datetime
    providers: Providers
    receivers: Receivers

    async def close(self) -> None:
        """Give every connection back."""
        for client in (*self.providers.clients, *self.receivers.clients):
            await client.aclose()
        await self.breakers.close()
        self.knowledge.close()
        await self.database.close()


_built: Services | None = None
_building = asyncio.Lock()
_failed: tuple[float, Exception] | None = None


async def services() -> Services:
    """The services of this process, built on first use. An attempt that fails has failed for all who waited for it."""
    global _built, _failed  # noqa: PLW0603  (one composition root a process is the point)
    asked = time.monotonic()
    async with _building:
        if _built is None:
            if _failed and _failed[0] >= asked:
                raise _failed[1]
            try:
                _built = await build(await asyncio.to_thread(settings))
            except OSError as error:
                away = DatabaseUnavailableError(f"a file beside it can't be read or written ({error.strerror})")
                _failed = time.monotonic(), away
                raise away from error
            except Exception as error:
                _failed = time.monotonic(), error
                raise
    return _built


async def leave() -> None:
    """Have the other workers not wait for this one, which stops. Builds nothing."""
    if _built:
        await _built.breakers.leave()


def replace(with_these: Services | None) -> None:
    """Put other services in place; None means: build anew on next use. For tests and evaluations."""
    global _built  # noqa: PLW0603
    _built = with_these


async def build(config: Settings, clock: Clock = utc_now) -> Services:
    """Build services from settings: opens the ledger, creates what is missing, seeds an empty one."""
    CLASSIFIER.register(DatabaseUnavailableError, Failure("connection"))
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, in which secrets may stand
    await asyncio.to_thread(keep_private, config.data_dir)
    await asyncio.to_thread(start_observing, config)  # a process that runs graphs alone has not come by `server.entry`
    breakers = Breakers(config.redis_url, BUDGETS.values())
    first_failure = BreakerConfig(minimum_number_of_calls=1)
    replica_breaker = breakers.add("replica", first_failure) if config.database_replica_url else None
    database = await asyncio.to_thread(_database, config, clock, replica_breaker)  # looks at the file system
    try:
        await database.open()
        await database.read(check_currency)
    except Exception:
        await database.close()
        raise
    providers, receivers = await build_providers(config, breakers), await build_receivers(config, breakers)
    seconds = config.model_timeout_seconds
    patience = BreakerConfig(slow_call_duration=seconds, probe_lease_seconds=2 * seconds)
    names = ["model", "second-model"] if config.second_model else ["model"]
    models = await asyncio.to_thread(chat_models, config, [breakers.add(name, patience) for name in names])
    if config.seed_shop and config.payment_provider == "sandbox" and await is_empty(database):  # it has test cards
        await _seed(database, providers)
    _announce(providers)
    wait = timedelta(seconds=config.payment_wait_seconds)
    payments = Payments(database, providers.payments, wait, providers.no_payments)
    first_wait = timedelta(seconds=config.debt_retry_seconds)
    debts = Debts(database, payments, providers.payments, providers.carrier, first_wait)
    return Services(
        settings=config,
        database=database,
        queries=Queries(database, wait),
        commerce=Commerce(database),
        orders=Orders(database),
        payments=payments,
        debts=debts,
        comparison=Comparison(database, providers.payments, payments, debts),
        fulfilment=Fulfilment(database, providers.carrier),
        expiry=Expiry(database, wait),
        tickets=Tickets(database),
        notifications=ConversationNotifications(database),
        webhook_delivery=WebhookDelivery(database, receivers.webhooks),
        staff_delivery=StaffDelivery(database, receivers.addresses),
        approvals=Approvals(database, await asyncio.to_thread(Trail.of, config), config.approval_time_scale),
        deadlines=Deadlines(database),
        index=Index(config),
        feedback=Feedback(database),
        questions=Questions(database),
        quarantine=Quarantine(database),
        heartbeat=Heartbeat(database, "reconciler"),
        readiness=Readiness(Heartbeat(database, "readiness"), config.ledger_url),
        knowledge=await asyncio.to_thread(Knowledge.load, SHOP.articles),
        understander=Understander(models),
        tool_loop=ToolLoop(models, config.model_steps),
        translator=Translator(models),
        breakers=breakers,
        started_at=clock(),
        providers=providers,
        receivers=receivers,
    )


def _announce(providers: Providers) -> None:
    """Have the series of metrics there from the start whose labels other rooms know."""
    names = [provider.name for provider in providers.payments]
    PAYMENTS.announce(names)
    for name in names[1:]:
        FALLBACKS.keep("payment", name)
    for dependency in BUDGETS:
        RETRIES.announce((dependency,))
    DECISION_SECONDS.announce(APPROVER_ROLES)
    COUNT_BY["request.denied"].announce(RULES)


async def _seed(database: Database, providers: Providers) -> None:
    """Put the shop's catalogue, if it has one, into an empty ledger."""
    if await asyncio.to_thread(SHOP.catalogue.exists):
        with suppress(NotEmptyError):  # by another process that starts now
            await import_shop(database, providers.past, await asyncio.to_thread(catalogue), pay_again=True)


def _database(config: Settings, clock: Clock, replica_breaker: CircuitBreaker | None) -> Database:
    limits = Limits.of(config)
    replica = Replica(config.database_replica_url, limits, replica_breaker) if replica_breaker else None
    return Database(config.ledger_url, clock, limits, replica)
