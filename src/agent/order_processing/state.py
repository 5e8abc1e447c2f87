"""What a thread of `order_processing` remembers, and shows to whoever inspects it. The ledger is the truth.

JSON-native throughout, so that any release can read it; `guard` checks it against these types.
"""

from typing import Annotated, Any, Final, Literal

from typing_extensions import TypedDict  # pydantic checks states by it, also on Python 3.11

from agent.approvals.gate import AnswerBy
from agent.approvals.models import ApprovalView
from agent.commerce.lifecycle import Stage

STATE_VERSION: Final = 2
"""Of this form of state; release 0.1.0 wrote none. What an older one lacks is optional."""

LineOutcome = Literal["reserved", "short", "failed"]
ParcelOutcome = Literal["handed over", "booked", "refused", "stopped", "unpaid", "failed"]
"""Of a parallel branch, which the guard may also have found `damaged`, or `overtaken` by another run of the order."""


def merge(old: Any, new: dict[str, str]) -> Any:
    """Join what parallel branches found, by key. What is damaged stays as it is, and their join finds it so."""
    return {**old, **new} if isinstance(old, dict) else old


def add(old: Any, new: int) -> int:
    """Count on; a damaged count begins anew."""
    return (old if isinstance(old, int) else 0) + new


class AssistantMessage(TypedDict):
    """What the order line says, in the form of a chat's messages: Agent Chat UI shows a request under the last one."""

    type: Literal["ai"]
    id: str
    content: str


def append_messages(old: Any, new: list[AssistantMessage]) -> list[AssistantMessage]:
    """Put messages after those before them, each id once. What they join to may be damaged."""
    ids = {message["id"] for message in new}
    before: Any = [each for each in old if isinstance(each, dict)] if isinstance(old, list) else []
    return [*(each for each in before if each.get("id") not in ids), *new]


class DenialView(TypedDict):
    """A refusal, by rule."""

    rule: str
    sentence: str


class Damage(TypedDict):
    """What is wrong with a state, and at which node that was found."""

    node: str
    found: str


class OrderRequest(TypedDict):
    """The graph's input: one permissive key, parsed strictly by the first nodes."""

    order: dict[str, Any]


class OrderResult(TypedDict, total=False):
    """What a run ends with. `order_amount` in minor units of `currency`; `processing_stage` is what a client waits for.

    `ledger_fact` names what had been done before this run, which therefore did nothing.
    """

    order_id: str
    customer_id: str
    order_amount: int
    currency: str
    payment_status: Literal["none", "deferred", "unknown", "captured", "declined", "void"] | None
    processing_stage: Stage | Literal["refused"]
    error_count: Annotated[int, add]
    retry_count: Annotated[int, add]
    human_approval_needed: bool
    denial: DenialView | None
    ledger_fact: str | None
    messages: Annotated[list[AssistantMessage], append_messages]


class OrderState(OrderRequest, OrderResult, total=False):
    """Everything that moves between nodes. `results` holds outcomes of parallel branches by line number or parcel.

    What leads to `rebuild`: `damage`, or `overtaken_at`, the node before which the order had gone on without this
    thread. Release 0.2.0 wrote a damage without words for that.
    """

    version: int
    results: Annotated[dict[str, str], merge]
    lines: list[int]
    parcels: list[str]
    approval: ApprovalView | None
    answer: AnswerBy | None
    damage: Damage | None
    overtaken_at: str | None


class LineTask(TypedDict):
    """What one `reserve_line` is sent."""

    order_id: str
    line: int


class ParcelTask(TypedDict):
    """What one `ship` is sent."""

    order_id: str
    customer_id: str
    parcel: str
