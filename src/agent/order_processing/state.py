"""What a thread of `order_processing` remembers, and shows to whoever inspects it. The ledger is the truth."""

import operator
from typing import Annotated, Any, Literal, TypedDict

from agent.approvals.gate import SaidBy
from agent.approvals.models import ApprovalView

LineOutcome = Literal["reserved", "short", "failed"]
ParcelOutcome = Literal["handed over", "stopped", "failed"]


def merge(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    """Join what parallel branches found, by key; None begins anew."""
    return {} if new is None else {**(old or {}), **new}


class DenialView(TypedDict):
    """A refusal, by rule."""

    rule: str
    sentence: str


class OrderRequest(TypedDict):
    """The graph's input: one permissive key, parsed strictly by the first nodes."""

    order: dict[str, Any]


class OrderResult(TypedDict, total=False):
    """What a run ends with. `order_amount` in minor units; `processing_stage` is what a client waits for."""

    order_id: str
    customer_id: str
    order_amount: int
    payment_status: str
    processing_stage: str
    error_count: Annotated[int, operator.add]
    retry_count: Annotated[int, operator.add]
    human_approval_needed: bool
    denial: DenialView | None


class OrderState(OrderRequest, OrderResult, total=False):
    """Everything that moves between nodes. `results` holds outcomes of parallel branches by line number or parcel."""

    results: Annotated[dict[str, str], merge]
    lines: list[int]
    parcels: list[str]
    approval: ApprovalView
    answer: SaidBy


class LineTask(TypedDict):
    """What one `reserve_line` is sent."""

    order_id: str
    line: int


class ParcelTask(TypedDict):
    """What one `ship` is sent."""

    order_id: str
    customer_id: str
    parcel: str
