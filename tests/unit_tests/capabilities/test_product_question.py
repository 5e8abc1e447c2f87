"""What the desk tells of the catalogue."""

import pytest
from sqlalchemy import update

from agent.assistant.models import Topic
from agent.capabilities import capability_of
from agent.capabilities.base import ANONYMOUS, Question
from agent.capabilities.product_question import PRODUCT_QUESTION, ProductSlots
from agent.capabilities.wishes import Unfinished, completed, slots_of
from agent.ledger.tables import VariantRow
from agent.services import Services
from agent.shop import SHOP
from tests.support.conversations import conversation, say


async def asked(shop: Services, text: str, product: str | None = None) -> str:
    told = await PRODUCT_QUESTION.propose(shop, ANONYMOUS, ProductSlots(text=text, product=product))
    assert isinstance(told, str)
    return told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("how much is the oak table?", f"Dining table: oak {SHOP.money(999_00)}."),
        ("do you have tabels in ash?", f"Dining table: ash {SHOP.money(899_00)}."),
        (
            "what colours do your rugs come in?",
            f"Wool rug: moss {SHOP.money(329_00)}; sand {SHOP.money(329_00)}; indigo {SHOP.money(349_00)} (sold out).",
        ),
        ("is the indigo rug in stock?", f"Wool rug: indigo {SHOP.money(349_00)} (sold out)."),
        (
            "do you have the vase in pink?",
            f"There is none in pink. Glass vase: small {SHOP.money(19_00)}; medium {SHOP.money(35_00)};"
            f" large {SHOP.money(59_00)}.",
        ),
        ("what is the cheapest lamp?", f"The cheapest that can be had is Table lamp, black, {SHOP.money(59_00)}."),
        ("your most expensive chair?", f"The dearest that can be had is Dining chair, walnut, {SHOP.money(189_00)}."),
        (
            "what is the cheapest thing you have?",
            f"The cheapest that can be had is Beeswax candle, small, {SHOP.money(4_50)}.",
        ),
        ("anything under 5?", f"At that price there is, for example:\n- Beeswax candle, small, {SHOP.money(4_50)}"),
        ("anything under 2?", "There is nothing at that price now."),
        ("anything under 50 yen?", f"JPY is not our currency: our prices are in {SHOP.currency}."),
        (
            "do you have lamps under 20?",
            f"There is none at that price now.\nTable lamp: black {SHOP.money(59_00)}; oak {SHOP.money(69_00)};"
            f" brass {SHOP.money(89_00)}.",
        ),
        (
            "do you have lamps under 60?",
            f"At that price there is, for example:\n- Table lamp, black, {SHOP.money(59_00)}",
        ),
    ],
)
async def test_a_question_about_products_is_answered_from_the_catalogue(shop: Services, text: str, told: str) -> None:
    assert capability_of(Topic(request_type="question", text=text)) is PRODUCT_QUESTION
    assert await asked(shop, text) == told


async def test_it_is_the_product_that_was_spoken_of_last(shop: Services) -> None:
    assert await asked(shop, "do you have it in walnut?", "table") == f"Dining table: walnut {SHOP.money(1_299_00)}."
    assert (await asked(shop, "do you have it in walnut?", "the sofa")).startswith(
        "There is none in walnut. Three-seat"
    )
    assert (await asked(shop, "and the desk in walnut?", "table")) == f"Writing desk: walnut {SHOP.money(649_00)}."


async def test_who_says_it_of_nothing_is_asked_what_they_mean_and_their_answer_is_taken(shop: Services) -> None:
    text = "do you have it in walnut?"
    question = await PRODUCT_QUESTION.propose(shop, ANONYMOUS, ProductSlots(text=text))
    assert question == Question("product", "Which product do you mean?")
    wish = completed(Unfinished(capability="product_question", slots={"text": text}, asked="product"), "the table")
    assert wish is not None
    assert (
        await PRODUCT_QUESTION.propose(shop, ANONYMOUS, slots_of(wish))
        == f"Dining table: walnut {SHOP.money(1_299_00)}."
    )


@pytest.mark.parametrize(
    "text", ["how much is delivery of a sofa?", "do you have a warranty on lamps?", "do you sell zeppelins?"]
)
async def test_what_is_no_product_is_left_to_the_articles(shop: Services, text: str) -> None:
    assert await asked(shop, text) == ""


async def test_at_most_a_handful_is_told_and_that_there_is_more(shop: Services) -> None:
    *told, more = (await asked(shop, "anything under 100?")).splitlines()
    assert len(told) == 1 + 5
    assert more == "There is more; ask me for a product by name."


async def test_what_is_sold_out_is_not_offered_at_a_price(shop: Services) -> None:
    sold = update(VariantRow).where(VariantRow.sku == "CANDLE-SMALL").values(on_hand=VariantRow.reserved)
    await shop.database.write(lambda session: session.execute(sold))
    assert await asked(shop, "anything under 5?") == "There is nothing at that price now."
    assert f"candle, medium, {SHOP.amount(7_50)}" in await asked(shop, "the cheapest candle?")


@pytest.mark.usefixtures("shop")
async def test_the_desk_answers_so_in_a_conversation() -> None:
    assert await say(conversation(), "do you have the oak table?") == f"Dining table: oak {SHOP.money(999_00)}."


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "asks", ["do you have it in moss?", "how much is it in moss?", "and in moss?", "is it in stock in moss?"]
)
async def test_in_a_conversation_it_is_the_product_that_was_named_last(asks: str) -> None:
    thread = conversation()
    await say(thread, "do you have the oak table?")
    await say(thread, "do you have the wool rug?")
    assert await say(thread, asks) == f"Wool rug: moss {SHOP.money(329_00)}."
    assert await say(thread, "is the indigo one in stock?") == f"Wool rug: indigo {SHOP.money(349_00)} (sold out)."


@pytest.mark.usefixtures("shop")
async def test_what_points_at_one_of_two_products_is_asked_about() -> None:
    thread = conversation()
    await say(thread, "do you have the wool rug, and do you have the oak table?")
    assert (await say(thread, "do you have it in moss?")).endswith("Which product do you mean?")
