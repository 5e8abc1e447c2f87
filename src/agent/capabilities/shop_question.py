"""A question about the shop, answered in the shop's own words."""

from agent.capabilities.base import Capability, Outcome, Slots
from agent.services import Services


async def _propose(_: Services, __: str, ___: Slots) -> Outcome:
    return ""  # the article that was found is the answer


SHOP_QUESTION = Capability(
    name="shop_question",
    request_type="question",
    does="answer from our articles",
    propose=_propose,
    reach="anybody",
)
