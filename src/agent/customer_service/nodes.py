"""The desk's nodes: each a sentence, calling down. Wiring is in `graph.py`, specialists in `specialists.py`, what a
change needs, and the making of it, in `plan_execution`; whose a conversation is, in `customer_identity`.

All are coroutines, also those that wait for nothing: the engine would run a plain function in a thread.
"""

from typing import Any, Literal

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite, Send
from sqlalchemy.orm import Session

from agent.approvals.card import not_taken
from agent.approvals.gate import ask, caller_who
from agent.approvals.models import ApprovalView
from agent.approvals.seen import Seen
from agent.assistant.draft_check import sentences
from agent.capabilities import BY_NAME
from agent.capabilities.refund import edited_refund
from agent.context import Context
from agent.customer_service.customer_identity import notify_customer, notify_woken, requests_here, standing
from agent.customer_service.dialogue import open_wishes, turn_in
from agent.customer_service.message_history import messages_update
from agent.customer_service.plan_execution import (
    approved,
    counter_offer,
    join,
    make,
    review_plan,
    told_of_answer,
    turned_down,
)
from agent.customer_service.reply_language import in_their_language
from agent.customer_service.reply_templates import SAYINGS, SHALL_I
from agent.customer_service.specialists import look_into
from agent.customer_service.state import (
    DeskState,
    Finding,
    Plan,
    Question,
    ReadyAction,
    TopicTask,
)
from agent.customer_service.turn_routing import act_on, asked_again, asked_for
from agent.customer_service.turns import model_task, turn_of, was_answered, words_of
from agent.identity import Caller, caller_of_run
from agent.ledger.database import PolicyDenied, digest
from agent.ledger.database_errors import UNUSABLE
from agent.ledger.tables import ApprovalRow
from agent.observability.events import emit
from agent.platform import this_thread
from agent.services import services

Update = dict[str, Any]


async def triage(
    state: DeskState, runtime: Runtime[Context]
) -> Command[Literal["knowledge", "review", "execute", "reply"]]:
    """Read the last message: who says it, what it asks, and where it goes; first of all tell what is new.

    The service account says nothing: its run is there for notifications, and for what was approved and is not made yet.
    """
    shop, caller = await services(), caller_of_run(runtime)
    if caller and caller.role == "service":
        update = await notify_woken(shop, state, runtime)
        if approved_before := await shop.deadlines.to_make(this_thread(runtime)):
            ready = [action for request in approved_before for action in approved(request)]
            return Command(goto="execute", update=update | {"ready": ready, "notes": []})
        return Command(goto="reply", update=update)
    if was_answered(state):
        return Command(goto="reply", update={"notes": []})
    fresh: Update = {"notes": [], "ready": [], "findings": Overwrite({}), "processing_stage": "triage", "topics": []}
    fresh["answering"] = turn_of(state)
    try:
        text = words_of(state)
        found = await standing(shop, state, runtime, text)
        customer_id = found.customer_id
        a_person_has_it = customer_id and found.is_held
        if a_person_has_it and await shop.tickets.note(this_thread(runtime), text, turn_of(state)):
            fresh |= {"customer_id": customer_id, "plan": None, "unfinished": None}
            return Command(goto="reply", update=fresh | await notify_customer(shop, state, found, runtime))
        if customer_id and (taken := await shop.questions.take(text, customer_id)):  # nobody's yes, nor a topic
            return Command(goto="reply", update=fresh | {"customer_id": customer_id, "notes": [SAYINGS[taken]]})
        turn = await turn_in(shop, state, customer_id, text)
    except PolicyDenied as denial:
        emit("request.denied", rule=denial.rule)
        return Command(goto="reply", update=fresh | {"plan": None, "notes": [denial.sentence]})
    goto, acted = await act_on(shop, state, runtime, turn, found=found, text=text)
    return Command(goto=goto, update=fresh | acted)


async def knowledge(state: Question) -> Update:
    """Find the articles that may help. Cached by the question's words: nothing of a customer comes in or goes out."""
    shop = await services()
    found = [await shop.knowledge.search(wish["slots"]["text"]) for wish in state["topics"]]
    return {"articles": [articles[0].as_dict() if articles else {} for articles in found]}


async def dispatch(state: DeskState) -> Command[Literal["specialist"]]:
    """Hand each topic to its specialist, in parallel.

    A node of its own: a cache hit replays what the cached node sent on, so edges that carry a customer's state must not
    leave from `knowledge`, or the next customer with the same question would get the first one's orders.
    """
    customer_id, model = state.get("customer_id"), model_task(state)
    tasks = [
        TopicTask(key=str(n), topic=topic, customer_id=customer_id, article=article, model=model)
        for n, (topic, article) in enumerate(zip(state["topics"], state["articles"], strict=True))
    ]
    return Command(goto=[Send("specialist", task) for task in tasks])


async def specialist(state: TopicTask, runtime: Runtime[Context]) -> Update:
    """Look into one topic; read the ledger, change nothing, perhaps propose a change."""
    try:
        findings = await look_into(await services(), state)
    except PolicyDenied as denial:
        emit("request.denied", rule=denial.rule)
        findings = {state["key"]: Finding(text=denial.sentence, action=None, unfinished=None)}
    certain = [finding["text"] for finding in findings.values() if not finding["action"]]
    for sentence in (each for text in certain for each in sentences(text)):
        runtime.stream_writer({"progress": "answer", "text": sentence})
    retries = runtime.execution_info.node_attempt - 1 if runtime.execution_info else 0
    return {"findings": findings, "retry_count": retries}


def topic_failed(state: TopicTask, error: NodeError) -> Command[Literal["plan"]]:
    """A topic that could not be looked into is said to be so; the others are answered.

    It takes the place of the branch's edge, and so names the join: nobody else may be on the way there.
    """
    emit("node.failed", node=error.node, error=type(error.error).__name__)
    failed = Finding(text=SAYINGS["failed"], action=None, unfinished=None)
    return Command(goto="plan", update={"findings": {state["key"]: failed}, "error_count": 1})


async def plan(state: DeskState, runtime: Runtime[Context]) -> Command[Literal["execute", "reply"]]:
    """Join what the specialists found into sentences, and their proposals into one plan; some need no yes."""
    findings = [state["findings"][key] for key in sorted(state["findings"])]
    notes, actions = await join(await services(), findings, state.get("customer_id"))
    plan_id = f"{this_thread(runtime)}:{turn_of(state)}:{digest(actions)[:8]}"
    ready = [
        ReadyAction(key=f"plan:{plan_id}:{n}:once", action=action, request_id=None)
        for n, action in enumerate(actions)
        if BY_NAME[action["name"]].at_once
    ]
    asked = [action for action in actions if not BY_NAME[action["name"]].at_once]
    before, waiting = state.get("plan"), open_wishes(state)
    together = [*(each for each in (before["actions"] if before else []) if each not in asked), *asked]
    update: Update = {
        "notes": list(dict.fromkeys([*state["notes"], *notes, *asked_again(waiting)])),
        "plan": Plan(id=plan_id, actions=together) if asked else before,
        "ready": ready,
        "unfinished": [*waiting, *asked_for(findings)] or None,
        "processing_stage": "planned" if together else "answered",
    }
    return Command(goto="execute" if ready else "reply", update=update)


async def review(state: DeskState, runtime: Runtime[Context]) -> Command[Literal["execute", "reply"]]:
    """After the customer's yes: what policy lets pass is ready; for the rest people are asked, once."""
    shop, agreed, customer_id = await services(), state["plan"], state["customer_id"]
    caller, thread_id = caller_of_run(runtime), this_thread(runtime)
    assert agreed is not None  # noqa: S101  (triage routes here only with a plan)
    assert customer_id is not None  # noqa: S101  (a plan is only ever made for a known customer)
    asked_by = caller.identity if caller else customer_id  # whose thread this is
    ready, notes = await shop.database.write(
        lambda session: review_plan(shop, session, agreed, subject=customer_id, thread_id=thread_id, asked_by=asked_by)
    )
    runtime.stream_writer({"progress": "reviewed", "text": " ".join(notes) or "nobody needs to approve this"})
    update = {"plan": None, "ready": ready, "notes": notes, "processing_stage": "reviewed"}
    return Command(goto="execute" if ready else "reply", update=update)


async def approval(state: DeskState, runtime: Runtime[Context]) -> Update:
    """Ask people for their yes to the oldest request of this conversation; nothing else, since it all runs again."""
    shop, shown = await services(), state["approval"]
    assert shown is not None  # noqa: S101  (`after_reply` routes here only with a request)
    request = await shop.approvals.get(shown["request_id"])
    return {"answer": ask(shown, request.get("head", ""), runtime, shop.approvals.trail)}


async def decide(
    state: DeskState, runtime: Runtime[Context]
) -> Command[Literal["approval", "execute", "plan", "reply"]]:
    """Take the answer if it counts; else ask again, saying why."""
    shop, view, answer = await services(), state["approval"], state["answer"]
    assert view is not None  # noqa: S101  (the gate was at this request)

    def decided(session: Session) -> tuple[ApprovalView, Caller | None]:
        head = session.get_one(ApprovalRow, view["request_id"]).head or ""
        who = caller_who(answer, head, shop.approvals.trail)
        seen, request_id = Seen(view, answer.get("named", "")), view["request_id"]
        request = shop.approvals.decide_in(
            session, request_id, view["action_hash"], answer["said"], who, edit=edited_refund, seen=seen
        )
        return request, who

    request, who = await shop.database.write(decided)
    await shop.feedback.give(request, who)
    told = told_of_answer(state["messages"], request)
    update: Update = {"approval": request} | ({"messages": told} if told else {})
    if request["refused"]:
        runtime.stream_writer({"progress": "not_taken", "text": not_taken(request)})
    if request["status"] == "open":
        await shop.index.show(this_thread(runtime), request)
        return Command(goto="approval", update=update)
    await shop.notifications.mark_delivered("approval.decided", request["request_id"])
    ready, notes = approved(request), turned_down(request)
    update |= {"ready": ready, "notes": notes, "processing_stage": request["status"]}
    busy = state.get("plan") or state.get("unfinished")  # the customer's next word is about that
    if not busy and (offer := await counter_offer(shop, request)):
        return Command(goto="plan", update=update | {"findings": Overwrite({"offer": offer})})
    return Command(goto="execute" if ready else "reply", update=update)


async def execute(state: DeskState, runtime: Runtime[Context]) -> Update:
    """Make the changes that are ready, each once, in the customer's name; say what came of them."""
    shop, notes = await services(), list(state["notes"])
    for ready in state["ready"]:
        runtime.stream_writer({"progress": "executing", "text": ready["action"]["name"].replace("_", " ")})
        try:
            notes.append(await make(shop, ready, str(state.get("customer_id"))))
        except PolicyDenied as denial:
            emit("request.denied", rule=denial.rule)
            notes.append(denial.sentence)
        if ready["request_id"]:
            await shop.deadlines.made(ready["request_id"])
    return {"notes": notes, "ready": [], "processing_stage": "executed"}


async def reply(state: DeskState, runtime: Runtime[Context]) -> Update:
    """Say it: what was found or done, then the plan with the question for a yes."""
    shop, parts, stage = await services(), list(state.get("notes", [])), state.get("processing_stage", "")
    ended, head = await requests_here(shop, runtime)
    parts += [sentence for request in ended for sentence in turned_down(request)]
    waiting = state.get("plan")
    if waiting and stage != "awaiting_customer":  # after notifications alone the customer is not asked again
        listed = "\n".join(f"- {action['sentence']}" for action in waiting["actions"])
        parts.append(f"This is what I would do:\n{listed}\n\n{SHALL_I}")
    if head or state.get("approval"):
        await shop.index.show(this_thread(runtime), head)
    said = await in_their_language(shop, state, "\n\n".join(parts)) if parts else ""
    return {
        **messages_update(state["messages"], [AIMessage(said)] if said else []),
        "notes": [],
        "answering": None,
        "approval": head,
        "human_intervention": head is not None,
        "processing_stage": "awaiting_customer" if waiting else stage,
    } | ({"listed_at": shop.database.clock().isoformat()} if waiting and stage != "awaiting_customer" else {})


def not_now(state: DeskState, error: NodeError) -> Command[Literal["reply"]]:
    """The ledger can't be written now: a customer who just spoke is told so, and a plan waits for another yes.

    What people have approved already is not dropped: the run fails, and the reconciler makes the change.
    """
    approved_already = any(ready["request_id"] for ready in state.get("ready", []))
    if approved_already or not isinstance(error.error, UNUSABLE) or not isinstance(state["messages"][-1], HumanMessage):
        raise error.error
    emit("node.failed", node=error.node, error=type(error.error).__name__)
    return Command(goto="reply", update={"notes": [*state.get("notes", []), SAYINGS["not_now"]], "ready": []})


async def after_reply(state: DeskState) -> Literal["approval", "__end__"]:
    """While a request is open the conversation comes back to the gate; a message does not end its waiting."""
    return "approval" if state.get("approval") else "__end__"
