"""Chapters 1 to 4, while everything works: questions, a cancel, orders, a refund that people decide on.

Each scene is a coroutine that plays on the stage and tells what it should find; `story` puts them in order.
"""

from typing import Any

from langgraph_sdk.errors import PermissionDeniedError, UnprocessableEntityError

from agent.client.show import money
from demo.people import Conversation, Order, heard
from demo.stage import Stage, Stop
from demo.telling import Scene
from tests.support.live_server import until

# 1: where is my order?


async def where_is_it(stage: Stage, scene: Scene) -> None:
    """A customer asks where an order is."""
    ada = await Conversation.begin(stage, scene, "ada_park")
    answer = await ada.say("Where is W-1002?")
    scene.check("Ada hears where her order is", expected="pending", happened=heard(answer, "pending"))


async def how_long(stage: Stage, scene: Scene) -> None:
    """A question that an article answers."""
    iris = await Conversation.begin(stage, scene, "iris_tanaka")
    answer = await iris.say("How long does shipping take?")
    days = "2 to 5 business days"
    scene.check("Iris hears how long it takes", expected=days, happened=heard(answer, days))


async def two_at_once(stage: Stage, scene: Scene) -> None:
    """Two things in one message."""
    grace = await Conversation.begin(stage, scene, "grace_okafor")
    answer = await grace.say("Where is W-1012, and how long does a refund take?")
    both = f"{heard(answer, 'processed')}, {heard(answer, '5 to 7')}"
    scene.check("Grace gets both answers", expected="processed, 5 to 7", happened=both)


async def not_yours(stage: Stage, scene: Scene) -> None:
    """A customer asks about somebody else's order."""
    finn = await Conversation.begin(stage, scene, "finn_walsh")
    answer = await finn.say("Where is W-1002?")
    words = "I can't find that"
    scene.check("Ada's order is not for Finn", expected=words, happened=heard(answer, words))


# 2: Ben changes his mind


async def cancelled(stage: Stage, scene: Scene) -> None:
    """A cancel: asked back, listed, agreed to, done, and paid back by the provider."""
    ben = await Conversation.begin(stage, scene, "ben_ortiz")
    await ben.say("Please cancel W-1004.")
    listed = await ben.say("I don't need it any more.")
    scene.check("the cancel is listed first", expected="Shall I?", happened=heard(listed, "Shall I?"))
    before = await stage.order("W-1004")
    scene.check("before the yes nothing is done", expected="pending", happened=before["status"])
    await ben.say("Yes, please.")
    after = await stage.order("W-1004")
    scene.check("after the yes it is", expected="cancelled", happened=after["status"])
    scene.check("the provider paid back", expected=money(185_00), happened=money(await stage.paid_back("W-1004")))


# 3: six orders


async def small_order(stage: Stage, scene: Scene) -> None:
    """An order that nobody needs to look at, from two warehouses."""
    order = Order(stage, scene, "dev_shah", "W-2001")
    await order.place({"LAMP-BLACK": 1, "STOOL-OAK": 1})
    view = await stage.order(order.id)
    scene.check(
        "a small order goes through",
        expected="completed, 2 parcels",
        happened=f"{view['stage']}, {len(view['parcels'])} parcels",
    )


async def large_order(stage: Stage, scene: Scene) -> None:
    """An order of 1,000.00 or more: one role must say yes, and no other can."""
    order = Order(stage, scene, "chloe_meyer", "W-2002")
    await order.place({"TABLE-WALNUT": 1})
    happened = "taken"
    try:
        await order.decide("billing_agent", "approve")
    except PermissionDeniedError as error:
        scene.say("shop", "server", f"403 {error.message}")
        happened = error.message.split(": ")[0]
    scene.check("the wrong role's yes is refused", expected="APPROVAL-ROLE", happened=happened)
    await order.decide("order_manager", "approve")
    view = await stage.order(order.id)
    scene.check("the right role's yes is enough", expected="completed", happened=view["stage"])


async def very_large_order(stage: Stage, scene: Scene) -> None:
    """An order of 5,000.00 or more: two roles must say yes, and the second says no."""
    order = Order(stage, scene, "finn_walsh", "W-2003")
    await order.place({"SOFA-VELVET": 4})
    await order.decide("order_manager", "approve")
    await order.decide("finance_director", "reject", "four sofas to a flat: call the customer first")
    view = await stage.order(order.id)
    scene.check("the second role's no undoes it", expected="ORDER-REJECTED", happened=str(view["reason"]))
    scene.check("its stock is back", expected="cancelled, released", happened=f"{view['stage']}, {reservations(view)}")
    scene.check("Finn is charged", expected="never", happened=await stage.charged(order.id))


async def unknown_item(stage: Stage, scene: Scene) -> None:
    """An order of something that the shop does not sell."""
    order = Order(stage, scene, "hugo_lindqvist", "W-2004")
    stop = await order.place({"HAMMOCK-RED": 1})
    scene.check("an unknown item is refused", expected="ORDER-SKU", happened=rule_of(stop))


async def no_pieces(stage: Stage, scene: Scene) -> None:
    """An order of no pieces, which the server refuses before any graph sees it."""
    order = Order(stage, scene, "iris_tanaka", "W-2005")
    happened = "taken"
    try:
        await order.place({"MUG-BLUE": 0})
    except UnprocessableEntityError as error:
        scene.say("shop", "server", f"422 {error.message}")
        happened = error.message.split(": ")[1]
    scene.check("quantity 0 is refused", expected="lines.0.quantity", happened=happened)


async def declined_card(stage: Stage, scene: Scene) -> None:
    """An order whose card is declined, and whose customer has another."""
    order = Order(stage, scene, "liam_byrne", "W-2006")
    stop = await order.place({"PENDANT-BRASS": 1}, card="declines")
    scene.check("a declined order waits for another card", expected="PAYMENT-DECLINED", happened=rule_of(stop))
    await order.pay("card")

    async def at_rest() -> str:
        stage_of = str((await stage.order(order.id))["stage"])
        return stage_of if stage_of in ("completed", "cancelled") else ""

    happened = await until(at_rest, f"{order.id} does not come to an end")
    scene.check("with another card it goes through", expected="completed", happened=happened)
    scene.check("Liam is charged", expected="once", happened=await stage.charged(order.id))


# 4: a refund that two must sign


async def refund(stage: Stage, scene: Scene) -> None:
    """A refund that is turned down once, asked for again, and granted."""
    ada = await Conversation.begin(stage, scene, "ada_park")
    await ada.say("The lamp from W-1001 came scratched. I would like 80.00 back.")
    await ada.say("Yes, please.")
    await ada.decide("billing_agent", "approve")
    answer = await ada.decide("billing_manager", "reject", "please send us a photo of the scratch first")
    reason = "photo of the scratch"
    scene.check("a no reaches Ada with its reason", expected=reason, happened=heard(answer, reason))
    scene.check("and no money has moved", expected=money(0), happened=money(await stage.paid_back("W-1001")))
    await ada.say("The photo is in your inbox. Please refund 80.00 of W-1001.")
    await ada.say("Yes, please.")
    await ada.decide("billing_agent", "approve")
    await ada.decide("billing_manager", "approve")
    scene.check("after two yeses it is paid", expected=money(80_00), happened=money(await stage.paid_back("W-1001")))


def rule_of(stop: Stop) -> str:
    """The rule that stopped an order."""
    denial = stop.values.get("denial")
    return str(denial["rule"]) if denial else "none"


def reservations(view: dict[str, Any]) -> str:
    """What became of an order's stock, all lines together."""
    return ", ".join(sorted({line["reservation"] for line in view["lines"]}))
