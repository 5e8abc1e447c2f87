"""Once: the same key gives the first answer, whoever asks, whatever broke, however many ask at the same time."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agent.ledger.database import Act, Database, Effect, Json, KeyReusedError, PolicyDenied
from agent.ledger.engines import Limits
from agent.ledger.tables import EffectRow, ProductRow
from tests.support.clock import Clock

ASKED = Effect("order:1:rename", "Rename", "ada", "ada_park", {"to": "Lamp", "pieces": 2})


@pytest.fixture
async def ledger(ledger_url: str, clock: Clock) -> AsyncIterator[Database]:
    database = Database(ledger_url, clock)
    yield database
    await database.close()


def adds(product: str) -> Act:
    """An effect: a product more."""

    def act(session: Session) -> Json:
        session.add(ProductRow(id=product, name="Lamp"))
        return {"added": product}

    return act


def adds_then(error: Exception) -> Act:
    """An effect that fails when everything is written."""

    def act(session: Session) -> Json:
        session.add(ProductRow(id="half", name="Half"))
        session.flush()
        raise error

    return act


async def products(ledger: Database) -> list[str]:
    with ledger.reading() as session:
        return list(session.scalars(select(ProductRow.id).order_by(ProductRow.id)))


async def known(ledger: Database) -> EffectRow | None:
    with ledger.reading() as session:
        return session.get(EffectRow, ASKED.key)


async def test_the_same_key_again_gives_the_first_answer_and_acts_once(ledger: Database) -> None:
    assert await ledger.once(ASKED, adds("lamp")) == {"added": "lamp"}
    assert await ledger.once(ASKED, adds("rug")) == {"added": "lamp"}
    assert await products(ledger) == ["lamp"]


async def test_an_effect_is_kept_with_who_asked_for_whom_and_when(ledger: Database, clock: Clock) -> None:
    first = clock()
    await ledger.once(ASKED, adds("lamp"))
    clock.advance(days=1)
    await ledger.once(replace(ASKED, actor="a colleague"), adds("lamp"))
    row = await known(ledger)
    assert row is not None
    assert (row.name, row.actor, row.subject, row.at) == ("Rename", "ada", "ada_park", first)


async def test_the_order_in_which_arguments_are_written_does_not_matter(ledger: Database) -> None:
    await ledger.once(ASKED, adds("lamp"))
    turned = replace(ASKED, arguments={"pieces": 2, "to": "Lamp"})
    assert await ledger.once(turned, adds("rug")) == {"added": "lamp"}


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Remove"},
        {"subject": "ben_ortiz"},
        {"arguments": {"to": "Lamp", "pieces": 3}},
        {"arguments": {"to": "Lamp"}},
        {"arguments": {"to": "Lamp", "pieces": "2"}},
    ],
)
async def test_the_same_key_for_something_else_is_an_error(ledger: Database, other: dict[str, Any]) -> None:
    await ledger.once(ASKED, adds("lamp"))
    with pytest.raises(KeyReusedError) as reused:
        await ledger.once(replace(ASKED, **other), adds("rug"))
    assert reused.value.key == ASKED.key
    assert await products(ledger) == ["lamp"]


async def test_a_denial_changes_nothing_and_is_the_answer_from_then_on(ledger: Database) -> None:
    with pytest.raises(PolicyDenied) as first:
        await ledger.once(ASKED, adds_then(PolicyDenied("NOT-NOW", "Not now.")))
    with pytest.raises(PolicyDenied) as second:
        await ledger.once(ASKED, adds("lamp"))
    assert (second.value.rule, second.value.sentence) == (first.value.rule, first.value.sentence)
    assert (second.value.rule, second.value.sentence) == ("NOT-NOW", "Not now.")
    assert await products(ledger) == []


async def test_a_denial_that_is_not_to_be_remembered_may_be_asked_again(ledger: Database) -> None:
    with pytest.raises(PolicyDenied, match="NOT-NOW"):
        await ledger.once(ASKED, adds_then(PolicyDenied("NOT-NOW", "Not now.")), remember_denial=False)
    assert await known(ledger) is None
    assert await ledger.once(ASKED, adds("lamp"), remember_denial=False) == {"added": "lamp"}
    assert await products(ledger) == ["lamp"]


async def test_a_crash_leaves_nothing_and_may_be_asked_again(ledger: Database) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        await ledger.once(ASKED, adds_then(RuntimeError("power cut")))
    assert await products(ledger) == []
    assert await known(ledger) is None
    assert await ledger.once(ASKED, adds("lamp")) == {"added": "lamp"}


async def test_an_effect_whose_asker_is_gone_happens_as_a_whole_and_once(ledger: Database) -> None:
    halfway, go_on = threading.Event(), threading.Event()

    def act(session: Session) -> Json:
        adds("first half")(session)
        session.flush()
        halfway.set()
        assert go_on.wait(30)
        return adds("second half")(session)

    asking = asyncio.create_task(ledger.once(ASKED, act))
    assert await asyncio.to_thread(halfway.wait, 30)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await products(ledger) == []
    go_on.set()
    assert await ledger.once(ASKED, adds("lamp")) == {"added": "second half"}
    assert await products(ledger) == ["first half", "second half"]


async def test_an_effect_whose_asker_is_gone_before_it_has_begun_leaves_nothing(
    ledger: Database, ledger_url: str, clock: Clock
) -> None:
    narrow = Database(ledger_url, clock, Limits(connections=1))
    at_work, go_on = threading.Event(), threading.Event()

    def somebody_else(_: Session) -> None:
        at_work.set()
        assert go_on.wait(30)

    writing = asyncio.create_task(narrow.write(somebody_else))
    assert await asyncio.to_thread(at_work.wait, 30)
    asking = asyncio.create_task(narrow.once(ASKED, adds("rug")))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    await writing
    await narrow.close()
    assert await ledger.once(ASKED, adds("lamp")) == {"added": "lamp"}
    assert await products(ledger) == ["lamp"]


async def test_a_broken_constraint_is_told_and_not_taken_for_a_used_key(ledger: Database) -> None:
    await ledger.once(ASKED, adds("lamp"))
    with pytest.raises(IntegrityError, match="products"):
        await ledger.once(replace(ASKED, key="order:2:rename"), adds("lamp"))


async def test_many_at_once_with_one_key_have_one_effect(ledger: Database, ledger_url: str, clock: Clock) -> None:
    worker = Database(ledger_url, clock)
    askers = [(ledger, worker)[n % 2].once(ASKED, adds(f"lamp {n}")) for n in range(10)]
    answers = await asyncio.gather(*askers)
    await worker.close()
    [product] = await products(ledger)
    assert answers == [{"added": product}] * 10


async def test_of_two_at_once_who_mean_something_else_by_one_key_one_is_told(ledger: Database) -> None:
    other = replace(ASKED, arguments={"to": "Rug"})
    answers = await asyncio.gather(
        ledger.once(ASKED, adds("lamp")), ledger.once(other, adds("rug")), return_exceptions=True
    )
    [refused] = [answer for answer in answers if isinstance(answer, Exception)]
    assert isinstance(refused, KeyReusedError)
    assert len(await products(ledger)) == 1
