"""The demo shop: a small home-goods shop with two warehouses, twelve customers and fifteen past orders.

Catalogue, people and orders are written down, so that a README can name them; the seed moves stock, gift card
balances and times of day. It makes a document (`shop.Shop`) and writes nothing.
"""

from datetime import datetime, timedelta
from random import Random
from typing import Literal

from agent.commerce.shop_document import Address, Customer, Line, PaymentMethod, Product, Shop, ShopOrder, Variant

_CATALOGUE = (  # sku prefix, name, warehouse, what the options are called, {option: price in cents}
    ("LAMP", "Table lamp", "east", "finish", {"oak": 69_00, "brass": 89_00, "black": 59_00}),
    ("PENDANT", "Pendant light", "east", "shade", {"linen": 99_00, "glass": 149_00, "brass": 179_00}),
    ("RUG", "Wool rug", "east", "colour", {"sand": 329_00, "moss": 329_00, "indigo": 349_00}),
    ("THROW", "Wool throw", "east", "colour", {"sand": 79_00, "moss": 79_00, "indigo": 85_00}),
    ("CUSHION", "Linen cushion", "east", "colour", {"sand": 29_00, "moss": 29_00, "rust": 32_00}),
    ("CURTAIN", "Linen curtain", "east", "length", {"short": 75_00, "medium": 95_00, "long": 119_00}),
    ("MUG", "Stoneware mug", "east", "glaze", {"white": 12_00, "blue": 14_00, "green": 14_00}),
    ("PLATES", "Set of four plates", "east", "glaze", {"white": 48_00, "blue": 54_00, "green": 54_00}),
    ("KETTLE", "Kettle", "east", "finish", {"steel": 79_00, "black": 89_00, "copper": 129_00}),
    ("PAN", "Cast-iron pan", "east", "size", {"small": 49_00, "medium": 69_00, "large": 95_00}),
    ("CANDLE", "Beeswax candle", "east", "size", {"small": 4_50, "medium": 7_50, "large": 12_00}),
    ("VASE", "Glass vase", "east", "size", {"small": 19_00, "medium": 35_00, "large": 59_00}),
    ("CLOCK", "Wall clock", "west", "wood", {"oak": 95_00, "ash": 89_00, "walnut": 119_00}),
    ("MIRROR", "Round mirror", "west", "size", {"small": 89_00, "medium": 149_00, "large": 229_00}),
    ("STOOL", "Step stool", "west", "wood", {"oak": 79_00, "ash": 69_00, "walnut": 89_00}),
    ("CHAIR", "Dining chair", "west", "wood", {"oak": 159_00, "ash": 149_00, "walnut": 189_00}),
    ("SHELF", "Bookshelf", "west", "wood", {"oak": 349_00, "ash": 299_00, "walnut": 399_00}),
    ("DESK", "Writing desk", "west", "wood", {"oak": 549_00, "ash": 479_00, "walnut": 649_00}),
    ("TABLE", "Dining table", "west", "wood", {"oak": 999_00, "ash": 899_00, "walnut": 1_299_00}),
    ("SOFA", "Three-seat sofa", "west", "fabric", {"linen": 1_299_00, "wool": 1_399_00, "velvet": 1_499_00}),
)

_SOLD_OUT = "RUG-INDIGO"
_LAST_ONE = "CLOCK-WALNUT"

_PEOPLE = (
    ("Ada", "Park", "14 Alder Street", "Portland", "OR", "97205"),
    ("Ben", "Ortiz", "230 Mesa Road", "Albuquerque", "NM", "87104"),
    ("Chloe", "Meyer", "7 Harbor Lane", "Portland", "ME", "04101"),
    ("Dev", "Shah", "561 Maple Avenue", "Columbus", "OH", "43215"),
    ("Ella", "Novak", "88 Lakeview Drive", "Madison", "WI", "53703"),
    ("Finn", "Walsh", "3 Quarry Hill", "Burlington", "VT", "05401"),
    ("Grace", "Okafor", "1420 Peach Street", "Atlanta", "GA", "30309"),
    ("Hugo", "Lindqvist", "19 Birch Court", "Minneapolis", "MN", "55401"),
    ("Iris", "Tanaka", "402 Cedar Way", "Seattle", "WA", "98101"),
    ("Jonas", "Weber", "75 Mill Street", "Milwaukee", "WI", "53202"),
    ("Kira", "Petrov", "6 Canyon View", "Boulder", "CO", "80302"),
    ("Liam", "Byrne", "33 Bay Street", "Boston", "MA", "02108"),
)

_CARDS = (  # what the id ends in, label, token of the sandbox
    ("card", "Card ending 0001", "tok_approve"),
    ("declines", "Card ending 0002 (test card: declines)", "tok_decline"),
    ("slow", "Card ending 0003 (test card: slow)", "tok_slow"),
    ("down", "Card ending 0004 (test card: provider down)", "tok_down"),
    ("lost", "Card ending 0005 (test card: answer lost)", "tok_timeout_after_charge"),
)

_Status = Literal["pending", "processed", "delivered", "cancelled"]
_ORDERS: tuple[tuple[str, _Status, int, str, dict[str, int]], ...] = (
    # customer, status, days ago, what the method's id ends in, {sku: pieces}; numbered from W-1001
    ("ada_park", "delivered", 21, "card", {"DESK-WALNUT": 1, "LAMP-OAK": 1}),
    ("ada_park", "pending", 1, "card", {"LAMP-BRASS": 1, "CUSHION-SAND": 2}),
    ("ben_ortiz", "delivered", 12, "card", {"RUG-SAND": 1}),
    ("ben_ortiz", "pending", 1, "card", {"KETTLE-COPPER": 1, "MUG-BLUE": 4}),
    ("chloe_meyer", "delivered", 34, "card", {"CHAIR-OAK": 4, "TABLE-OAK": 1}),
    ("chloe_meyer", "processed", 3, "card", {"SHELF-OAK": 1, "VASE-LARGE": 1}),
    ("dev_shah", "delivered", 9, "card", {"PAN-LARGE": 1, "PLATES-WHITE": 2}),
    ("dev_shah", "cancelled", 15, "card", {"MIRROR-LARGE": 1}),
    ("ella_novak", "pending", 2, "gift", {"CANDLE-SMALL": 6, "VASE-SMALL": 1}),
    ("finn_walsh", "delivered", 28, "card", {"SOFA-LINEN": 1, "THROW-MOSS": 1}),
    ("finn_walsh", "pending", 1, "card", {"STOOL-ASH": 2}),
    ("grace_okafor", "processed", 2, "card", {"PENDANT-GLASS": 2}),
    ("hugo_lindqvist", "delivered", 17, "card", {"CURTAIN-LONG": 2, "CLOCK-OAK": 1}),
    ("iris_tanaka", "cancelled", 40, "card", {"DESK-ASH": 1}),
    ("jonas_weber", "delivered", 6, "card", {"LAMP-BLACK": 2, "RUG-MOSS": 1}),
)


def demo_shop(seed: int = 7, *, now: datetime) -> Shop:
    """The demo shop as it is at `now` (time zone aware): the same seed and time give the same shop."""
    random = Random(seed)  # noqa: S311  (stock levels, no secrets)
    products = tuple(_product(random, entry) for entry in _CATALOGUE)
    customers = tuple(_customer(random, person) for person in _PEOPLE)
    prices = {variant.sku: variant.price for product in products for variant in product.variants}
    homes = {customer.id: customer.address for customer in customers}
    orders = tuple(
        ShopOrder(
            id=f"W-{number}",
            customer_id=customer,
            status=status,
            placed_at=now - timedelta(days=days, minutes=random.randrange(8 * 60)),
            payment_method_id=f"{customer.split('_')[0]}_{method}",
            ship_to=homes[customer],
            lines=tuple(Line(sku=sku, quantity=pieces, unit_price=prices[sku]) for sku, pieces in basket.items()),
        )
        for number, (customer, status, days, method, basket) in enumerate(_ORDERS, start=1001)
    )
    return Shop(currency="USD", products=products, customers=customers, orders=orders)


def _product(random: Random, entry: tuple[str, str, str, str, dict[str, int]]) -> Product:
    prefix, name, warehouse, option, prices = entry

    def variant(value: str, price: int) -> Variant:
        sku = f"{prefix}-{value.upper()}"
        on_hand = {_SOLD_OUT: 0, _LAST_ONE: 1}.get(sku, random.randint(12, 40))
        return Variant(sku=sku, options={option: value}, price=price, warehouse=warehouse, on_hand=on_hand)

    variants = tuple(variant(value, price) for value, price in prices.items())
    return Product(id=prefix.lower(), name=name, variants=variants)


def _customer(random: Random, person: tuple[str, str, str, str, str, str]) -> Customer:
    first, last, street, city, state, postcode = person
    name = first.lower()
    cards = [
        PaymentMethod(id=f"{name}_{ending}", kind="card", label=label, token=token) for ending, label, token in _CARDS
    ]
    gift = PaymentMethod(
        id=f"{name}_gift",
        kind="gift_card",
        label="Gift card",
        token=f"gift_{name}",
        balance=random.randrange(50_00, 250_00, 5_00),
    )
    return Customer(
        id=f"{name}_{last.lower()}",
        first_name=first,
        last_name=last,
        email=f"{name}.{last.lower()}@example.com",
        address=Address(line1=street, city=city, state=state, postcode=postcode, country="US"),
        payment_methods=(*cards, gift),
    )
