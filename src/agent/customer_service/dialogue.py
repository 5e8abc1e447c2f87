"""What a customer's turn is in its conversation: a yes, an answer, a correction, a digression, a new wish.

First what is certain and needs no model: a yes or no, what the desk asked for, what was put right; then the
understander. It reads, and decides on nothing but what was meant; the nodes act on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agent.assistant import dialogue_phrases, embedded
from agent.assistant.alarms import Alarm, alarm
from agent.assistant.answers import correction, repeats, says_more, yes_or_no
from agent.assistant.entities import plain
from agent.assistant.languages import LANGUAGES, foreign
from agent.assistant.models import Topic
from agent.assistant.turn_budget import Allowance, TurnBudget
from agent.assistant.understand import ReadBy
from agent.capabilities import BY_NAME
from agent.capabilities.wishes import OpenWish, Wish, chosen, completed, corrected, to_choose, wish_of
from agent.customer_service.references import (
    ORDERS,
    other_order,
    pointed_at,
    product_asked_about,
    with_order,
    with_product,
)
from agent.customer_service.reply_templates import SAYINGS, SHALL_I, question_which
from agent.customer_service.state import DeskState
from agent.customer_service.turns import EARLIER
from agent.services import Services

PAUSE: Final = timedelta(hours=1)
"""After so long a plan is listed again before a yes counts."""
_TURNED_BACK: Final = {"refund_payment": "refund", "return_items": "return", "exchange_items": "exchange"}
"""Changes that a customer may "forget" while they are only listed, by what they call them."""


@dataclass
class Turn:
    """What a turn is. `keeps`: what was listed and asked before stays, and `wishes` are joined to it. `allowance`: what
    models may still cost, where one has read it."""

    wishes: list[Wish] = field(default_factory=list)
    does: Literal["wishes", "agrees", "declines", "says", "person", "unread"] = "says"
    keeps: bool = True
    still_open: list[OpenWish] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    alarm: Alarm | None = None
    read_by: ReadBy = "embedded"
    allowance: Allowance | None = None


def open_wishes(state: DeskState) -> list[OpenWish]:
    """The wishes that lack something; a thread of a release before has one or none."""
    waiting = state.get("unfinished") or []
    return [waiting] if isinstance(waiting, dict) else list(waiting)


def changes(wish: Wish) -> bool:
    """Whether something would be changed that needs a yes."""
    capability = BY_NAME[wish["capability"]]
    return capability.command is not None and not capability.at_once


async def turn_in(shop: Services, state: DeskState, customer_id: str | None, text: str) -> Turn:
    """What the customer's last message is, given what was said and asked before it."""
    if kind := alarm(text):
        return Turn(does="person", alarm=kind)
    if customer_id and (turn := await _certain(shop, state, customer_id, text)):
        return turn
    messages, waiting = state["messages"], open_wishes(state)
    plan = state.get("plan") if customer_id else None
    pending = customer_id is not None and bool(plan or waiting)
    earlier = [message.text for message in messages[-EARLIER - 1 : -1]]
    budget = TurnBudget.starting(shop.settings.model_turn_seconds, shop.settings.model_turn_tokens)
    meant, read_by = await shop.understander.understand(text, pending=pending, history=earlier, budget=budget)
    by_rules = read_by in ("embedded", "degraded")
    if by_rules and (language := foreign(text)):
        return Turn(notes=[LANGUAGES[language].answer], still_open=waiting, read_by=read_by)
    wishes = [await with_product(shop, wish_of(topic, None if by_rules else text), messages) for topic in meant.topics]
    if by_rules and not wishes:
        wishes = await product_asked_about(shop, text, messages)
    if any(wish["capability"] == "talk_to_person" for wish in wishes):
        return Turn(does="person", read_by=read_by)
    if plan and _turns_back(wishes, plan["actions"], text):
        return Turn(does="declines", read_by=read_by, notes=[SAYINGS["no"]])
    if wishes:
        if customer_id:
            wishes = [await with_order(shop, customer_id, wish, wish["slots"]["text"], messages) for wish in wishes]
        keeps = not any(changes(wish) for wish in wishes)
        allowance = budget.shared(by=len(wishes)) if read_by in ("primary", "secondary") else None
        still_open = waiting if keeps else []
        return Turn(wishes, "wishes", keeps=keeps, still_open=still_open, read_by=read_by, allowance=allowance)
    if meant.act == "no":
        return Turn(does="declines", notes=[SAYINGS["no"]], read_by=read_by)
    if meant.act == "unclear" and read_by == "person":
        return Turn(does="unread", notes=[SAYINGS["unclear"]], still_open=waiting, read_by=read_by)
    if meant.act == "unclear" and not plan:
        return await _unsure(shop, text, waiting, read_by)
    return Turn(notes=[SAYINGS[meant.act]], still_open=waiting, read_by=read_by)


async def _certain(shop: Services, state: DeskState, customer_id: str, text: str) -> Turn | None:
    """What rules alone can tell of an answer to what the desk listed or asked; None: it is something else."""
    plan, waiting, messages = state.get("plan"), open_wishes(state), state["messages"]
    words = " ".join(plain(text).split())
    answer = yes_or_no(words) if plan or waiting else None
    if answer and answer.act == "no":
        return Turn(does="declines", notes=[SAYINGS["no"]])
    if plan:
        says_yes = answer is not None or repeats(text, [action["sentence"] for action in plan["actions"]])
        if says_yes and asked_just_now(state, shop.database.clock()):
            return Turn(does="agrees")
        if says_yes:
            return Turn(still_open=waiting)  # it is listed again
    about = state.get("about") or []
    if (plan or waiting) and about and (put_right := await _put_right(shop, state, customer_id, text)):
        return Turn(put_right, "wishes", keeps=False)
    answered: list[Wish] = []
    still_open: list[OpenWish] = []
    for each in waiting:
        found = await _answered(shop, customer_id, each, text, messages)
        answered += found
        still_open += [] if found else [each]
    if answered:
        if any(wish["capability"] == "talk_to_person" for wish in answered):
            return Turn(does="person")
        filled = [await with_order(shop, customer_id, wish, text, messages) for wish in answered]
        return Turn(filled, "wishes", still_open=still_open)
    return None


async def _answered(
    shop: Services, customer_id: str, waiting: OpenWish, text: str, messages: Sequence[AnyMessage]
) -> list[Wish]:
    if waiting["asked"] == "choice":
        return chosen(waiting, text)
    if done := completed(waiting, text):
        return [done]
    if waiting["asked"] != "order_id" or waiting["capability"] not in BY_NAME:
        return []
    topics = embedded.understand(text, pending=False).topics
    request_type = BY_NAME[waiting["capability"]].request_type
    if any(topic.request_type != request_type for topic in topics) and not _is_short(text):
        return []
    found = await pointed_at(shop, customer_id, text, messages)
    known = {**waiting["slots"], "order_id": found}
    return [Wish(capability=waiting["capability"], slots=known)] if found else []


def _is_short(text: str) -> bool:
    """Whether an answer is a few words that name a thing, and no sentence with a wish."""
    return len(text.split()) <= 6 and "?" not in text


async def _put_right(shop: Services, state: DeskState, customer_id: str, text: str) -> list[Wish] | None:
    """The wishes behind what was listed or asked, with what the customer put right."""
    said, about = correction(text), state.get("about") or []
    if said is None:
        return None
    types = {BY_NAME[wish["capability"]].request_type for wish in about if wish["capability"] in BY_NAME}
    wished = {topic.request_type for topic in embedded.understand(text, pending=False).topics}
    if wished - types - {"order_status"} and not _is_short(text):
        return None
    changed = corrected([wish for wish in about if wish["capability"] in BY_NAME], said)
    if changed and said.other:
        orders = await shop.queries.items_of(customer_id, limit=ORDERS)
        for was, now in zip(about, changed, strict=True):
            other = other_order(orders, was["slots"].get("order_id", ""), state["messages"])
            if "order_id" not in now["slots"] and other:
                now["slots"]["order_id"] = other
    return changed


async def _unsure(shop: Services, text: str, waiting: list[OpenWish], read_by: ReadBy) -> Turn:
    """What is not sure is asked; what is no wish of ours may be answered by an article; else a person is offered."""
    choices = embedded.read(text, pending=False).choices
    if choices:
        asked = to_choose(text, choices)
        asked["question"] = question_which(choices)
        others = [each for each in waiting if each["asked"] != "choice"]
        return Turn(notes=[asked["question"]], still_open=[asked, *others], read_by=read_by)
    if await shop.knowledge.search(text):
        wish = Wish(capability="shop_question", slots={"text": text})
        return Turn([wish], "wishes", still_open=waiting, read_by=read_by)
    return Turn(notes=[SAYINGS["unclear"]], still_open=waiting, read_by=read_by)


def asked_just_now(state: DeskState, now: datetime) -> bool:
    """Whether the listed plan was the last thing said before the customer's words, not long ago."""
    listed = state.get("listed_at")
    if listed and now - datetime.fromisoformat(listed) > PAUSE:
        return False
    before = next((m for m in reversed(state["messages"][:-1]) if not isinstance(m, HumanMessage)), None)
    return isinstance(before, AIMessage) and before.text.endswith(SHALL_I)


def _turns_back(wishes: Sequence[Wish], planned: Sequence[object], text: str) -> bool:
    """Whether all that is wished is to forget what was only listed yet."""
    names = {action["name"] for action in planned if isinstance(action, dict)}
    said = [word for name, word in _TURNED_BACK.items() if name in names and word in text.lower()]
    return len(wishes) == 1 and wishes[0]["capability"] == "withdraw_request" and bool(said)


def now_about(state: DeskState, turn: Turn) -> list[Wish]:
    """The wishes that what is listed and asked comes from, after this turn."""
    if not turn.keeps:
        return turn.wishes
    before = [wish for wish in state.get("about") or [] if not any(_same(wish, new) for new in turn.wishes)]
    return [*before, *(wish for wish in turn.wishes if changes(wish))]


def _same(old: Wish, new: Wish) -> bool:
    alike = old["capability"] == new["capability"] and old["slots"].get("text") == new["slots"].get("text")
    return alike and old["slots"].get("order_id") in (None, new["slots"].get("order_id"))


def answers_a_question(text: str) -> bool:
    """Whether a message may be an answer in words: it asks nothing, greets nobody, and has no wish that is plain."""
    topic = Topic(request_type="question", text=text)
    talk = embedded.understand(text, pending=False).act in ("small_talk", "out_of_scope")
    thanks = not says_more(text, dialogue_phrases.SMALL_TALK, dialogue_phrases.FILLER)
    return "?" not in text and not talk and not thanks and not embedded.other_wish(text, topic, says_yes_or_no=True)
