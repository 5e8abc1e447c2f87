"""Changes that the desk can make: what each needs, what people's decision on it means, and the making of it.

The nodes decide when; the rules are in `commerce`, whose yes is needed in `approvals.chains`.
"""

from collections.abc import Sequence
from typing import TypedDict, Unpack
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, RemoveMessage
from pydantic import ValidationError
from sqlalchemy.orm import Session

from agent.approvals.card import not_taken, waits_in_words
from agent.approvals.models import ApprovalView
from agent.assistant.entities import counter_amount
from agent.capabilities import BY_NAME
from agent.capabilities.base import Capability, PlannedChange, Requester
from agent.commerce.commands import Denial
from agent.commerce.policy import money, policy_denied, refund_denied
from agent.commerce.ticket_commands import OpenTicket
from agent.customer_service.reply_templates import SAYINGS
from agent.customer_service.state import Finding, Plan, PlannedAction, ReadyAction
from agent.ledger.database import PolicyDenied, emit_once_committed
from agent.services import Services


class AboutWhom(TypedDict):
    """In whose name a change is asked for, by whom, and on which thread people are asked."""

    subject: str
    thread_id: str
    asked_by: str


def needs_approval(action: PlannedAction) -> bool:
    """Whether people must agree to a change; to one that nobody knows, they must as well."""
    capability = BY_NAME.get(action["name"])
    return capability is None or capability.approval is not None


async def join(
    shop: Services, findings: Sequence[Finding], customer_id: str | None
) -> tuple[list[str], list[PlannedAction]]:
    """What is said of findings, and the changes that are proposed.

    One that would be denied as things are is among them if those before it make it possible; else the reason is said.
    """
    notes: list[str] = []
    actions: list[PlannedAction] = []
    for finding in findings:
        text, action = finding["text"], finding["action"]
        if action and (not text or (actions and await _are_possible(shop, [*actions, action], str(customer_id)))):
            actions.append(action)
        elif text:
            notes.append(text)
    return notes, actions


async def _are_possible(shop: Services, actions: Sequence[PlannedAction], customer_id: str) -> bool:
    """Whether changes can be made one after the other, those aside that need people's yes."""
    commands = [
        command(Requester(f"rehearsal:{n}", customer_id), action["arguments"])
        for n, action in enumerate(actions)
        if not needs_approval(action) and (command := BY_NAME[action["name"]].command)
    ]
    return await shop.commerce.rehearse(*commands) is None


def review_plan(
    shop: Services, session: Session, plan: Plan, **about: Unpack[AboutWhom]
) -> tuple[list[ReadyAction], list[str]]:
    """What of an agreed plan may be made now, and what is said of the rest, for which people are asked, once."""
    ready: list[ReadyAction] = []
    notes: list[str] = []
    for n, action in enumerate(plan["actions"]):
        if not needs_approval(action):
            ready.append(ReadyAction(key=f"plan:{plan['id']}:{n}", action=action, request_id=None))
            continue
        try:
            request = ask_staff(shop, session, plan, n, **about)
        except PolicyDenied as denial:
            emit_once_committed(session, "request.denied", rule=denial.rule)
            notes.append(denial.sentence)
            continue
        ready += approved(request)  # decided before this was looked at again
        notes += turned_down(request)
        if request["status"] == "open":
            notes.append(f"I have sent this for approval: {action['sentence']} It {waits_in_words(request)}.")
    return ready, notes


def ask_staff(shop: Services, session: Session, plan: Plan, number: int, **about: Unpack[AboutWhom]) -> ApprovalView:
    """The request for one change of an agreed plan, of which each is asked for once.

    Raises what the capability's `approval` raises.
    """
    action, keys = plan["actions"][number], [f"plan:{plan['id']}:{n}" for n in range(len(plan["actions"]))]
    approval = capability_named(action["name"]).approval
    assert approval is not None  # noqa: S101  (it needs one)
    asked = PlannedChange(
        name=action["name"],
        arguments=action["arguments"],
        sentence=action["sentence"],
        subject=about["subject"],
        key=keys[number],
        of_plan=frozenset(keys),
        planned=sum(each["arguments"].get("amount", 0) for each in plan["actions"] if needs_approval(each)),
        is_known=shop.approvals.is_known(session, keys[number]),
        now=shop.database.clock(),
    )
    order_id = action["arguments"].get("order_id")
    return shop.approvals.open_in(session, *approval(session, asked), key=keys[number], order_id=order_id, **about)


def approved(request: ApprovalView) -> list[ReadyAction]:
    """The change that a decided request lets be made, if it was approved."""
    if request["status"] != "approved":
        return []
    name, request_id = request["action_requests"][0]["name"], request["request_id"]
    action = PlannedAction(name=name, arguments=request["arguments"], sentence="")
    return [ReadyAction(key=request_id, action=action, request_id=request_id)]


def turned_down(request: ApprovalView) -> list[str]:
    """What is said of a decided request that was not approved."""
    match request["status"]:
        case "open" | "approved":
            return []
        case "rejected":
            return [f"I'm sorry, this was not approved. The reason given: {request['note']}"]
        case ended:
            return [SAYINGS[ended]]


def told_of_answer(earlier: Sequence[AnyMessage], request: ApprovalView) -> list[BaseMessage]:
    """What a conversation says of an answer by people, beside what came of it: that it was not taken, in a message that
    takes the place of the one before; or whose step is next."""
    about = f"{request['request_id']}:refused"
    gone: list[BaseMessage] = [RemoveMessage(m.id) for m in earlier if m.id and m.id.startswith(about)]
    if request["refused"]:
        return [*gone, AIMessage(not_taken(request), id=f"{about}:{uuid4().hex}")]
    if request["status"] != "open":
        return gone
    step = f"{request['request_id']}:{request['token']}"
    return [*gone, AIMessage(f"Your request {waits_in_words(request)}.", id=step)]


async def counter_offer(shop: Services, request: ApprovalView) -> Finding | None:
    """What a rejection leaves to offer: a smaller refund, if its reason names one. Once; the next no is the last."""
    asked = request["arguments"]
    refund = request["action_requests"][0]["name"] == "refund_payment"
    if request["status"] != "rejected" or not refund or "instead_of" in asked:
        return None
    amount = counter_amount(request["note"], below=asked["amount"])
    if not amount or refund_denied(amount, await shop.queries.refundable(asked["order_id"])):
        return None
    instead = f"Refund {money(amount)} of order {asked['order_id']}, instead of {money(asked['amount'])}."
    arguments = asked | {"amount": amount, "instead_of": request["request_id"]}
    action = PlannedAction(name="refund_payment", arguments=arguments, sentence=instead)
    return Finding(text="", action=action, unfinished=None)


def capability_named(name: str) -> Capability:
    """The capability that makes a change. Raises `PolicyDenied` CHANGE-UNKNOWN for what another release proposed."""
    if name not in BY_NAME or BY_NAME[name].command is None:
        raise policy_denied("CHANGE-UNKNOWN")
    return BY_NAME[name]


async def make(shop: Services, ready: ReadyAction, customer_id: str) -> str:
    """Make one change, once, in the customer's name; returns what is said of it.

    What needed approval is taken from the ledger as it was approved, not from the thread. Raises `PolicyDenied`.
    """
    key, name, arguments = ready["key"], ready["action"]["name"], ready["action"]["arguments"]
    if ready["request_id"]:
        request = await shop.approvals.approved(ready["request_id"])
        key, customer_id = request.get("head", request["request_id"]), request["subject"]  # the last seal: law 1
        name, arguments = request["action_requests"][0]["name"], request["arguments"]
    elif needs_approval(ready["action"]):
        raise PolicyDenied("APPROVAL-MISSING", "This has not been approved.")
    capability = capability_named(name)
    assert capability.command is not None  # noqa: S101  (what proposes has a command)
    assert capability.done is not None  # noqa: S101
    try:
        command = capability.command(Requester(key, customer_id), arguments)
    except (ValidationError, KeyError) as error:  # of a release that proposed it in another form
        raise policy_denied("CHANGE-UNKNOWN") from error
    answer = await shop.commerce.run(command)
    if isinstance(answer, Denial):
        return answer.sentence
    done, order_id = capability.done(arguments, answer), arguments.get("order_id")
    if order_id is None or capability.at_once:
        return done
    if name == "cancel_order":
        await shop.notifications.mark_delivered("order.cancelled", order_id)
    await shop.payments.collect(order_id)  # what is declined, or not answered, is notified of later
    settled = await shop.debts.settle(order_id)
    if "owed" in settled.values():
        return f"{done} The payment provider can't be reached just now; the money is on its way as soon as it can."
    return f"{done} {SAYINGS['refund_time']}" if settled else done


async def hand_over(shop: Services, text: str, customer_id: str, key: str) -> str:
    """Have a person read a message, once under `key`; returns what the customer is told."""
    command = OpenTicket(key=key, actor="customer_service", subject=customer_id, topic="question", text=text)
    answer = await shop.commerce.run(command)
    return answer.sentence if isinstance(answer, Denial) else SAYINGS["handed_over"].format(case=answer["id"])
