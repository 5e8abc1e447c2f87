#!/usr/bin/env bash
# grafana-foundation-sdk 1769699998!10.1.0
#
# Behaviour: The package is released once for each Grafana, with the time as the version's epoch, and the oldest
#   Grafana last. So pip takes the builders for Grafana 10.1 for the newest, and a requirement of at least 11 is met
#   by 10.1 as well.
# Surprise: One expects the highest version without a bound, and that a lower bound on what looks like Grafana's
#   version holds.
# Seen:
#   no bound:             1769699998!10.1.0
#   at least 11:          1769699998!10.1.0
#   11.4 with its epoch:  1769699520!11.4.0
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check 'grafana-foundation-sdk==1769699998!10.1.0'
venv/bin/python - <<'PY'
import json
import subprocess

BEFORE = "<1769699999!0"  # what was released up to then, so that the answer stays the same


def chosen(bound):
    command = ["venv/bin/pip", "install", "-q", "--disable-pip-version-check", "--dry-run", "--no-deps"]
    report = "--ignore-installed", "--report", "-"
    wanted = f"grafana-foundation-sdk{bound}{BEFORE}"
    run = subprocess.run([*command, *report, wanted], capture_output=True, check=True)
    return json.loads(run.stdout)["install"][0]["metadata"]["version"]


anything, eleven, exact = chosen(""), chosen(">=11,"), chosen("==1769699520!11.4.0,")
print("no bound:            ", anything)
print("at least 11:         ", eleven)
print("11.4 with its epoch: ", exact)
if not (anything.endswith("!10.1.0") and eleven.endswith("!10.1.0")):
    raise SystemExit("changed: another one is taken")
PY
