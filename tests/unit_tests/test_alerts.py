"""Every alert is tested both ways and has its section in the runbook, and alerts and dashboard ask for metrics that
the product has. What promtool and amtool say of the files: `make alerts-test`."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from agent.customer_service.graph import graph as customer_service
from agent.order_processing.graph import graph as order_processing
from agent.server import scrape
from agent.services import Services
from deploy.dashboard import FILE, build

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text()


def read(name: str) -> Any:
    """A file of deploy/prometheus."""
    return yaml.safe_load((DEPLOY / "prometheus" / name).read_text())


def rules(file: str) -> list[dict[str, Any]]:
    return [rule for group in read(file)["groups"] for rule in group["rules"]]


ALERTS: Final = {rule["alert"]: rule for rule in rules("alerts.yml")}
ALERT_RULE_TESTS: Final = [each for test in read("alerts_test.yml")["tests"] for each in test["alert_rule_test"]]
SELECTOR: Final = re.compile(r"\b(desk_[a-z_]+)(?:{(.*?)})?")
MATCHER: Final = re.compile(r'(\w+)(=~|!~|!=|=)"(.*?)"')
GRAPHS: Final = (customer_service, order_processing)
"""Whose nodes are timed from when they are imported."""
PANELS: Final = json.loads(FILE.read_text())["panels"]


def parsed(matcher: str) -> tuple[str, ...]:
    """Label, operator and value of a matcher."""
    [found] = MATCHER.findall(matcher)
    return tuple(found)


def expressions() -> list[str]:
    """What Prometheus is asked: by rules, by what alerts say, by the dashboard."""
    said = [text for rule in ALERTS.values() for text in rule["annotations"].values()]
    asked = [rule["expr"] for file in ("alerts.yml", "recording.yml") for rule in rules(file)]
    return said + asked + [target["expr"] for panel in PANELS for target in panel.get("targets", [])]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_test_that_fires_and_one_that_stays_silent(name: str) -> None:
    expected = [bool(each["exp_alerts"]) for each in ALERT_RULE_TESTS if each["alertname"] == name]
    assert set(expected) == {True, False}


def test_no_test_is_of_an_alert_that_is_gone() -> None:
    assert {each["alertname"] for each in ALERT_RULE_TESTS} == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_is_wrong_how_urgent_it_is_and_where_the_rest_is_told(name: str) -> None:
    rule = ALERTS[name]
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
    sections = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)[1:]
    [section] = [text for text in sections if text.startswith(f"{name}\n")]
    assert re.findall(r"^- \*\*(.+?)\*\*", section, re.MULTILINE) == ["Customers", "Look at", "Do", "Over when"]
    assert f"*{rule['labels']['severity']}* · " in section


def test_the_runbook_has_no_section_of_an_alert_that_is_gone() -> None:
    assert set(re.findall(r"^## (\w+)", RUNBOOK, re.MULTILINE)) == set(ALERTS)


def test_alertmanager_tells_of_each_severity_and_inhibits_only_what_there_is() -> None:
    config = read("alertmanager.yml")
    assert {rule["labels"]["severity"] for rule in ALERTS.values()} == {each["name"] for each in config["receivers"]}
    for rule in config["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            label, _, value = parsed(matcher)
            if label == "alertname":
                for each in value.split("|"):
                    assert any(re.fullmatch(each, name) for name in ALERTS), each


OF_THE_SETTINGS: Final = {"payment-token"}
"""Values that the product has under some settings alone."""


async def test_alerts_and_dashboard_ask_for_series_that_the_product_has(shop: Services) -> None:
    exposed: dict[str, list[dict[str, str]]] = {}
    for line in (await scrape.scraped()).decode().splitlines():
        if matched := re.match(r"(desk_[a-z_]+)(?:{(.*)})? ", line):
            exposed.setdefault(matched[1], []).append(dict(re.findall(r'(\w+)="(.*?)"', matched[2] or "")))
    asked = {found.groups() for text in expressions() for found in SELECTOR.finditer(text)}
    assert len({name for name, _ in asked}) > 25
    for name, matchers in asked:
        assert name in exposed, name
        for label, how, value in MATCHER.findall(matchers or ""):
            there = {series[label] for series in exposed[name] if label in series} | OF_THE_SETTINGS
            for each in value.split("|") if "~" in how else [value]:
                assert any(re.fullmatch(each, known) for known in there), (name, label, each)


def test_every_recorded_series_is_asked_for_and_every_one_that_is_asked_for_is_recorded() -> None:
    recorded = {rule["record"] for rule in rules("recording.yml")}
    asked = {name for text in expressions() for name in re.findall(r"\bdesk:[a-z_]+:\w+", text)}
    assert asked == recorded


def test_the_dashboard_is_the_one_that_the_code_builds() -> None:
    assert FILE.read_text() == build(), "run `make dashboard`"


def test_every_panel_says_what_it_shows_asks_the_chosen_prometheus_and_fits_the_page() -> None:
    shown = [panel for panel in PANELS if panel["type"] != "row"]
    assert all(panel["targets"] and panel["title"] for panel in shown)
    assert {target["datasource"]["uid"] for panel in shown for target in panel["targets"]} == {"${datasource}"}
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in shown)
