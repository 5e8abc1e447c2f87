#!/usr/bin/env bash
# langsmith 0.15.1
#
# Behaviour: create_anonymizer looks ten levels deep by default. What lies deeper in a run's inputs is sent as it
#   is, and nothing tells of it.
# Surprise: A scrubber is expected to scrub everything or to refuse; the nested lists and dicts of a message's
#   serialised content get to ten levels soon.
# Seen:
#   1 levels: <mail>
#   9 levels: <mail>
#   10 levels: <mail>
#   11 levels: ann@shop.test
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langsmith==0.15.1
venv/bin/python - <<'PY'
from langsmith.anonymizer import create_anonymizer

anonymize = create_anonymizer([{"pattern": r"\w+@\w+\.test", "replace": "<mail>"}])


def sent(levels):
    value = "ann@shop.test"
    for _ in range(levels):
        value = {"next": value}
    value = anonymize(value)
    for _ in range(levels):
        value = value["next"]
    return value


kept = {levels: sent(levels) for levels in (1, 9, 10, 11)}
for levels, value in kept.items():
    print(levels, "levels:", value)
if kept[1] != "<mail>" or kept[11] != "ann@shop.test":
    raise SystemExit("changed: all levels are scrubbed, or none")
PY
