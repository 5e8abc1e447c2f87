"""What customers of a shop say, and what its own articles say to that, where a test can't do without.

A shop of one's own needs its line here: all else of the tests is the same for every shop.
"""

from dataclasses import dataclass
from typing import Final

from agent.shop import SHOP


@dataclass(frozen=True)
class Cast:
    """A fault and what is asked about it (`shop.toml`, faults); titles of articles; a product; how long shipping is."""

    fault: str
    fault_question: str
    symptom: str
    care: str
    returns: str
    account: str
    product: str
    delivery_time: str


CASTS: Final = {
    "home": Cast(
        fault="my lamp does not turn on",
        fault_question="Does it stay dark with another bulb and in another socket as well?",
        symptom="yes, it stays dark",
        care="A lamp that does not turn on",
        returns="Returns",
        account="A locked or frozen account",
        product="Wool rug",
        delivery_time="2 to 5 business days",
    ),
    "market": Cast(
        fault="my oil bottle is broken",
        fault_question="Is the lid or the seal broken, or does it leak?",
        symptom="yes, the lid leaks",
        care="Broken, leaking or unsealed",
        returns="Returns",
        account="A frozen account",
        product="Olive oil",
        delivery_time="1 to 3 working days",
    ),
}
if SHOP.folder.name not in CASTS:
    raise LookupError(f"tests/support/cast.py has no words for {SHOP.folder}: add an entry to CASTS")
CAST: Final = CASTS[SHOP.folder.name]
