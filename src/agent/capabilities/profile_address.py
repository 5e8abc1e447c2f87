"""Change the customer's default address (PROFILE-OWN); what changes in an account besides is for our staff."""

from typing import Any

from agent.assistant.pattern_language import phrases
from agent.capabilities.base import Arguments, Capability, Outcome, Proposal, Question, Requester
from agent.capabilities.change_address import AddressSlots
from agent.capabilities.finding import address_in_words, the_address
from agent.commerce.commands import ChangeProfileAddress
from agent.commerce.types import Address, Form
from agent.services import Services


class ProfileForm(Form):
    """The whole address."""

    where: Address


async def _propose(shop: Services, customer_id: str, slots: AddressSlots) -> Outcome:
    known = await shop.queries.address_of(customer_id)
    address = slots.where or the_address(slots.address or slots.text, known, "What is your new address?")
    if isinstance(address, Question):
        return address
    where = address.model_dump()
    return Proposal({"address": where}, f"Make {address_in_words(where)} your address for later orders.")


def _command(requester: Requester, arguments: Arguments) -> ChangeProfileAddress:
    return ChangeProfileAddress(**requester.as_fields(), address=Address(**arguments["address"]))


def _done(arguments: Arguments, _: dict[str, Any]) -> str:
    return f"Your address for later orders is {address_in_words(arguments['address'])}."


PROFILE_ADDRESS = Capability(
    name="profile_address",
    request_type="account",
    does="change your address for later orders",
    slots=AddressSlots,
    form=ProfileForm,
    wants=phrases("address/addresses", "i/we/i've/we've/have/just moved"),
    propose=_propose,
    command=_command,
    done=_done,
)
