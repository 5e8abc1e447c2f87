"""The story: seven chapters at a shop. Their scenes are in `good_day` and `bad_day`, here is their order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.approvals.chains import REFUND_BY_BILLING
from agent.shop import SHOP
from demo import bad_day, good_day
from demo.cast import CAST
from demo.stage import Stage
from demo.telling import Scene

Play = Callable[[Stage, Scene], Awaitable[None]]


@dataclass(frozen=True)
class Chapter:
    """Scenes under a title."""

    title: str
    text: str
    scenes: tuple[Play, ...]


_WHO_SIGNS = f"Above {SHOP.amount(REFUND_BY_BILLING)}: {', then '.join(SHOP.chains['billing'].roles)}."

ACTS: tuple[tuple[Chapter, ...], ...] = (
    (
        Chapter(
            "Where is my order?",
            "Customers write to the desk. There is no model here, so the embedded responder answers.",
            (good_day.where_is_it, good_day.how_long, good_day.two_at_once, good_day.not_yours),
        ),
        Chapter(
            f"{CAST.name('ben')} changes their mind",
            "A change is listed first, and made after the customer's yes.",
            (good_day.cancelled,),
        ),
        Chapter(
            "Six orders",
            "Small ones go through; for large ones people must say yes, each in their role.",
            (
                good_day.small_order,
                good_day.large_order,
                good_day.very_large_order,
                good_day.unknown_item,
                good_day.no_pieces,
                good_day.declined_card,
            ),
        ),
        Chapter(
            "A refund that two must sign",
            f"Above {SHOP.amount(REFUND_BY_BILLING)}: {', then '.join(SHOP.chains['billing'].roles)}.",
            (good_day.refund,),
        ),
    ),
    (Chapter("The card network goes down", "The shop keeps taking orders and answering.", (bad_day.outage,)),),
    (Chapter("The power is cut", "Between the provider's charge and its answer.", (bad_day.power_cut,)),),
    (
        Chapter(
            "The books",
            "Two ledgers that never saw each other.",
            (bad_day.money_books, bad_day.stock_books, bad_day.promises),
        ),
    ),
)
"""Chapters in the order in which they are told; those of one act need nothing of each other."""
