#!/usr/bin/env bash
# langgraph-cli 0.4.40
#
# Behaviour: langgraph dockerfile writes the graphs of langgraph.json, their descriptions included, as JSON between
#   single quotes: ENV LANGSERVE_GRAPHS='{…}'. An apostrophe in a description is written as it is, and ends the quotes.
#   langgraph validate calls the file valid.
# Surprise: A description is prose for people, and "the customer's desk" is a description. The image can't be built, and
#   the error, of a builder that reads the rest of the line as words of its own, names neither description nor file.
# Seen:
#   the desk of customers: validate exits 0, dockerfile exits 0, quotes of the ENV line: closed
#   the customer's desk: validate exits 0, dockerfile exits 0, quotes of the ENV line: open
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-cli==0.4.40
venv/bin/python - <<'PY'
import json
import subprocess
from pathlib import Path

Path("shop.py").write_text("graph = None\n")
Path("requirements.txt").touch()
closed = {}
for description in ("the desk of customers", "the customer's desk"):
    graphs = {"shop": {"path": "./shop.py:graph", "description": description}}
    Path("langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": graphs}))
    codes = [
        subprocess.run(["venv/bin/langgraph", *words], capture_output=True).returncode
        for words in (["validate"], ["dockerfile", "Dockerfile"])
    ]
    [line] = [each for each in Path("Dockerfile").read_text().splitlines() if "LANGSERVE_GRAPHS" in each]
    closed[description] = line.count("'") % 2 == 0
    print(
        f"{description}: validate exits {codes[0]}, dockerfile exits {codes[1]}, "
        f"quotes of the ENV line: {'closed' if closed[description] else 'open'}"
    )
    if any(codes):
        raise SystemExit("changed: such a description is refused")
if list(closed.values()) != [True, False]:
    raise SystemExit("changed: the apostrophe is quoted")
PY
