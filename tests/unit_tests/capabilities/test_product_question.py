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
from tests.support.conversations import conversation, say


async def asked(shop: Services, text: str, product: str | None = None) -> str:
    told = await PRODUCT_QUESTION.propose(shop, ANONYMOUS, ProductSlots(text=text, product=product))
    assert isinstance(told, str)
    return told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("how much is the oak table?", "Dining table: oak 999.00 USD."),
        ("do you have tabels in ash?", "Dining table: ash 899.00 USD."),
        (
            "what colours do your rugs come in?",
            "Wool rug: moss 329.00 USD; sand 329.00 USD; indigo 349.00 USD (sold out).",
        ),
        ("is the indigo rug in stock?", "Wool rug: indigo 349.00 USD (sold out)."),
        (
            "do you have the vase in pink?",
            "There is none in pink. Glass vase: small 19.00 USD; medium 35.00 USD; large 59.00 USD.",
        ),
        ("what is the cheapest lamp?", "The cheapest that can be had is Table lamp, black, 59.00 USD."),
        ("your most expensive chair?", "The dearest that can be had is Dining chair, walnut, 189.00 USD."),
        ("what is the cheapest thing you have?", "The cheapest that can be had is Beeswax candle, small, 4.50 USD."),
        ("anything under 5?", "At that price there is, for example:\n- Beeswax candle, small, 4.50 USD"),
        ("anything under 2?", "There is nothing at that price now."),
        ("anything under 50 euros?", "EUR is not our currency: our prices are in USD."),
        (
            "lamps under 20?",
            "There is none at that price now.\nTable lamp: black 59.00 USD; oak 69.00 USD; brass 89.00 USD.",
        ),
        ("lamps under 60?", "At that price there is, for example:\n- Table lamp, black, 59.00 USD"),
    ],
)
async def test_a_question_about_products_is_answered_from_the_catalogue(shop: Services, text: str, told: str) -> None:
    assert capability_of(Topic(request_type="question", text=text)) is PRODUCT_QUESTION
    assert await asked(shop, text) == told


async def test_it_is_the_product_that_was_spoken_of_last(shop: Services) -> None:
    assert await asked(shop, "do you have it in walnut?", "table") == "Dining table: walnut 1,299.00 USD."
    assert (await asked(shop, "do you have it in walnut?", "the sofa")).startswith(
        "There is none in walnut. Three-seat"
    )
    assert (await asked(shop, "and the desk in walnut?", "table")) == "Writing desk: walnut 649.00 USD."


async def test_who_says_it_of_nothing_is_asked_what_they_mean_and_their_answer_is_taken(shop: Services) -> None:
    text = "do you have it in walnut?"
    question = await PRODUCT_QUESTION.propose(shop, ANONYMOUS, ProductSlots(text=text))
    assert question == Question("product", "Which product do you mean?")
    wish = completed(Unfinished(capability="product_question", slots={"text": text}, asked="product"), "the table")
    assert wish is not None
    assert await PRODUCT_QUESTION.propose(shop, ANONYMOUS, slots_of(wish)) == "Dining table: walnut 1,299.00 USD."


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
    assert "candle, medium, 7.50" in await asked(shop, "the cheapest candle?")


@pytest.mark.usefixtures("shop")
async def test_the_desk_answers_so_in_a_conversation() -> None:
    assert await say(conversation(), "how much is the oak table?") == "Dining table: oak 999.00 USD."
