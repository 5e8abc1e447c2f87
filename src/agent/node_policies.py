"""How this application's nodes are retried, bounded and cached: named policies, as data. Each retry is an event.

What is worth a retry, and how budgets work, is `resilience`'s.
"""

from hashlib import sha256
from importlib.metadata import version
from typing import Final

from langgraph.types import CachePolicy, RetryPolicy, TimeoutPolicy

from agent.observability.cache import question_key
from agent.observability.events import emit
from agent.resilience import RetryBudget, RetryDecided
from agent.shop import SHOP


def _decided(decided: RetryDecided) -> None:
    emit("node.retried" if decided.granted else "retry.refused", dependency=decided.dependency, error=decided.error)


BUDGETS: Final = {
    "ledger": RetryBudget("ledger", 50, 10.0, listeners=[_decided]),  # conflicts are common, and pass at once
    "payment": RetryBudget("payment", 20, 10.0, listeners=[_decided]),
    "carrier": RetryBudget("carrier", 20, 10.0, listeners=[_decided]),
}
"""Retries that there are for a dependency, whichever orders they are for: so many at once, and as many more in ten
seconds. Of all workers that use one Redis together, else of each."""

LEDGER: Final = RetryPolicy(initial_interval=0.1, max_interval=1.0, max_attempts=4, retry_on=BUDGETS["ledger"].allows)
"""A locked or briefly absent database."""

PAYMENT: Final = RetryPolicy(initial_interval=0.5, max_interval=2.0, max_attempts=3, retry_on=BUDGETS["payment"].allows)
"""A payment provider: for a node that first looks up what became of its earlier attempt (law 3)."""

CARRIER: Final = RetryPolicy(initial_interval=0.5, max_interval=2.0, max_attempts=3, retry_on=BUDGETS["carrier"].allows)
"""A carrier, which knows a parcel by its id."""

OUTSIDE_SECONDS: Final = 45.0
"""A node's whole time for a provider: a look-up and an effect, of 8 s each by default, twice, and the waits between."""

BRANCH: Final = TimeoutPolicy(run_timeout=30)
"""One attempt at a parallel branch that needs the ledger only."""

PARCEL: Final = TimeoutPolicy(run_timeout=60)
"""One attempt to give a parcel to the carrier; safe to cut, since a booking is found by the parcel's id."""

READING: Final = TimeoutPolicy(run_timeout=60)
"""One attempt to read a message, or to look into a topic: the models' time (`model_turn_seconds`), and the ledger's."""

_ARTICLES: Final = sha256(
    b"\0".join([version("order-desk").encode(), *(file.read_bytes() for file in sorted(SHOP.articles.glob("*.md")))])
).hexdigest()
"""A cache on disk outlives these articles, and this release."""

QUESTIONS: Final = CachePolicy(key_func=lambda state: f"{_ARTICLES}\n{question_key(state)}", ttl=3600)
"""What the articles say on a question: the same for everybody, for an hour, or until they are edited and read again."""
