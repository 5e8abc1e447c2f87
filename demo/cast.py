"""Who plays, and with what: the people, orders and things of the shop that the story is told in, by their parts.

There is a cast for each shop that comes with the project; the scenes are in `good_day` and `bad_day`.
"""

from dataclasses import dataclass
from typing import Final

from agent.commerce.shop_import import catalogue
from agent.shop import SHOP

PARTS: Final = ("ada", "ben", "chloe", "dev", "ella", "finn", "grace", "hugo", "iris", "jonas", "kira", "liam")
"""Parts of customers, in the order in which the catalogues name them."""

Basket = dict[str, int]


@dataclass(frozen=True)
class Cast:
    """A shop's own for each part.

    Args:
        past, new: how order numbers are written, of orders that are there and of those that are placed.
        method: how payment methods are written; `cards`: what the id of one ends in, by what it does.
        baskets: what is ordered, by SKU.
        words: what is said, and what must be heard.
    """

    past: str
    new: str
    method: str
    cards: dict[str, str]
    baskets: dict[str, Basket]
    words: dict[str, str]

    def customer(self, part: str) -> str:
        """The id of who plays a part."""
        return _CUSTOMERS[PARTS.index(part)].id

    def name(self, part: str) -> str:
        """The first name of who plays a part."""
        return NAMES[self.customer(part)]

    def order(self, number: int) -> str:
        """An order from before, by its place in the catalogue."""
        return self.past.format(number)

    def placed(self, number: int) -> str:
        """An order that is placed in the story."""
        return self.new.format(number)

    def paid_with(self, customer_id: str, card: str) -> str:
        """A customer's payment method."""
        return self.method.format(customer=customer_id, name=customer_id.partition("_")[0], ending=self.cards[card])


_CUSTOMERS: Final = catalogue().customers
NAMES: Final = {customer.id: customer.first_name for customer in _CUSTOMERS}
TOTALS: Final = {order.id: order.total for order in catalogue().orders}

_HOME: Final = Cast(
    past="W-10{:02}",
    new="W-20{:02}",
    method="{name}_{ending}",
    cards={"good": "card", "declines": "declines", "slow": "slow"},
    baskets={
        "small": {"LAMP-BLACK": 1, "STOOL-OAK": 1},
        "large": {"TABLE-WALNUT": 1},
        "larger": {"TABLE-OAK": 2},
        "very_large": {"SOFA-VELVET": 4},
        "unknown": {"HAMMOCK-RED": 1},
        "nothing": {"MUG-BLUE": 0},
        "declined": {"PENDANT-BRASS": 1},
        "slow": {"KETTLE-COPPER": 1},
        "one": {"THROW-MOSS": 1},
        "two": {"PAN-LARGE": 1, "CLOCK-OAK": 1},
        "three": {"VASE-MEDIUM": 2},
    },
    words={
        "how_long": "How long does shipping take?",
        "so_long": "2 to 5 business days",
        "broken": "The lamp from {order} came scratched. I would like {amount} back.",
        "proof": "photo of the scratch",
        "too_many": "four sofas to a flat: call the customer first",
        "voucher": "gift card",
    },
)
_MARKET: Final = Cast(
    past="2026/00{:02}",
    new="2026/20{:02}",
    method="{customer}-{ending}",
    cards={"good": "visa", "declines": "refused", "slow": "late"},
    baskets={
        "small": {"COFFEE-250G": 1, "OIL-1L": 1},
        "large": {"HAM-7KG": 1, "WINE-12BOTTLES": 1},
        "larger": {"HAM-7KG": 2},
        "very_large": {"TRUFFLE-500G": 2},
        "unknown": {"CAVIAR-50G": 1},
        "nothing": {"RICE-1KG": 0},
        "declined": {"SAFFRON-5G": 1},
        "slow": {"CHEESE-1KG": 1},
        "one": {"JAM-450G": 1},
        "two": {"FLOUR-5KG": 1, "WINE-6BOTTLES": 1},
        "three": {"TEA-250G": 2},
    },
    words={
        "how_long": "How long does delivery take?",
        "so_long": "1 to 3 working days",
        "broken": "The cheese from {order} came damaged. I would like {amount} back.",
        "proof": "photo of the pack",
        "too_many": "a kilo of truffles to a flat: call the customer first",
        "voucher": "voucher",
    },
)
_CASTS: Final = {"Home": _HOME, "Market": _MARKET}

if SHOP.name not in _CASTS:
    raise SystemExit(f"The story can be told of {' and of '.join(_CASTS)}, not of {SHOP.name}: make demo SHOP=market")
CAST: Final = _CASTS[SHOP.name]
REFUND: Final = 80_00
"""What a customer wants back, in minor units."""
