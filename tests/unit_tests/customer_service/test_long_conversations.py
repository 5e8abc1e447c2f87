"""A conversation may go on for as long as it likes: what a turn writes stays the same, and nothing is told twice."""

import json
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Annotated, Any, Final

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from agent.customer_service import message_history
from agent.customer_service.message_history import MESSAGES, SNAPSHOT_EVERY, messages_update
from agent.services import Services
from tests.support.conversations import conversation, say
from tests.support.notifications import note

TURNS_A_SNAPSHOT: Final = SNAPSHOT_EVERY // 2  # the customer's message, and the reply
CONFIG: Final = RunnableConfig(configurable={"thread_id": "t"})


def bytes_of(saver: InMemorySaver) -> int:
    """Of everything that it keeps, serialised as it is."""
    checkpoints = [part for spaces in saver.storage.values() for saved in spaces.values() for part in saved.values()]
    size = sum(len(checkpoint[1]) + len(metadata[1]) for checkpoint, metadata, _ in checkpoints)
    size += sum(len(blob[1]) for blob in saver.blobs.values())
    return size + sum(len(write[2][1]) for written in saver.writes.values() for write in written.values())


async def test_turn_200_writes_at_most_half_as_much_again_as_turn_5(shop: Services) -> None:
    thread, sizes = conversation(), [0]
    for turn in range(1, 201):
        await say(thread, f"hello {turn}")
        sizes.append(bytes_of(thread.graph.checkpointer))
    written = [after - before for before, after in pairwise(sizes)]

    late = mean(written[-TURNS_A_SNAPSHOT:])  # with the one turn of these that writes a whole copy
    assert late <= 1.5 * written[4], (written[4], late)
    assert (await thread.values())["messages"][-2].text == "hello 200"


async def test_a_conversation_shows_its_last_messages(shop: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_history, "KEPT_MESSAGES", 4)
    thread = conversation()
    for turn in range(1, 5):
        await say(thread, f"hello {turn}")

    shown = [(message.type, message.text) for message in (await thread.values())["messages"]]

    assert [kind for kind, _ in shown] == ["human", "ai", "human", "ai"]
    assert [text for _, text in shown[::2]] == ["hello 3", "hello 4"]


async def test_what_was_delivered_long_ago_is_not_delivered_again(
    shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_history, "KEPT_MESSAGES", 4)
    thread = conversation()
    key = await note(shop, "refund.settled", "r1", amount=60_00)
    for turn in range(1, 5):
        await say(thread, f"hello {turn}")

    assert [message.id for message in (await thread.values())["messages"]].count(key) == 1


def test_the_engine_writes_what_is_new_only() -> None:
    assert isinstance(MESSAGES, DeltaChannel)


def test_old_checkpoints_stay_as_long_as_their_thread_since_messages_are_read_through_them() -> None:
    config = json.loads((Path(__file__).parents[3] / "langgraph.json").read_text())

    assert config["checkpointer"]["ttl"]["strategy"] == "delete"


@pytest.mark.parametrize(
    "channel", [MESSAGES, message_history.messages_channel(None, None)], ids=["deltas", "without them"]
)
def test_with_and_without_deltas_the_same_is_shown(channel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_history, "KEPT_MESSAGES", 3)

    class State(TypedDict):
        messages: Annotated[list[AnyMessage], channel]

    def reply(state: State) -> dict[str, Any]:
        return messages_update(state["messages"], [AIMessage(f"{state['messages'][-1].text}!")])

    graph = StateGraph(State).add_node(reply).add_edge(START, "reply").compile(InMemorySaver())
    for text in ("one", "two", "three"):
        graph.invoke({"messages": [HumanMessage(text)]}, CONFIG)

    shown = [message.text for message in graph.get_state(CONFIG).values["messages"]]
    assert shown == ["two!", "three", "three!"]
