"""What the server reads back from a checkpoint: plain values, and nothing that a stranger could have built from it."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

READ = """
from uuid import SafeUUID
from langchain_core.messages import HumanMessage
from langgraph_api.serde import Serializer

serializer = Serializer()
for value in ({"messages": [HumanMessage("hello", id="m-1")]}, SafeUUID.safe):
    print(serializer.loads_typed(serializer.dumps_typed(value)) == value)
kind, pickled = serializer.dumps_typed(lambda: 1)  # what the platform can't write otherwise it pickles
print(kind)
try:
    serializer.loads_typed((kind, pickled))
except ValueError as refused:
    print(refused)
"""


def test_neither_a_pickle_nor_a_class_that_is_not_listed_is_built_from_a_checkpoint() -> None:
    config = json.loads((ROOT / "langgraph.json").read_text())
    assert "LANGGRAPH_STRICT_MSGPACK=true" in " ".join(config["dockerfile_lines"])
    env = os.environ | {
        "LANGGRAPH_CHECKPOINTER": json.dumps(config["checkpointer"]),
        "LANGGRAPH_STRICT_MSGPACK": "true",
        "DATABASE_URI": ":memory:",
        "REDIS_URI": "fake",
        "MIGRATIONS_PATH": "__inmem",
        "LANGGRAPH_RUNTIME_EDITION": "inmem",
    }
    said = subprocess.run(
        [sys.executable, "-c", READ], env=env, capture_output=True, text=True, timeout=60, check=False
    )

    assert said.stdout.splitlines() == [
        "True",
        "False",
        "pickle",
        "Pickle fallback is disabled. Cannot deserialize pickled object.",
    ], said.stderr
