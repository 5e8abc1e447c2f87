"""Changes that the desk can make: what each needs, what people's decision on it means, and the making of it.

The nodes decide when; the rules are in `commerce`, whose yes is needed in `approvals.chains`.
"""

from typing import Any

from agent.approvals.chains import Case, case_for_refund
from agent.approvals.models import ApprovalView
from agent.approvals.requests import Action
from agent.assistant.entities import amount as meant_amount
from agent.commerce.commands import CancelOrder, Command, Denial, OpenTicket, RefundPayment
from agent.commerce.policy import money, refund_denied
from agent.customer_service.state import Finding, PlannedAction, ReadyAction
from agent.customer_service.words import SAYINGS
from agent.ledger.database import Denied
from agent.services import Services


def case_of(action: PlannedAction) -> Case | None:
    """Which approval a change needs. Only a cancellation needs none."""
    return None if action["name"] == "cancel_order" else case_for_refund(action["arguments"]["amount"])


def as_request(action: PlannedAction) -> Action:
    """The change as people are shown it. The amount of a refund may be edited."""
    return Action(action["name"], action["arguments"], action["sentence"], editable=action["name"] == "refund_payment")


def edited_refund(shown: dict[str, Any], arguments: dict[str, Any]) -> tuple[Action, Case]:
    """Check an edited refund: the amount may change (clients send it as text), nothing else.

    Raises ValueError with the reason.
    """
    amount = arguments["amount"]
    if isinstance(amount, str) and amount.strip().isdecimal():
        amount = int(amount)
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount < 10**9:
        raise ValueError("amount must be a whole number of cents above 0")
    changed = shown | {"amount": amount}
    if arguments | {"amount": amount} != changed:
        raise ValueError("only the amount can be changed")
    sentence = f"Refund {money(amount)} of order {changed['order_id']}"
    return Action("refund_payment", changed, sentence, editable=True), case_for_refund(amount)


def approved(request: ApprovalView) -> list[ReadyAction]:
    """The change that a decided request lets be made, if it was approved."""
    if request["status"] != "approved":
        return []
    shown, request_id = request["action_requests"][0], request["request_id"]
    action = PlannedAction(name=shown["name"], arguments=shown["args"], sentence="")
    return [ReadyAction(key=request_id, action=action, request_id=request_id)]


def turned_down(request: ApprovalView) -> list[str]:
    """What is said of a decided request that was not approved."""
    match request["status"]:
        case "approved":
            return []
        case "rejected":
            return [f"I'm sorry, this was not approved. The reason given: {request['note']}"]
        case ended:
            return [SAYINGS[ended]]


async def counter_offer(shop: Services, request: ApprovalView) -> Finding | None:
    """What a rejection leaves to offer: a smaller refund, if its reason names one. Once; the next no is the last."""
    asked, amount = request["action_requests"][0]["args"], meant_amount(request["note"])
    if request["status"] != "rejected" or "instead_of" in asked or not amount:
        return None
    if not 0 < amount < asked["amount"] or refund_denied(amount, await shop.reads.refundable(asked["order_id"])):
        return None
    instead = f"Refund {money(amount)} of order {asked['order_id']}, instead of {money(asked['amount'])}."
    arguments = asked | {"amount": amount, "instead_of": request["request_id"]}
    action = PlannedAction(name="refund_payment", arguments=arguments, sentence=instead)
    return Finding(text="", action=action, unfinished=None)


async def make(shop: Services, ready: ReadyAction, customer_id: str) -> str:
    """Make one change, once, in the customer's name; returns what is said of it.

    What needed approval is taken from the ledger as it was approved, not from the thread. Raises `Denied`.
    """
    key, name, arguments = ready["key"], ready["action"]["name"], ready["action"]["arguments"]
    if ready["request_id"]:
        request = await shop.approvals.approved(ready["request_id"])
        key, customer_id = request.get("head", request["request_id"]), request["subject"]  # the last seal: law 1
        name, arguments = request["action_requests"][0]["name"], request["action_requests"][0]["args"]
    elif case_of(ready["action"]):
        raise Denied("APPROVAL-MISSING", "This has not been approved.")
    order_id = arguments["order_id"]
    command: Command
    if name == "cancel_order":
        command = CancelOrder(
            key=key, actor=customer_id, subject=customer_id, order_id=order_id, reason=arguments["reason"]
        )
        done = f"Order {order_id} is cancelled."
    else:
        command = RefundPayment(
            key=key, actor=customer_id, subject=customer_id, order_id=order_id, amount=arguments["amount"]
        )
        done = f"{money(arguments['amount'])} of order {order_id} will be refunded."
    answer = await shop.commerce.run(command)
    if isinstance(answer, Denial):
        return answer.sentence
    if answer.get("stage") == "cancelling":
        done = f"Order {order_id} is being cancelled."
    if name == "cancel_order":
        await shop.news.said("order.cancelled", order_id)
    settled = await shop.debts.settle(order_id)
    if "owed" in settled.values():
        return f"{done} The payment provider can't be reached just now; the money is on its way as soon as it can."
    return f"{done} {SAYINGS['refund_time']}" if settled else done


async def hand_over(shop: Services, text: str, customer_id: str, key: str) -> str:
    """Have a person read a message, once under `key`; returns what the customer is told."""
    command = OpenTicket(key=key, actor="customer_service", subject=customer_id, topic="question", text=text)
    answer = await shop.commerce.run(command)
    return answer.sentence if isinstance(answer, Denial) else SAYINGS["handed_over"].format(case=answer["id"])
