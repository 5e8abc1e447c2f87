"""What a customer asked for and does not want any more: a refund that people look at, a return, an exchange."""

from typing import Any

from agent.approvals.sums import earlier_refunds
from agent.capabilities.base import Arguments, Capability, Outcome, Proposal, Question, Requester, Slots
from agent.commerce.commands import Command, WithdrawRequest, WithdrawReturn
from agent.commerce.policy import money
from agent.commerce.types import Amount, Form
from agent.services import Services


class WithdrawSlots(Slots):
    """Of which order, and of which amount in minor units."""

    amount: int | None = None


class WithdrawForm(Form):
    """Of which order, and which amount in minor units, if several wait."""

    order_id: str | None = None
    amount: Amount | None = None


async def _propose(shop: Services, customer_id: str, slots: WithdrawSlots) -> Outcome:
    now = shop.database.clock()
    refunds = await shop.database.read(lambda session: earlier_refunds(session, customer_id, now))
    waiting = [
        each
        for each in refunds
        if each.state == "waits" and slots.order_id in (None, each.order_id) and slots.amount in (None, each.amount)
    ]
    if slots.order_id:
        orders = [await shop.queries.get(slots.order_id, customer_id=customer_id)]
    else:
        orders = await shop.queries.of_customer(customer_id, limit=20)
    returns = [
        order
        for order in orders
        if order["status"] in ("return requested", "exchange requested") and slots.amount is None
    ]
    if slots.amount is not None:  # of several for the same, the last
        waiting = waiting[-1:]
    if len(waiting) + len(returns) > 1:
        listed = [f"- {each.order_id}: refund of {money(each.amount)}" for each in waiting]
        listed += [f"- {order['id']}: {order['status']}" for order in returns]
        return Question(
            "amount", "Which one do you take back? Please tell me its order, or its amount.\n" + "\n".join(listed)
        )
    if waiting:
        of, amount = waiting[0].order_id, money(waiting[0].amount)
        return Proposal(
            {"request_id": waiting[0].request_id}, f"Withdraw your request for a refund of {amount} of {of}."
        )
    if returns:
        order = returns[0]
        kind = order["status"].removesuffix(" requested")
        return Proposal(
            {"order_id": order["id"]}, f"Withdraw the {kind} of order {order['id']}: you keep what you have."
        )
    return "I find nothing of yours that waits and could be withdrawn."


def _command(requester: Requester, arguments: Arguments) -> Command:
    if "request_id" in arguments:
        return WithdrawRequest(**requester.as_fields(), request_id=arguments["request_id"])
    return WithdrawReturn(**requester.as_fields(), order_id=arguments["order_id"])


def _done(_: Arguments, __: dict[str, Any]) -> str:
    return "It is withdrawn."


WITHDRAW_REQUEST = Capability(
    name="withdraw_request",
    request_type="withdraw",
    does="withdraw a refund, a return or an exchange that you asked for",
    slots=WithdrawSlots,
    form=WithdrawForm,
    propose=_propose,
    command=_command,
    done=_done,
)
