"""The shop that is attacked: the demo shop with plenty of everything, and a customer of its own for each way.

They have an order to be refunded. What a customer was refunded before counts for who is asked (REFUND-SUM): each way
must meet the gate by itself.
"""

from typing import Final

from agent.commerce.shop_document import Customer, Product, Shop, Variant
from attack.ways import WAYS
from tests.support.goods import goods, order_number

NUMBERS: Final = range(1, len(WAYS) + 2)
"""Of the ways, and one more that a test tries."""


def customer_of(number: int) -> str:
    """The customer of a way."""
    return f"chloe_{number}"


def order_of(number: int) -> str:
    """Their order, which was delivered."""
    return order_number(7000 + number)


def shop() -> Shop:
    """The whole of it."""
    demo = goods()
    first = next(order for order in demo.orders if order.customer_id == "chloe_meyer" and order.status == "delivered")
    chloe = next(customer for customer in demo.customers if customer.id == first.customer_id)
    customers, orders = list(demo.customers), list(demo.orders)
    for number in NUMBERS:
        customers.append(_again(chloe, number))
        [method] = [method.id for method in customers[-1].payment_methods]
        changed = {"id": order_of(number), "customer_id": customer_of(number), "payment_method_id": method}
        orders.append(first.model_copy(update=changed))
    stocked = tuple(product.model_copy(update={"variants": _plenty(product)}) for product in demo.products)
    return demo.model_copy(update={"products": stocked, "customers": tuple(customers), "orders": tuple(orders)})


def _plenty(product: Product) -> tuple[Variant, ...]:
    return tuple(variant.model_copy(update={"on_hand": 1000}) for variant in product.variants)


def _again(customer: Customer, number: int) -> Customer:
    card = customer.payment_methods[0].model_copy(update={"id": f"{customer_of(number)}_card"})
    changed = {"id": customer_of(number), "email": f"{customer_of(number)}@example.com", "payment_methods": (card,)}
    return customer.model_copy(update=changed)
