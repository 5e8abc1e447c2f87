"""An ordinary approval gate, as a typical LangGraph project has it. It is here to be compared with, not to be used.

Its node checks the role of whoever resumes, its auth knows who is calling, and a large payment needs two managers. The
bank is a file outside of it, one line a payment.
"""

import asyncio
import operator
import os
from pathlib import Path
from typing import Annotated, Any, Final

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt
from langgraph_sdk import Auth
from typing_extensions import TypedDict

PEOPLE: Final = {"alice": ["manager"], "bob": ["manager"], "carol": [], "mallory": []}
"""Who is known, with their permissions; here a name is its own token."""

BANK_SECONDS: Final = 1.5
"""What the bank takes to answer, after it has paid."""

auth = Auth()


@auth.authenticate
async def authenticate(headers: dict[bytes, bytes]) -> Auth.types.MinimalUserDict:
    """Who is calling. What they may do is left to the graph, as it often is."""
    name = headers.get(b"x-api-key", b"").decode()
    if name not in PEOPLE:
        raise Auth.exceptions.HTTPException(401, "unknown token")
    return {"identity": name, "permissions": PEOPLE[name], "is_authenticated": True}


class Payment(TypedDict):
    """What is to be paid, in minor units, how many must say yes, and who has."""

    order_id: str
    amount: int
    needed: int
    yeses: Annotated[list[str], operator.add]


class Limits(TypedDict, total=False):
    """From which amount on a manager is asked; from five times that, two."""

    limit: int


async def assess(state: Payment, runtime: Runtime[Limits]) -> dict[str, Any]:
    """How many managers must say yes is policy, which can be changed in the store without a new release."""
    changed = await runtime.store.aget(("limits",), "payments") if runtime.store else None
    limit = changed.value["limit"] if changed else (runtime.context or {}).get("limit", 1_000_00)
    return {"needed": (state["amount"] >= limit) + (state["amount"] >= 5 * limit)}


def missing_yeses(state: Payment) -> str:
    """To the gate, as long as somebody has yet to say yes."""
    return "approval" if len(state["yeses"]) < state["needed"] else "charge"


def approval(state: Payment, runtime: Runtime[Limits]) -> dict[str, Any]:
    """Ask a manager; a yes of anybody else does not count, and a manager is asked again."""
    said = interrupt({"order_id": state["order_id"], "amount": state["amount"]})
    user = runtime.server_info.user if runtime.server_info else None
    allowed = user is not None and "manager" in user.permissions
    return {"yeses": [user.identity] if user and allowed and said == "approve" else []}


async def charge(state: Payment) -> dict[str, Any]:
    """Pay."""
    await asyncio.to_thread(_pay, state["order_id"], state["amount"])
    await asyncio.sleep(BANK_SECONDS)
    return {}


def _pay(order_id: str, amount: int) -> None:
    with Path(os.environ["BANK"]).open("a") as bank:
        bank.write(f"{order_id} {amount}\n")


graph = (
    StateGraph(Payment, context_schema=Limits)
    .add_node(assess)
    .add_node(approval)
    .add_node(charge)
    .add_edge(START, "assess")
    .add_conditional_edges("assess", missing_yeses, ["approval", "charge"])
    .add_conditional_edges("approval", missing_yeses, ["approval", "charge"])
    .add_edge("charge", END)
    .compile()
)


class Question(TypedDict):
    """The project's other graph shares the threads: it answers questions about a payment."""

    question: str


def answer(state: Question) -> dict[str, Any]:  # noqa: ARG001
    """Answer."""
    return {"question": ""}


chat = StateGraph(Question).add_node(answer).add_edge(START, "answer").add_edge("answer", END).compile()
