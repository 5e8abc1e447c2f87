"""How a conversation's messages are stored: each message once, and the last `KEPT_MESSAGES` of them.

This is the only module that knows of `DeltaChannel`, which is beta in LangGraph 1.2.
"""

from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, RemoveMessage
from langgraph import channels
from langgraph.graph import message

from agent.customer_service.reply_templates import NOTIFICATIONS

KEPT_MESSAGES: Final = 100
"""Messages that a conversation shows; older ones stay in its old checkpoints only.

A run reads all that are kept, so this bounds its time: with 100 a late turn costs up to 1.3 times an early one, with
400 it costs twice as much.
"""

SNAPSHOT_EVERY: Final = 32
"""Updates from one whole copy to the next; a turn makes two. A lower number writes more bytes, a higher one makes each
read go through more checkpoints."""


def messages_channel(delta_channel: Any, reducer: Any) -> Any:
    """The channel or reducer to annotate `messages` with.

    A `DeltaChannel` writes what is new, where `add_messages` writes all messages at each change. It reads what either
    wrote. An engine without it gets `add_messages`: conversations work, and checkpoints grow. A thread with deltas is
    then shown as of its last snapshot, which costs no effect, since effects are in the ledger.

    Deltas are read back through a thread's older checkpoints, so these stay as long as the thread: the checkpointer's
    ttl strategy is `delete`, never `keep_latest`.
    """
    if delta_channel is None or reducer is None:
        return message.add_messages
    return delta_channel(reducer, snapshot_frequency=SNAPSHOT_EVERY)


MESSAGES: Final = messages_channel(
    getattr(channels, "DeltaChannel", None), getattr(message, "_messages_delta_reducer", None)
)


def messages_update(messages: Sequence[AnyMessage], new: Sequence[BaseMessage]) -> dict[str, Any]:
    """The state update that appends `new` and keeps the last `KEPT_MESSAGES`; empty when nothing changes.

    Notifications stay: the id of one in `messages` is what says that it was delivered here
    (`customer_identity.notify_customer`).
    """
    old = messages[: max(0, len(messages) + len(new) - KEPT_MESSAGES)]
    change = [*(RemoveMessage(id=each.id) for each in old if each.id and not is_notification(each)), *new]
    return {"messages": change} if change else {}


def is_notification(each: AnyMessage) -> bool:
    """Whether a message is a notification that was delivered here."""
    return isinstance(each, AIMessage) and str(each.id).partition(":")[0] in NOTIFICATIONS
