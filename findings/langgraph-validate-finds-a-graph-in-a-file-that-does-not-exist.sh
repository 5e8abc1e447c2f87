#!/usr/bin/env bash
# langgraph-cli 0.4.40
#
# Behaviour: langgraph validate says of a configuration whose graph's file is missing, or whose graph has no
#   attribute name, that it is valid, one graph found. It says nothing about unknown keys or wrong types below the
#   top level either. The dockerfile command fails on the first two.
# Surprise: A misspelt top-level key gets a hint, so the file looks as if it had been checked; the words one graph
#   found say that somebody looked.
# Seen:
#   no such file: validate exits 0 (...' is valid. (1 graph found)'), dockerfile exits 1
#   no attribute: validate exits 0 (...' is valid. (1 graph found)'), dockerfile exits 1
#   unknown key: validate exits 0 (...' is valid. (1 graph found)'), dockerfile exits 0
#   wrong type: validate exits 0 (...' is valid. (1 graph found)'), dockerfile exits 0
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-cli==0.4.40
venv/bin/python - <<'PY'
import json
import subprocess
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp(dir="."))
CASES = {
    "no such file": {"graphs": {"shop": "./missing.py:graph"}},
    "no attribute": {"graphs": {"shop": "./shop.py"}},
    "unknown key": {"store": {"ttl": {"defualt_ttl": 60}}},
    "wrong type": {"store": {"ttl": {"default_ttl": "soon"}}},
}


def cli(command, *more):
    run = subprocess.run(
        ["venv/bin/langgraph", command, "--config", folder / "langgraph.json", *more], capture_output=True, text=True
    )
    return run.returncode, (run.stdout or "").strip().splitlines()


(folder / "shop.py").write_text("graph = None\n")
(folder / "requirements.txt").touch()
codes = {}
for name, case in CASES.items():
    config = {"dependencies": ["."], "graphs": {"shop": "./shop.py:graph"}, **case}
    (folder / "langgraph.json").write_text(json.dumps(config))
    validate, dockerfile = cli("validate"), cli("dockerfile", folder / "Dockerfile")
    codes[name] = validate[0], dockerfile[0]
    print(f"{name}: validate exits {validate[0]} (...{validate[1][0][-26:]!r}), dockerfile exits {dockerfile[0]}")
if any(validate for validate, _ in codes.values()) or not codes["no such file"][1]:
    raise SystemExit("changed: validate looks closer")
PY
