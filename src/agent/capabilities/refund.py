"""Refund money of an order beyond what a rule owes: people say whether (REFUND-AMOUNT, REFUND-SUM)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from agent.approvals.card import args_of
from agent.approvals.chains import case_for_refund
from agent.approvals.requests import Action
from agent.approvals.sums import EarlierRefund, earlier_refunds
from agent.assistant.entities import other_currency
from agent.capabilities.base import Arguments, Capability, Outcome, PlannedChange, Proposal, Question, Requester, Slots
from agent.capabilities.finding import the_order
from agent.commerce.commands import RefundPayment
from agent.commerce.policy import money, policy_denied, read_money, refund_denied
from agent.commerce.queries import customer_history
from agent.commerce.returned_pieces import refundable_beside
from agent.commerce.types import Amount, Form
from agent.ledger.tables import ApprovalRow, CustomerRow
from agent.services import Services
from agent.shop import SHOP, Case


class RefundSlots(Slots):
    """Of which order, how much in minor units, and why."""

    amount: int | None = None
    reason: str | None = None


class RefundForm(Form):
    """Of which order, and how much: only what the customer or a fact says."""

    order_id: str
    amount: Amount = Field(description=f"in minor units, so {SHOP.amount(8000)} is 8000")


async def _propose(shop: Services, customer_id: str, slots: RefundSlots) -> Outcome:
    if not slots.order_id:
        return Question("order_id", "Which order is the refund for? Please tell me its number.")
    order = await the_order(shop, customer_id, slots, "refund")
    assert not isinstance(order, Question)  # noqa: S101  (its number is known)
    if other := other_currency(slots.text):
        return Question(
            "amount",
            f"{other} is not our currency: we reckon in {SHOP.currency}. How much of order {order['id']} is it?",
        )
    if slots.amount is None:
        return Question("amount", f"How much of order {order['id']} should be refunded?")
    amount, now = slots.amount, shop.database.clock()
    await shop.database.read(
        lambda session: check_refund(session, order["id"], amount, earlier_refunds(session, customer_id, now))
    )
    return Proposal(
        {"order_id": order["id"], "amount": amount, "reason": slots.reason or slots.text[:200]},
        f"Refund {money(amount)} of order {order['id']} to {order['payment_method_id']}.",
    )


def _command(requester: Requester, arguments: Arguments) -> RefundPayment:
    return RefundPayment(**requester.as_fields(), order_id=arguments["order_id"], amount=arguments["amount"])


def _done(arguments: Arguments, _: dict[str, Any]) -> str:
    return f"{money(arguments['amount'])} of order {arguments['order_id']} will be refunded."


def check_refund(session: Session, order_id: str, amount: int, earlier: Sequence[EarlierRefund]) -> None:
    """Raise `PolicyDenied` REFUND-AMOUNT for more than can be refunded of an order beside what waits for approval."""
    left = refundable_beside(session, order_id)
    waits = sum(each.amount for each in earlier if each.order_id == order_id and each.state == "waits")
    if refund_denied(amount, left - waits):
        beside = f", of which {money(waits)} has been asked for already" if waits else ""
        raise policy_denied("REFUND-AMOUNT", f"{money(left)} of {order_id} can be refunded{beside}")


def by_refunds(session: Session, asked: PlannedChange) -> tuple[Action, Case]:
    """What people are asked, and which of them: by the sum of this, what was paid lately and what waits (REFUND-SUM).

    Raises `PolicyDenied` REFUND-AMOUNT for what the requests that wait would leave nothing of.
    """
    session.get(CustomerRow, asked.subject, with_for_update=True)  # their plans are looked at one after the other
    arguments, earlier = asked.arguments, earlier_refunds(session, asked.subject, asked.now)
    if not asked.is_known and asked.key not in {each.key for each in earlier}:
        check_refund(session, arguments["order_id"], arguments["amount"], earlier)
    others = [each for each in earlier if each.key not in asked.of_plan]
    history = customer_history(session, asked.subject, asked.now)
    action = refund_action(session, arguments, asked.sentence, history, others)
    return action, case_for_refund(asked.planned + sum(each.amount for each in others))


def refund_action(
    session: Session, arguments: dict[str, Any], sentence: str, history: str, earlier: Sequence[EarlierRefund]
) -> Action:
    """A refund as people are shown it, with what they need to judge it. Its amount may be edited."""
    left = f"{money(refundable_beside(session, arguments['order_id']))} of this order can be refunded."
    told = [f"- {money(each.amount)} of {each.order_id}, {_state(each)}" for each in earlier]
    before = "\n\nRefunds beyond policy in 30 days, and those that wait:\n" + "\n".join(told) if told else ""
    return Action("refund_payment", arguments, f"**{sentence}**\n\n{history} {left}{before}", editable=True)


def edited_refund(session: Session, row: ApprovalRow, wanted: dict[str, Any], now: datetime) -> tuple[Action, Case]:
    """Check an edited refund: the amount may change, nothing else.

    Raises ValueError with the reason, and `PolicyDenied` REFUND-AMOUNT for more than can be refunded.
    """
    arguments, shown = row.action["arguments"], args_of(row)
    if wanted | {"amount": ""} != shown | {"amount": ""}:
        raise ValueError("only the amount can be changed")
    amount = read_money(wanted["amount"])
    earlier = [each for each in earlier_refunds(session, row.subject, now) if each.request_id != row.id]
    check_refund(session, arguments["order_id"], amount, earlier)
    sentence = f"Refund {money(amount)} of order {arguments['order_id']}, changed from {shown['amount']}."
    history = customer_history(session, row.subject, now)
    changed = refund_action(session, arguments | {"amount": amount}, sentence, history, earlier)
    return changed, case_for_refund(amount + sum(each.amount for each in earlier))


def _state(refund: EarlierRefund) -> str:
    return f"paid on {refund.at:%Y-%m-%d}" if refund.state == "paid" else f"waits as {refund.request_id}"


REFUND = Capability(
    name="refund_payment",
    request_type="billing_issue",
    does="have a refund looked at by our staff",
    slots=RefundSlots,
    form=RefundForm,
    propose=_propose,
    command=_command,
    done=_done,
    approval=by_refunds,
)
