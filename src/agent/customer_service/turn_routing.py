"""Where a customer's turn leads: to specialists, to the review of a plan, to a person, or to a reply at once.

What the turn is, `dialogue` has found; what comes of it is a state update, and the next node.
"""

from collections.abc import Sequence
from typing import Any, Literal

from langgraph.runtime import Runtime

from agent.capabilities import BY_NAME
from agent.capabilities.wishes import OpenWish
from agent.context import Context
from agent.customer_service.claims import tell_unvouched
from agent.customer_service.customer_identity import Standing, notify_customer, vouched_for
from agent.customer_service.dialogue import Turn, answers_a_question, now_about, open_wishes
from agent.customer_service.handing_over import to_a_person
from agent.customer_service.plan_execution import hand_over
from agent.customer_service.reply_templates import OPENLY, SAYINGS, STILL_ASKED
from agent.customer_service.state import DeskState, Finding
from agent.customer_service.turns import turn_of
from agent.platform import this_thread
from agent.services import Services

Next = Literal["knowledge", "review", "execute", "reply"]
_NOTHING: dict[str, Any] = {"plan": None, "unfinished": None, "about": []}


async def act_on(
    shop: Services,
    state: DeskState,
    runtime: Runtime[Context],
    turn: Turn,
    *,
    found: Standing,
    text: str,
) -> tuple[Next, dict[str, Any]]:
    """The next node, and what the state is until then. Notifies the customer of what is new."""
    customer_id = found.customer_id
    openly = [OPENLY[turn.read_by]] if turn.read_by in OPENLY else []
    update: dict[str, Any] = {"customer_id": customer_id, "notes": openly, "allowance": turn.allowance}
    update["vouched"] = bool(vouched_for(runtime) or (customer_id and state.get("vouched")))
    if customer_id is None:
        update["plan"] = None
    elif taken := await _given_to_staff(shop, state, turn, customer_id, text):
        return "reply", update | {"notes": [*openly, taken]}
    else:
        update |= await notify_customer(shop, state, found, runtime)
    if turn.does == "person":  # and nothing else of the message is looked into
        passed_on = await to_a_person(shop, state, runtime, customer_id, turn.alarm)
        return "reply", update | _NOTHING | {"notes": [*openly, passed_on]}
    asks = turn.wishes or turn.still_open or SAYINGS["unclear"] in turn.notes
    if customer_id is None and asks and (told := await tell_unvouched(shop, state, turn.wishes)):
        return "reply", update | {"unfinished": None, "notes": [*openly, told]}
    match turn.does:
        case "agrees":
            return "review", update | {"unfinished": None}
        case "wishes":
            return "knowledge", update | _wished(state, turn)
        case "declines":
            return "reply", update | _NOTHING | {"notes": [*openly, *turn.notes]}
        case "unread" if customer_id:
            key = f"message:{this_thread(runtime)}:{turn_of(state)}:ticket"
            return "reply", update | {"notes": [*openly, await hand_over(shop, text, customer_id, key)]}
    again = asked_again([each for each in turn.still_open if each.get("question") not in turn.notes])
    return "reply", update | {"unfinished": turn.still_open, "notes": [*openly, *turn.notes, *again]}


def _wished(state: DeskState, turn: Turn) -> dict[str, Any]:
    """The wishes to look into; a changed subject is not a yes, so a plan that waited is dropped (CONFIRM-FIRST)."""
    dropped = {} if turn.keeps else {"plan": None}
    return dropped | {
        "topics": turn.wishes,
        "unfinished": turn.still_open,
        "about": now_about(state, turn),
        "request_type": BY_NAME[turn.wishes[0]["capability"]].request_type,
    }


async def _given_to_staff(shop: Services, state: DeskState, turn: Turn, customer_id: str, text: str) -> str | None:
    """What is said when the message answers the one open question of staff: it does if it is nothing else."""
    about_else = turn.does in ("agrees", "person") or state.get("plan") or open_wishes(state)
    if not state.get("approval") or about_else or not answers_a_question(text):
        return None
    taken = await shop.questions.take_open(text, customer_id)
    return SAYINGS[taken] if taken else None


def asked_for(findings: Sequence[Finding]) -> list[OpenWish]:
    """What is missing of the wishes that were looked into, each with its question."""
    questions = []
    for finding in findings:
        if waiting := finding["unfinished"]:
            question = finding["text"].rpartition("\n\n")[2]
            capability, slots, asked = waiting["capability"], waiting["slots"], waiting["asked"]
            questions.append(OpenWish(capability=capability, slots=slots, asked=asked, question=question))
    return questions


def asked_again(waiting: Sequence[OpenWish]) -> list[str]:
    """The questions that are still open."""
    return [STILL_ASKED.format(question=each["question"]) for each in waiting if each.get("question")]
