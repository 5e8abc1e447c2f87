"""Chapters 1 to 4, while everything works: questions, a cancel, orders, a refund that people decide on.

Each scene is a coroutine that plays on the stage and tells what it should find; `story` puts them in order.
"""

from typing import Any

from langgraph_sdk.errors import PermissionDeniedError, UnprocessableEntityError

from agent.shop import SHOP
from demo.cast import CAST, REFUND, TOTALS
from demo.people import Conversation, Order, heard
from demo.stage import Stage, Stop
from demo.telling import Scene
from tests.support.live_server import until

# 1: where is my order?


async def where_is_it(stage: Stage, scene: Scene) -> None:
    """A customer asks where an order is."""
    ada = await Conversation.begin(stage, scene, CAST.customer("ada"))
    answer = await ada.say(f"Where is {CAST.order(2)}?")
    scene.check(f"{CAST.name('ada')} hears where her order is", expected="pending", happened=heard(answer, "pending"))


async def how_long(stage: Stage, scene: Scene) -> None:
    """A question that an article answers."""
    iris = await Conversation.begin(stage, scene, CAST.customer("iris"))
    answer = await iris.say(CAST.words["how_long"])
    days = CAST.words["so_long"]
    scene.check(f"{CAST.name('iris')} hears how long it takes", expected=days, happened=heard(answer, days))


async def two_at_once(stage: Stage, scene: Scene) -> None:
    """Two things in one message."""
    grace = await Conversation.begin(stage, scene, CAST.customer("grace"))
    answer = await grace.say(f"Where is {CAST.order(12)}, and how long does a refund take?")
    both = f"{heard(answer, 'processed')}, {heard(answer, '5 to 7')}"
    scene.check(f"{CAST.name('grace')} gets both answers", expected="processed, 5 to 7", happened=both)


async def not_yours(stage: Stage, scene: Scene) -> None:
    """A customer asks about somebody else's order."""
    finn = await Conversation.begin(stage, scene, CAST.customer("finn"))
    answer = await finn.say(f"Where is {CAST.order(2)}?")
    words = "I can't find that"
    scene.check(
        f"{CAST.name('ada')}'s order is not for {CAST.name('finn')}", expected=words, happened=heard(answer, words)
    )


# 2: a customer changes their mind


async def cancelled(stage: Stage, scene: Scene) -> None:
    """A cancel: asked back, listed, agreed to, done, and paid back by the provider."""
    ben = await Conversation.begin(stage, scene, CAST.customer("ben"))
    await ben.say(f"Please cancel {CAST.order(4)}.")
    listed = await ben.say("I don't need it any more.")
    scene.check("the cancel is listed first", expected="Shall I?", happened=heard(listed, "Shall I?"))
    before = await stage.order(CAST.order(4))
    scene.check("before the yes nothing is done", expected="pending", happened=before["status"])
    await ben.say("Yes, please.")
    after = await stage.order(CAST.order(4))
    scene.check("after the yes it is", expected="cancelled", happened=after["status"])
    scene.check(
        "the provider paid back",
        expected=SHOP.money(TOTALS[CAST.order(4)]),
        happened=SHOP.money(await stage.paid_back(CAST.order(4))),
    )


# 3: six orders


async def small_order(stage: Stage, scene: Scene) -> None:
    """An order that nobody needs to look at, from two warehouses."""
    order = Order(stage, scene, CAST.customer("dev"), CAST.placed(1))
    await order.place(CAST.baskets["small"])
    view = await stage.order(order.id)
    scene.check(
        "a small order goes through",
        expected="completed, 2 parcels",
        happened=f"{view['stage']}, {len(view['parcels'])} parcels",
    )


async def large_order(stage: Stage, scene: Scene) -> None:
    """A large order: one role must say yes, and no other can."""
    order = Order(stage, scene, CAST.customer("chloe"), CAST.placed(2))
    await order.place(CAST.baskets["large"])
    happened = "taken"
    try:
        await order.decide("general_agent", "approve")
    except PermissionDeniedError as error:
        scene.say("shop", "server", f"403 {error.message}")
        happened = error.message.split(": ")[0]
    scene.check("the wrong role's yes is refused", expected="APPROVAL-ROLE", happened=happened)
    [role] = SHOP.chains["large_order"].roles
    await order.decide(role, "approve")
    view = await stage.order(order.id)
    scene.check("the right role's yes is enough", expected="completed", happened=view["stage"])


async def very_large_order(stage: Stage, scene: Scene) -> None:
    """A very large order: two roles must say yes, and the second says no."""
    order = Order(stage, scene, CAST.customer("finn"), CAST.placed(3))
    await order.place(CAST.baskets["very_large"])
    first, second = SHOP.chains["very_large_order"].roles
    await order.decide(first, "approve")
    await order.decide(second, "reject", CAST.words["too_many"])
    view = await stage.order(order.id)
    scene.check("the second role's no undoes it", expected="ORDER-REJECTED", happened=str(view["reason"]))
    scene.check("its stock is back", expected="cancelled, released", happened=f"{view['stage']}, {reservations(view)}")
    scene.check(f"{CAST.name('finn')} is charged", expected="never", happened=await stage.charged(order.id))


async def unknown_item(stage: Stage, scene: Scene) -> None:
    """An order of something that the shop does not sell."""
    order = Order(stage, scene, CAST.customer("hugo"), CAST.placed(4))
    stop = await order.place(CAST.baskets["unknown"])
    scene.check("an unknown item is refused", expected="ORDER-SKU", happened=rule_of(stop))


async def no_pieces(stage: Stage, scene: Scene) -> None:
    """An order of no pieces, which the server refuses before any graph sees it."""
    order = Order(stage, scene, CAST.customer("iris"), CAST.placed(5))
    happened = "taken"
    try:
        await order.place(CAST.baskets["nothing"])
    except UnprocessableEntityError as error:
        scene.say("shop", "server", f"422 {error.message}")
        happened = error.message.split(": ")[1]
    scene.check("quantity 0 is refused", expected="lines.0.quantity", happened=happened)


async def declined_card(stage: Stage, scene: Scene) -> None:
    """An order whose card is declined, and whose customer has another."""
    order = Order(stage, scene, CAST.customer("liam"), CAST.placed(6))
    stop = await order.place(CAST.baskets["declined"], card="declines")
    scene.check("a declined order waits for another card", expected="PAYMENT-DECLINED", happened=rule_of(stop))
    await order.pay("good")

    async def at_rest() -> str:
        stage_of = str((await stage.order(order.id))["stage"])
        return stage_of if stage_of in ("completed", "cancelled") else ""

    happened = await until(at_rest, f"{order.id} does not come to an end")
    scene.check("with another card it goes through", expected="completed", happened=happened)
    scene.check(f"{CAST.name('liam')} is charged", expected="once", happened=await stage.charged(order.id))


# 4: a refund that two must sign


async def refund(stage: Stage, scene: Scene) -> None:
    """A refund that is turned down once, asked for again, and granted."""
    ada = await Conversation.begin(stage, scene, CAST.customer("ada"))
    await ada.say(CAST.words["broken"].format(order=CAST.order(1), amount=SHOP.amount(REFUND)))
    await ada.say("Yes, please.")
    first, second = SHOP.chains["billing"].roles
    await ada.decide(first, "approve")
    reason = CAST.words["proof"]
    answer = await ada.decide(second, "reject", f"please send us a {reason} first")
    scene.check(f"a no reaches {CAST.name('ada')} with its reason", expected=reason, happened=heard(answer, reason))
    scene.check(
        "and no money has moved", expected=SHOP.money(0), happened=SHOP.money(await stage.paid_back(CAST.order(1)))
    )
    await ada.say(f"The photo is in your inbox. Please refund {SHOP.amount(REFUND)} of {CAST.order(1)}.")
    await ada.say("Yes, please.")
    await ada.decide(first, "approve")
    await ada.decide(second, "approve")
    scene.check(
        "after two yeses it is paid",
        expected=SHOP.money(REFUND),
        happened=SHOP.money(await stage.paid_back(CAST.order(1))),
    )


def rule_of(stop: Stop) -> str:
    """The rule that stopped an order."""
    denial = stop.values.get("denial")
    return str(denial["rule"]) if denial else "none"


def reservations(view: dict[str, Any]) -> str:
    """What became of an order's stock, all lines together."""
    return ", ".join(sorted({line["reservation"] for line in view["lines"]}))
