"""Builds the Grafana dashboard, deploy/grafana/desk.json: `make dashboard`; a test compares.

Its rows are in the order in which somebody who was woken asks. Everything comes from the metrics of docs/operations.md.
What the ledger knows is the same at each worker, so `max`; what workers count is added up.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as Timeline
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Plot
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueColorMode
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    RangeMap,
    RegexMap,
    SpecialValueMap,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

FILE: Final = Path(__file__).parent / "grafana" / "desk.json"
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")

Panel = Stat | Timeline | Table | Plot

STATES: Final = {"0": ("closed", "green"), "1": ("half-open", "orange"), "2": ("open", "red")}
UP: Final = {"0": ("down", "red"), "1": ("up", "green")}


def build() -> str:
    """The dashboard, as the JSON that Grafana imports."""
    dashboard = (
        Dashboard("Order desk")
        .uid("order-desk")
        .tags(["order-desk"])
        .timezone("utc")
        .refresh("30s")
        .time("now-3h", "now")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for question, lines in rows().items():
        dashboard.with_row(Row(question))
        for panel, width in ((panel, 24 // len(line)) for line in lines for panel in line):
            dashboard.with_panel(panel.span(width).height(7))
    built = dashboard.build()
    for number, each in enumerate(built.panels or [], start=1):
        each.id_val = number
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def rows() -> dict[str, list[list[Panel]]]:
    """The panels by the question that they answer, line by line."""
    return {
        "Is it up, and what is wrong?": [
            [
                stat("Servers", 'up{job="desk"}', legend="{{instance}}", says=UP),
                stat("Ledger", "desk_ledger_up", legend="{{instance}}", says=UP),
                stat(
                    "Since the reconciler last ran",
                    age("desk_reconciler_last_run_timestamp_seconds"), unit="s", red=300,
                ),
                table("Alerts that fire", 'ALERTS{alertstate="firing"}'),
            ],
        ],
        "Are customers served?": [
            [
                plot("Share of attempts that fail", {"{{graph}}": "desk:node_errors:ratio_rate5m"}, unit="percentunit"),
                plot("Orders at work, by stage", {"{{stage}}": largest("desk_orders", "stage")}),
                plot(
                    "Orders that ended, were begun to be undone, taken on again, an hour",
                    {
                        "{{stage}}": hourly("desk_orders_ended_total", "stage"),
                        "undone": hourly("desk_compensations_total"),
                        "taken on again": hourly("desk_redriven_total"),
                    },
                ),
            ],
        ],
        "What outside does not work, and since when?": [
            [
                stat("Breakers", largest("desk_breaker_state", "name"), legend="{{name}}", says=STATES),
                stat(
                    "Since they last moved",
                    age("desk_breaker_since_timestamp_seconds", "name"), legend="{{name}}", unit="s",
                ),
                timeline("Breakers over time", largest("desk_breaker_state", "name"), legend="{{name}}", says=STATES),
            ],
            [
                plot(
                    "Calls a second",
                    {"{{dependency}} {{outcome}}": rate("desk_dependency_calls_total", "dependency, outcome")},
                ),
                plot(
                    "Breakers' moves an hour",
                    {"{{name}} to {{to}}": hourly("desk_breaker_transitions_total", "name, to")},
                ),
                plot(
                    "Retries, and steps down a chain, an hour",
                    {
                        "{{dependency}}, granted: {{granted}}": hourly("desk_retries_total", "dependency, granted"),
                        "{{chain}} to {{to}}": hourly("desk_fallbacks_total", "chain, to"),
                    },
                ),
            ],
        ],
        "Is money in danger?": [
            [
                stat("Orders parked", largest("desk_orders_parked"), red=1),
                stat("Payments unknown", largest("desk_payments_unknown"), red=1),
                stat("Owed: how many", largest("desk_debts_owed", "kind"), legend="{{kind}}"),
                stat("Owed: the oldest", largest("desk_debts_oldest_seconds", "kind"), legend="{{kind}}", unit="s"),
            ],
            [
                plot(
                    "Payments an hour",
                    {"{{provider}} {{outcome}}": hourly("desk_payments_total", "provider, outcome")},
                ),
                plot("Owed, in minor units", {"{{kind}}": largest("desk_debts_owed_amount", "kind")}),
            ],
        ],
        "Who is waited for?": [
            [
                plot("Approvals that wait", {"{{role}}": largest("desk_approvals_waiting", "role")}),
                plot("The longest turn", {"{{role}}": largest("desk_approvals_oldest_seconds", "role")}, unit="s"),
                plot(
                    "How long decisions take (the middle one of a day)",
                    {"{{role}}": quantile(0.5, "desk_approval_decision_seconds", "role", window="1d")}, unit="s",
                ),
            ],
            [
                plot("Tickets that nobody has taken", {"{{role}}": largest("desk_tickets_waiting", "role")}),
                plot("The oldest of them", {"{{role}}": largest("desk_tickets_oldest_seconds", "role")}, unit="s"),
                plot("Conversations handed to a person, an hour", {"handed over": hourly("desk_handovers_total")}),
            ],
        ],
        "Is anything damaged, or unheard?": [
            [
                stat("Damaged states, kept aside", largest("desk_quarantined")),
                stat("Broken seals in an hour", hourly("desk_trail_broken_total"), red=1),
                stat("Notifications refused 20 times", largest("desk_notices_undelivered"), red=1),
            ],
            [
                plot("Refused an hour, the ten most frequent", {"{{rule}}": most("desk_request_denied_total", "rule")}),
                plot("Events an hour, the ten most frequent", {"{{event}}": most("desk_events_total", "event")}),
            ],
        ],
        "How does the assistant do?": [
            [
                plot(
                    "Models: calls a second",
                    {"{{purpose}} {{outcome}}": rate("desk_model_calls_total", "purpose, outcome")},
                ),
                plot("Models: tokens a second", {"{{purpose}}": rate("desk_model_tokens_total", "purpose")}),
                plot(
                    "Caches: look-ups a second",
                    {"{{cache}} {{outcome}}": rate("desk_cache_total", "cache, outcome")},
                ),
            ],
        ],
        "Where does the time go?": [
            [
                plot(
                    "How long nodes take (19 of 20)",
                    {"{{graph}} {{node}}": quantile(0.95, "desk_node_seconds", "graph, node")}, unit="s",
                ),
                plot(
                    "Which node fails, attempts a second",
                    {"{{graph}} {{node}}": rate('desk_node_seconds_count{outcome="error"}', "graph, node")},
                ),
                plot(
                    "How long dependencies take (19 of 20)",
                    {"{{dependency}}": quantile(0.95, "desk_dependency_seconds", "dependency")}, unit="s",
                ),
            ],
        ],
    }  # fmt: skip


def largest(gauge: str, labels: str = "") -> str:
    """The largest that a worker says."""
    return f"max{by(labels)} ({gauge})"


def age(gauge: str, labels: str = "") -> str:
    """Seconds since the latest time that a worker says."""
    return f"time() - {largest(gauge, labels)}"


def rate(counter: str, labels: str = "", window: str = "$__rate_interval") -> str:
    """Growth a second, of all workers together."""
    return f"sum{by(labels)} (rate({counter}[{window}]))"


def hourly(counter: str, labels: str = "") -> str:
    """Growth in the hour before, of all workers together."""
    return f"sum{by(labels)} (increase({counter}[1h]))"


def most(counter: str, labels: str) -> str:
    """The ten that grew most in the hour before."""
    return f"topk(10, {hourly(counter, labels)})"


def quantile(share: float, histogram: str, labels: str, window: str = "$__rate_interval") -> str:
    """Within how many seconds this share of what was observed was done."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', f'le, {labels}', window)})"


def by(labels: str) -> str:
    """What is kept apart."""
    return f" by ({labels})" if labels else ""


def query(expr: str, legend: str = "") -> Dataquery:
    """What Prometheus is asked, over the time that is shown."""
    return Dataquery().expr(expr).legend_format(legend).datasource(PROMETHEUS)


def texts(says: Mapping[str, tuple[str, str]]) -> list[ValueMap | RangeMap | RegexMap | SpecialValueMap]:
    """The words and colours for values."""
    return [ValueMap({value: ValueMappingResult(text=text, color=color) for value, (text, color) in says.items()})]


def limits(red: float | None) -> ThresholdsConfig:
    """Green, and red from `red` on."""
    steps = [Threshold(color="green"), *([Threshold(value=red, color="red")] if red is not None else [])]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def stat(
    title: str,
    expr: str,
    *,
    legend: str = "",
    unit: str = "short",
    red: float | None = None,
    says: Mapping[str, tuple[str, str]] | None = None,
) -> Stat:
    """The value now, as a number or a word; red from `red` on."""
    return (
        Stat().title(title).datasource(PROMETHEUS).unit(unit).thresholds(limits(red))
        .mappings(texts(says or {})).color_mode(BigValueColorMode.BACKGROUND)
        .with_target(query(expr, legend).instant().ref_id("A"))
    )  # fmt: skip


def plot(title: str, exprs: Mapping[str, str], *, unit: str = "short") -> Plot:
    """Curves over time: queries by legend."""
    made = Plot().title(title).datasource(PROMETHEUS).unit(unit).min(0)
    for number, (legend, expr) in enumerate(exprs.items()):
        made.with_target(query(expr, legend).range().ref_id("ABCDEF"[number]))
    return made


def timeline(title: str, expr: str, *, legend: str, says: Mapping[str, tuple[str, str]]) -> Timeline:
    """A bar for each series, coloured by its value."""
    return (
        Timeline().title(title).datasource(PROMETHEUS).mappings(texts(says))
        .thresholds(limits(None)).with_target(query(expr, legend).range().ref_id("A"))
    )  # fmt: skip


def table(title: str, expr: str) -> Table:
    """The labels of each series that is there now."""
    asked = query(expr).instant().format(PromQueryFormat.TABLE).ref_id("A")
    return Table().title(title).datasource(PROMETHEUS).no_value("none").with_target(asked)


if __name__ == "__main__":
    FILE.write_text(build())
