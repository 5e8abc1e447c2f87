"""Chapters 5 to 7: the card network goes down, the power is cut, and at the end the books are compared.

Each scene is a coroutine that plays on the stage and tells what it should find; `story` puts them in order.
"""

from asyncio import create_task, gather
from collections import Counter
from typing import Any

from agent.shop import SHOP
from demo.cast import CAST
from demo.people import Conversation, Order, heard
from demo.stage import Stage
from demo.telling import Scene
from tests.support.live_server import until

# 5: the card network goes down


async def outage(stage: Stage, scene: Scene) -> None:
    """Orders and a question while nobody listens on the card network's port, and after it."""
    scene.note("The card network's process is stopped: nobody listens on its port.")
    stage.network.stop()
    orders = {
        CAST.placed(7): (CAST.customer("grace"), CAST.baskets["one"]),
        CAST.placed(8): (CAST.customer("jonas"), CAST.baskets["two"]),
        CAST.placed(9): (CAST.customer("iris"), CAST.baskets["three"]),
    }
    placed = [Order(stage, scene, customer, order_id) for order_id, (customer, _) in orders.items()]
    await gather(*(order.place(orders[order.id][1]) for order in placed))
    parked = [(await stage.order(order.id))["stage"] for order in placed]
    scene.check("the orders wait in the open", expected="3 parked", happened=tally(parked))
    tell_breaker(stage, scene, since=0)
    moves = stage.events("breaker.moved")
    scene.check("the breaker opens", expected="open", happened=moves[0]["after"] if moves else "no move")
    hugo = await Conversation.begin(stage, scene, CAST.customer("hugo"))
    voucher = CAST.words["voucher"]
    answer = await hugo.say(f"Can I pay with a {voucher}?")
    scene.check("questions are still answered", expected=voucher, happened=heard(answer, voucher))

    scene.note("The network is back. An operator runs the reconciler until they are through.")
    stage.network.spawn()
    await stage.network_is_up()
    await reconciled(stage, scene, placed)
    tell_breaker(stage, scene, since=len(moves))
    done = [(await stage.order(order.id))["stage"] for order in placed]
    scene.check("they go through", expected="3 completed", happened=tally(done))
    charges = [await stage.charged(order.id) for order in placed]
    scene.check("they are charged", expected="once, once, once", happened=", ".join(charges))


def tell_breaker(stage: Stage, scene: Scene, since: int) -> None:
    """The breaker's moves, as the server logged them."""
    moves = stage.events("breaker.moved")[since:]
    if moves:
        path = " → ".join([moves[0]["before"], *(move["after"] for move in moves)])
        scene.say("shop", "breaker", f"payment: {path}")


def tally(stages: list[str]) -> str:
    """`2 completed, 1 parked`."""
    return ", ".join(f"{number} {stage}" for stage, number in Counter(stages).items())


async def reconciled(stage: Stage, scene: Scene, orders: list[Order]) -> None:
    """Run the reconciler, as an operator does, until these orders have completed."""

    async def all_done() -> bool:
        report = await stage.reconcile()
        if report:
            did = ", ".join(f"{order_id} {what}" for order_id, what in report.items())
            scene.say("staff", "operator", f"reconcile: {did}")
        stages = [(await stage.order(order.id))["stage"] for order in orders]
        return set(stages) == {"completed"}

    await until(all_done, "the reconciler has not completed the orders")


# 6: the power is cut


async def power_cut(stage: Stage, scene: Scene) -> None:
    """The server is killed between a charge and its answer, and started again."""
    who, other = CAST.name("hugo"), CAST.name("kira")
    scene.note(f"{who}'s order waits for people. {other} pays with a card that takes its time to answer.")
    large = Order(stage, scene, CAST.customer("hugo"), CAST.placed(10))
    await large.place(CAST.baskets["larger"])
    slow = Order(stage, scene, CAST.customer("kira"), CAST.placed(11))
    cut = create_task(slow.place(CAST.baskets["slow"], card="slow"))
    await until(lambda: stage.charges(slow.id), "the card network does not see the charge")
    stage.server.kill()
    cut.cancel()
    await gather(cut, return_exceptions=True)
    scene.note("The provider has the money and has not answered yet. Now the server gets SIGKILL.")
    view = stage.ledger_rows("SELECT outcome FROM payments WHERE order_id = ?", slow.id)
    scene.check("our ledger has the charge as", expected="open", happened=", ".join(row[0] for row in view))
    scene.note("The server is started again, on what was left on the disk.")
    stage.server.spawn()
    await stage.server_is_up()
    await reconciled(stage, scene, [slow])
    scene.check("the cut order goes through", expected="completed", happened=(await stage.order(slow.id))["stage"])
    for charge in await stage.charges(slow.id):
        scene.say("shop", "card network", f"{charge['key']} {charge['status']} {SHOP.money(charge['amount'])}")
    scene.check(f"{CAST.name('kira')} is charged", expected="once", happened=await stage.charged(slow.id))
    await until(large.is_asked, "the order does not ask for its approval again")
    [role] = SHOP.chains["large_order"].roles
    await large.decide(role, "approve")
    happened = (await stage.order(large.id))["stage"]
    scene.check("an approval outlives the kill", expected="completed", happened=happened)
    kira = await Conversation.begin(stage, scene, CAST.customer("kira"))
    answer = await kira.say(f"Where is {CAST.placed(11)}?")
    scene.check(f"{CAST.name('kira')} hears where it is", expected="processed", happened=heard(answer, "processed"))


# 7: the books


async def money_books(stage: Stage, scene: Scene) -> None:
    """Every movement of money that the provider knows against every one that we know."""
    theirs = await stage.provider_ledger()
    entries = "SELECT key, amount FROM money_entries WHERE kind IN ('capture', 'refund')"
    ours = Counter(stage.ledger_rows(entries))
    taken = [(charge["key"], charge["amount"]) for charge in theirs["charges"] if charge["status"] == "captured"]
    given = [(refund["key"], -refund["amount"]) for refund in theirs["refunds"]]
    both = Counter(taken + given)
    scene.say("shop", "card network", books(both))
    scene.say("shop", "our ledger", books(ours))
    off = (both - ours) + (ours - both)
    scene.check("money, entry by entry", expected="0 differences", happened=f"{off.total()} differences")


def books(entries: Counter[tuple[Any, ...]]) -> str:
    """How many movements of money there are, and what is left."""
    amounts = [amount for _, amount in entries.elements()]
    taken, given = [each for each in amounts if each > 0], [each for each in amounts if each < 0]
    return f"{len(taken)} captures, {len(given)} refunds: {SHOP.money(sum(amounts))}"


async def stock_books(stage: Stage, scene: Scene) -> None:
    """What is on the shelves and set aside, against what went out and what is held."""
    query = """
        SELECT sku, on_hand, reserved,
               coalesce(sum(quantity) FILTER (WHERE reservation = 'held'), 0),
               coalesce(sum(quantity) FILTER (WHERE reservation = 'shipped' AND order_id LIKE ?), 0)
        FROM variants LEFT JOIN order_lines USING (sku) GROUP BY sku
    """
    off, left, gone = 0, 0, 0
    for sku, on_hand, reserved, held, shipped in stage.ledger_rows(query, CAST.new.partition("{")[0] + "%"):
        off += reserved != held or on_hand != stage.opening_stock[sku] - shipped
        left, gone = left + on_hand, gone + shipped
    opened = sum(stage.opening_stock.values())
    scene.say("shop", "our ledger", f"{opened} pieces at opening, {gone} went out, {left} are left")
    scene.check("stock, item by item", expected="0 differences", happened=f"{off} differences")


async def promises(stage: Stage, scene: Scene) -> None:
    """What an operator would run at 3 a.m.: every promise of the ledger, one query each."""
    found = await stage.desk("db", "check", "--json")
    broken = ", ".join(violation["check"] for violation in found["violations"]) or "none broken"
    scene.say("shop", "desk db check", f"{found['checks']} promises: {broken}")
    scene.check("the ledger keeps its promises", expected="none broken", happened=broken)
