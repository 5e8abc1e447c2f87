"""Each graph says what goes in and what comes out: the server gives that to Studio, and to MCP as its tools."""

import pytest

from agent.customer_service.graph import graph as customer_service
from agent.order_processing.graph import graph as order_processing
from agent.reconciler.graph import graph as reconciler


@pytest.mark.parametrize(
    ("graph", "given", "returned"),
    [
        (customer_service, {"messages"}, {"messages", "processing_stage", "approval"}),
        (order_processing, {"order"}, {"order_id", "processing_stage"}),
        (reconciler, {"report"}, {"report"}),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_a_graph_has_schemas_of_its_input_and_its_output(graph: object, given: set[str], returned: set[str]) -> None:
    assert graph.get_input_jsonschema()["properties"].keys() == given  # type: ignore[attr-defined]
    assert graph.get_output_jsonschema()["properties"].keys() >= returned  # type: ignore[attr-defined]


def test_the_desk_requires_a_list_of_messages() -> None:
    schema = customer_service.get_input_jsonschema()

    assert schema["properties"]["messages"]["type"] == "array"
    assert schema["required"] == ["messages"]
