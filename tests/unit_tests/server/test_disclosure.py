"""What a customer is shown of the staff's side, in whatever form it goes out."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from agent.identity import ROLES, Caller
from agent.server.disclosure import Disclosure, for_customer
from agent.services import Services
from tests.support.approvals import ask, decide, order
from tests.support.chains import OF_VERY_LARGE
from tests.support.threads import APPROVE, reject, staff, user

SAID = {"said": APPROVE, "identity": staff(OF_VERY_LARGE[0]).identity, "role": OF_VERY_LARGE[0], "seal": "5ea1"}
STATE = {"values": {"answer": SAID, "messages": [{"type": "ai", "content": "Grüße", "additional_kwargs": {}}]}}
SEEN = {"values": {"answer": None, "messages": [{"type": "ai", "content": "Grüße", "additional_kwargs": {}}]}}


async def test_of_a_request_its_status_and_whose_role_it_waits_for_are_shown(shop: Services) -> None:
    approvals = shop.approvals
    view = await ask(approvals, order(), "very_large_order")
    seen = {
        "request_id": view["request_id"],
        "order_id": view["order_id"],
        "status": "open",
        "roles": [OF_VERY_LARGE[0]],
    }
    assert for_customer({"interrupts": {"task": [{"id": "x", "value": view}]}}) == {
        "interrupts": {"task": [{"id": "x", "value": seen}]}
    }

    said_yes = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(OF_VERY_LARGE[0]))
    assert for_customer(said_yes) == {**seen, "roles": [OF_VERY_LARGE[1]]}
    said_no = await decide(
        approvals, view["request_id"], said_yes["action_hash"], reject("too much"), staff(OF_VERY_LARGE[1])
    )
    assert for_customer([["approval", said_no]]) == [
        ["approval", {**seen, "status": "rejected", "roles": said_no["roles"], "note": "too much"}]
    ]


def test_who_started_a_run_and_with_what_is_not_shown() -> None:
    run = {"run_id": "r", "kwargs": {"command": {"resume": APPROVE}}, "config": {
        "configurable": {"langgraph_auth_user": {"identity": "x"}, "langgraph_auth_user_id": "x", "thread_id": "t"},
    }}  # fmt: skip
    assert for_customer(run) == {"run_id": "r", "config": {"configurable": {"thread_id": "t"}}}


class Said:
    """A server that says one thing to whoever comes, after it was found out who that is."""

    def __init__(self, who: Caller | None, answer: Any) -> None:
        self.who, self.answer = who, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["user"] = user(self.who)
        await self.answer(scope, receive, send)


async def told(who: Caller | None, answer: Any) -> httpx.Response:
    transport = httpx.ASGITransport(Disclosure(Said(who, answer)))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        return await client.get("/")


@pytest.mark.parametrize("role", ROLES)
async def test_only_customers_are_shown_less(role: Any) -> None:
    answer = await told(Caller("x", role), JSONResponse(STATE))
    assert answer.json() == (SEEN if role == "customer" else STATE)


async def test_nobody_is_no_customer() -> None:
    assert (await told(None, JSONResponse(STATE))).json() == STATE


async def in_pieces(text: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


CUSTOMER = Caller("ada_park", "customer")


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_a_document_that_comes_in_pieces_after_signs_of_life_is_whole(size: int) -> None:
    text = b"\n\n" + json.dumps(STATE).encode()
    answer = await told(CUSTOMER, StreamingResponse(in_pieces(text, size), media_type="application/json"))
    assert answer.json() == SEEN


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_an_event_stream_stays_one(size: int, end: bytes) -> None:
    def stream(state: Any) -> bytes:
        data = json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()
        lines = [b": heartbeat", b"", b"event: values", b"data: " + data, b"id: 1", b"", b"data: " + data]
        return end.join(lines)

    answer = await told(CUSTOMER, StreamingResponse(in_pieces(stream(STATE), size), media_type="text/event-stream"))
    assert answer.content == stream(SEEN)


async def test_what_can_not_be_read_is_not_shown_and_what_is_no_json_is_left_alone() -> None:
    broken = Response(b'{"answer": ', media_type="application/json")
    assert (await told(CUSTOMER, broken)).content == b"null"
    assert (await told(CUSTOMER, Response(b"desk 1", media_type="text/plain"))).content == b"desk 1"
    assert (await told(CUSTOMER, Response(status_code=204))).content == b""


async def test_a_websocket_is_no_way_round() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def talk(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps(STATE)})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    await Disclosure(Said(CUSTOMER, talk))({"type": "websocket"}, receive, send)
    assert json.loads(sent[1]["text"]) == SEEN
