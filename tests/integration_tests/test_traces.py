"""What a real server tells while people of both shops are at it: logs, metrics and traces, captured and searched.

One trace an order, though the server is killed in between; nobody's data in any of it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk.errors import UnprocessableEntityError

from tests.support.driver import Driver, Run
from tests.support.each_shop import each_shop
from tests.support.leaks import leaks, personal
from tests.support.live_server import ROOT, LiveServer, wait_for
from tests.support.trace_sinks import Span, TraceSink

NOTE = "she shouted at Rosalind on the phone"
"""Of staff's."""
CARD, PHONE, IBAN = "4111 1111 1111 1111", "+44 20 7946 0958", "GB29 NWBK 6016 1331 9268 19"


@dataclass
class Site:
    """A server of a shop's, and where what it tells of itself goes."""

    server: LiveServer
    driver: Driver
    sink: TraceSink
    catalogue: dict[str, Any]

    @property
    def customer(self) -> dict[str, Any]:
        """Somebody with a card that pays."""
        return next(each for each in self.catalogue["customers"] if self._card(each))

    def order(self, order_id: str) -> dict[str, Any]:
        """A third of what there is of the dearest thing, to the customer's own address: people are asked."""
        options = [option for product in self.catalogue["products"] for option in product["variants"]]
        dearest = max(options, key=lambda option: option["price"] * (option["on_hand"] // 3))
        return {
            "order_id": order_id,
            "customer_id": self.customer["id"],
            "lines": [{"sku": dearest["sku"], "quantity": dearest["on_hand"] // 3}],
            "payment_method_id": self._card(self.customer),
            "ship_to": self.customer["address"],
        }

    def _card(self, customer: dict[str, Any]) -> str | None:
        cards = [each["id"] for each in customer["payment_methods"] if each.get("token") == "tok_approve"]
        return cards[0] if cards else None

    def people(self) -> set[str]:
        """Whatever of anybody's must not be found: of the catalogue, of staff, of what was said."""
        said = {NOTE, "Rosalind", CARD, CARD.replace(" ", ""), PHONE, IBAN, *self.server.tokens.values()}
        return said | {text for each in self.catalogue["customers"] for text in personal(each)}


@pytest.fixture(params=each_shop(["home", "market"]))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    folder = ROOT / "shops" / request.param
    with TraceSink() as sink:
        server = LiveServer(
            tmp_path,
            SHOP_DIR=str(folder),
            RECONCILE_CRON="0 0 1 1 *",
            STALE_AFTER_SECONDS="0",
            IDENTIFY_BY_CLAIM="full",
            LOG_JSON="true",
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            LANGSMITH_TRACING="true",
            LANGSMITH_API_KEY="none",
            LANGSMITH_ENDPOINT=sink.url,
        )
        try:
            server.start()
            with Driver(server) as driver:
                yield Site(server, driver, sink, json.loads((folder / "catalogue.json").read_text()))
        finally:
            server.stop()


def in_one_trace(spans: list[Span], order_id: str) -> list[Span]:
    """The spans in the trace of the order."""
    placed = [span for span in spans if dict(span.events).get("order.placed", {}).get("order_id") == order_id]
    assert len(placed) == 1
    return [span for span in spans if span.trace == placed[0].trace]


def approved(site: Site, asked: Run) -> Run:
    while asked.waiting:
        asked = site.driver.answer(asked.waiting["roles"][0], asked, "approve", NOTE)
    return asked


def asked_again(site: Site, before: Run) -> Run:
    """What the order waits for, once a reconciler has had it ask again."""

    assert before.waiting
    role = before.waiting["roles"][0]

    def waits() -> list[Run]:
        site.driver.reconcile()
        threads = site.driver.client(role).threads.search(status="interrupted")
        return [
            Run(before.thread, before.graph, waiting=interrupts[0]["value"])
            for thread in threads
            if thread["thread_id"] == before.thread
            for interrupts in thread["interrupts"].values()
        ]

    return wait_for(waits, 40, site.server.log_end)[0]


def they_talk(site: Site) -> None:
    """A customer says all about themselves, is refunded, refused, and sends what can't be read."""
    who = site.customer
    name, address = f"{who['first_name']} {who['last_name']}", who["address"]["line1"]
    words = f"I am {name}, {who['email']}, of {address}, card {CARD}, call {PHONE}, account {IBAN}"
    thread = site.driver.conversation()
    site.driver.ask(words, customer=who["id"], thread=thread)
    site.driver.ask("I want to talk to a person: " + words, customer=who["id"], thread=thread)
    client = site.driver.client("channel")
    alone = str(client.threads.create(graph_id="customer_service")["thread_id"])
    said: Any = {"messages": [{"role": "user", "content": words}]}
    client.runs.wait(alone, "customer_service", input=said)
    wrong = site.order("BAD-1") | {"note": words, "ship_to": {"line1": address, "name": name}}
    with pytest.raises(UnprocessableEntityError, match="ORDER-INPUT"):
        site.driver.order(wrong)
    for path in (f"/ops/orders/NONE?email={who['email']}&name={name}", f"/threads?phone={PHONE}", f"/{who['email']}"):
        assert site.driver.http("channel", "GET", path).status_code >= 400
    bearer = {"Authorization": f"Bearer {site.server.tokens['customer']}"}
    httpx.post(f"{site.server.url}/threads/search", json={"metadata": {"a": words}}, headers=bearer, trust_env=False)


@pytest.mark.thorough
def test_one_order_is_one_trace_across_a_kill_and_nobody_is_in_what_is_told(site: Site) -> None:
    asked = site.driver.order(site.order("T-1"))
    assert asked.waiting
    they_talk(site)
    site.sink.until(lambda: any("approval.requested" in dict(span.events) for span in site.sink.spans))
    site.server.kill()
    site.server.start()
    ended = approved(site, asked_again(site, asked))
    rejected = site.driver.order(site.order("T-2"))
    assert rejected.waiting
    site.driver.answer(rejected.waiting["roles"][0], rejected, "reject", NOTE)
    metrics = site.driver.http("operator", "GET", "/ops/metrics").text
    site.sink.until(lambda: any("carrier" in span.name for span in site.sink.spans))
    site.sink.until(lambda: any(run["name"] == "close" for run in site.sink.runs.values()))
    site.server.stop()

    assert ended.stage == "completed"
    spans = in_one_trace(site.sink.spans, "T-1")
    assert {"invoke_workflow order_processing", "assess", "charge", "call payment", "call carrier"} <= {
        span.name for span in spans
    }
    waits = [span for span in spans if span.name.startswith("waiting for ")]
    assert waits
    assert [span.name for span in waits + [each for each in spans if each.name == "approval"] if span.is_red] == []
    processes = {run["extra"]["metadata"].get("order_id") for run in site.sink.runs.values()}
    assert {"T-1", "T-2"} <= processes
    assert [run["name"] for run in site.sink.runs.values() if "GraphInterrupt" in (run.get("error") or "")] == []

    told = {
        "logs": (site.server.folder / "server.log").read_text(),
        "metrics": metrics,
        "traces": b"\n".join(site.sink.bodies).decode(errors="replace"),
    }
    assert all(len(text) > 10_000 for text in told.values())
    assert leaks(told, site.people()) == {}
