"""How an order is shown: on its thread, to its approvers, in a line of progress."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from agent.approvals.card import not_taken, waits_in_words
from agent.approvals.models import ApprovalView
from agent.approvals.requests import Action
from agent.commerce.commands import Denial
from agent.commerce.debts import Debt
from agent.commerce.lifecycle import AT_REST
from agent.commerce.order_risk import OrderRisk
from agent.commerce.policy import money
from agent.commerce.views import OrderView
from agent.ledger.database import PolicyDenied
from agent.order_processing.state import STATE_VERSION, AssistantMessage, DenialView, OrderState


def blank() -> dict[str, Any]:
    """All of a thread's state but its input, as if nothing had happened on it; failures stay counted."""
    return {
        "version": STATE_VERSION,
        "order_id": "",
        "customer_id": "",
        "order_amount": 0,
        "currency": "",
        "payment_status": None,
        "processing_stage": "refused",
        "error_count": 0,
        "retry_count": 0,
        "human_approval_needed": False,
        "denial": None,
        "ledger_fact": None,
        "results": Overwrite({}),
        "lines": [],
        "parcels": [],
        "approval": None,
        "answer": None,
        "damage": None,
        "overtaken_at": None,
    }


def order_state(order: OrderView) -> dict[str, Any]:
    """What a thread shows of an order that it begins, or goes on, to work on."""
    return {
        "version": STATE_VERSION,
        "order_id": order["id"],
        "customer_id": order["customer_id"],
        "order_amount": order["total"],
        "currency": order["currency"],
        "processing_stage": order["stage"],
        "lines": [line["number"] for line in order["lines"]],
        "parcels": [],
        "results": Overwrite({}),
        "denial": None,
        "damage": None,
        "overtaken_at": None,
        "ledger_fact": ledger_fact(order) if order["stage"] in AT_REST else None,
    }


def ledger_fact(order: OrderView) -> str:
    """What the ledger says was done for an order, and is not done again."""
    taken = [f"{money(p['amount'])} captured as {p['key']}" for p in order["payments"] if _taken(p)]
    left = [f"{p['id']} {p['state'].replace('_', ' ')}" for p in order["parcels"]]
    why = [order["reason"]] if order["reason"] else []
    return "; ".join([f"{order['id']} is {order['stage']}", *why, *taken, *left])


def opening(state: OrderState, order: OrderView) -> dict[str, Any]:
    """The update with a thread's first message, which stays true: the order as it was placed."""
    if state.get("messages"):
        return {}
    total = money(order["total"])
    return assistant_message(f"{order['id']}:placed", f"Order {order['id']}, {counted(len(order['lines']))}, {total}")


def answer_message(request: ApprovalView) -> dict[str, Any]:
    """The update that says of a request that the last answer was not taken, or whom it waits for: each step, and who is
    asked beside it, in a message of its own."""
    if request["refused"]:
        return assistant_message(f"{request['request_id']}:refused", not_taken(request))
    if request["status"] != "open":
        return {}
    key = f"{request['request_id']}:{request.get('token')}:{len(request['roles'])}"
    return assistant_message(key, f"{request['order_id']} {waits_in_words(request)}.")


def approval_action(order: OrderView, risk: OrderRisk, history: str) -> Action:
    """What people are asked to agree to: this order, exactly; with what they need to judge it."""
    total = money(order["total"])
    lines = [line for line in order["lines"] if line["reservation"] != "short"]
    items = "\n".join(
        f"- {line['quantity']} × {line['name']} ({line['sku']}), {money(line['unit_price'])} each" for line in lines
    )
    to = ", ".join(str(part) for part in order["ship_to"].values() if part)
    why = f" ({'; '.join(risk.reasons)})" if risk.reasons else ""
    others = money(risk.unapproved)
    more = f" Other orders of 24 hours that nobody has approved: {others}." if risk.unapproved else ""
    return Action(
        name="approve_order",
        arguments={
            "order_id": order["id"],
            "revision": order["revision"],
            "total": order["total"],
            "currency": order["currency"],
            "risk": risk.score,
            "lines": [[line["sku"], line["quantity"], line["unit_price"]] for line in lines],
            "ship_to": order["ship_to"],
        },
        description=f"**{total}**, order {order['id']}, to {to}\n\n{items}\n\n{history} Risk {risk.score}{why}.{more}",
    )


def debt_action(debt: Debt) -> Action:
    """What people are asked about a debt that could not be settled."""
    what = {
        "refund": f"Give back {money(debt.amount)} of order {debt.order_id}",
        "void": f"Make sure that the payment of order {debt.order_id} is never taken",
        "stop": f"Keep a parcel of order {debt.order_id} from leaving",
    }[debt.kind]
    return Action(
        name="settle_by_hand",
        arguments={"debt": debt.key, "kind": debt.kind, "order_id": debt.order_id, "amount": debt.amount},
        description=f"**{what}**: failed {debt.attempts} times.\n\n"
        "Approve when it has been done by hand: it is booked so, and not tried again. "
        "Reject, with a reason, to have it tried again.",
    )


def denial_view(denial: PolicyDenied | Denial) -> DenialView:
    """A refusal as the thread shows it."""
    return DenialView(rule=denial.rule, sentence=denial.sentence)


def refused(denial: PolicyDenied | Denial) -> dict[str, Any]:
    """The update of a node that ends with a refusal."""
    return {"denial": denial_view(denial)}


def assistant_message(key: str, text: str) -> dict[str, list[AssistantMessage]]:
    """The update that says something, once under `key`."""
    return {"messages": [AssistantMessage(type="ai", id=key, content=text)]}


def counted(lines: int) -> str:
    """A number of lines, in words."""
    return "1 line" if lines == 1 else f"{lines} lines"


def stream_progress(runtime: Runtime[None], order_id: str, progress: str, text: str) -> None:
    """Stream a line of progress to whoever waits."""
    runtime.stream_writer({"progress": progress, "order_id": order_id, "text": text})


def _taken(payment: dict[str, Any]) -> bool:
    return bool(payment["outcome"] == "captured")
