"""How the embedded responder does on messages that its authors have not written."""

import pytest

from agent.assistant.embedded import read
from agent.capabilities import BY_NAME
from agent.capabilities.base import Proposal
from agent.capabilities.wishes import slots_of, wish_of
from agent.ledger.database import PolicyDenied
from agent.services import Services
from tests.support.foreign_messages import FOLDER, Message, messages, offered, share, theirs, topics_of

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"there are no messages in {FOLDER} (MESSAGES_DIR)")


def test_topics_are_found_and_few_messages_are_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    read_as = [(message, read(message.text, pending=False)) for message in messages()]
    right = [bool(topics_of(reading) & message.topics) for message, reading in read_as]
    asked = [bool(not topics_of(reading) and reading.choices) for _, reading in read_as]
    among = [bool(offered(reading) & message.topics) for message, reading in read_as if reading.choices]
    lost = [not topics_of(reading) and not reading.choices for _, reading in read_as]
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{len(right)} messages of others: topic right {share(right):.1%}, asked which {share(asked):.1%} (the"
            f" right one offered in {share(among or [True]):.0%} of these), not understood {share(lost):.1%}"
        )
    assert share(right) >= 0.88
    assert share(lost) + share(asked) <= 0.12


async def test_no_change_is_proposed_that_was_not_asked_for(shop: Services) -> None:
    proposed = [(message, name) for message in messages() for name in await proposals(shop, message)]
    wrong = [name for message, name in proposed if theirs(BY_NAME[name].request_type) not in message.topics]
    assert len(wrong) * 500 <= len(list(messages())), wrong


async def proposals(shop: Services, message: Message) -> list[str]:
    """The changes that a customer with orders would be asked to agree to, or that would be made at once."""
    found = []
    for topic in read(message.text, pending=False).understood.topics:
        wish = wish_of(topic)
        capability = BY_NAME[wish["capability"]]
        try:
            outcome = await capability.propose(shop, "ada_park", slots_of(wish))
        except PolicyDenied:
            continue
        if isinstance(outcome, Proposal) and not (capability.at_once and capability.name != "freeze_account"):
            found.append(capability.name)
    return found
