"""Requests laid out to read: one a line, one in full, and what came of an answer.

What is shown comes cleaned from `show`; nothing here talks to the server.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.console import RenderableType

from agent.approvals.models import ApprovalView, QuestionView
from agent.client.runs import Outcome
from agent.client.show import amount_of, due_in, facts, plain, table, waits

COLUMNS = ("request", "action", "amount", "about", "step", "waits for", "due")


def line(view: ApprovalView, now: datetime) -> tuple[str, ...]:
    """A request's cells, one for each of COLUMNS."""
    action = view["action_requests"][0]
    return (
        view["request_id"],
        action["name"],
        amount_of(view) or "",
        view["order_id"] or view["subject"],
        f"{view['step']}/{view['steps']}",
        ", ".join(view["roles"]),
        due_in(view["due"], now),
    )


def overview(views: Iterable[ApprovalView], now: datetime) -> RenderableType:
    """The open requests, one a line."""
    return table(COLUMNS, (line(view, now) for view in views))


def details(view: ApprovalView, asked: Iterable[QuestionView], now: datetime) -> Iterator[RenderableType]:
    """One request: the facts, what it says, the arguments that an edit may change, what the customer was asked."""
    action = view["action_requests"][0]
    is_open = view["status"] == "open"
    yield facts(
        [
            ("request", view["request_id"]),
            ("action", action["name"]),
            ("amount", amount_of(view)),
            ("case", view["case"]),
            ("customer", view["subject"]),
            ("order", view["order_id"]),
            ("asked by", view["asked_by"]),
            ("waits for", f"{' or '.join(view['roles'])}, step {view['step']} of {view['steps']}" if is_open else None),
            ("due", f"{due_in(view['due'], now)} ({view['due']})" if is_open else None),
            ("status", view["status"]),
            ("note", view["note"] or None),
            ("last answer", view["refused"] and f"Not taken: {view['refused']}"),
            ("may be answered", ", ".join(view["review_configs"][0]["allowed_decisions"]) if is_open else None),
        ]
    )
    yield plain(f"\n{action['description']}\n")
    yield table(["argument", "value"], action["args"].items())
    for question in asked:
        yield facts([(f"{question['asked_by']} asked the customer", question["text"])])
        yield facts([("the customer", question["answer"] or "has not answered yet")])


def came_of_it(view: ApprovalView, outcome: Outcome) -> Iterator[str]:
    """What a recorded answer to `view` led to, for people."""
    waiting = outcome.waiting
    if waiting and waiting["request_id"] == view["request_id"]:
        yield f"Recorded; the request now {waits(waiting)}."
        return
    if answer := last_answer(outcome):
        yield f"Recorded; the desk wrote in the customer's conversation: {answer}"
    elif stage := outcome.values.get("processing_stage"):
        yield f"Recorded; order {view['order_id']}: {stage}."
    else:
        yield f"Recorded; `desk approvals show {view['request_id']}` tells how it stands."
    if waiting:
        yield f"Another request {waits(waiting)}."


def last_answer(outcome: Outcome) -> str | None:
    """The last thing that the desk said in a conversation; None where there is none."""
    messages = outcome.values.get("messages", [])
    return next((message["content"] for message in reversed(messages) if message["type"] == "ai"), None)
