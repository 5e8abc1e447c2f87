#!/usr/bin/env bash
# agentevals 0.0.9
#
# Behaviour: With trajectory_match_mode 'superset' and tool_args_match_mode 'superset', each reference call takes the
#   first call that fits, for good. A looser reference takes the call that a stricter one needs, and the match fails;
#   with the same calls the other way round it succeeds.
# Surprise: The mode compares without an order ('strict' is the one with), so the order of the same calls should not
#   change the score.
# Seen (reference: refund order 1, refund order 1 with amount 5):
#   called with amount, then without: False
#   called without amount, then with: True
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check agentevals==0.0.9 langchain-core==1.8.3
venv/bin/python - <<'PY'
import json

from agentevals.trajectory.match import create_trajectory_match_evaluator


def calling(*calls):
    made = [
        {"id": str(n), "type": "function", "function": {"name": "refund", "arguments": json.dumps(args)}}
        for n, args in enumerate(calls)
    ]
    return [{"role": "user", "content": "Refund it."}, {"role": "assistant", "content": "", "tool_calls": made}]


loose, full = {"order": 1}, {"order": 1, "amount": 5}
evaluate = create_trajectory_match_evaluator(trajectory_match_mode="superset", tool_args_match_mode="superset")
reference = calling(loose, full)
one = evaluate(outputs=calling(full, loose), reference_outputs=reference)["score"]
other = evaluate(outputs=calling(loose, full), reference_outputs=reference)["score"]
print("called with amount, then without:", one)
print("called without amount, then with:", other)
if (one, other) != (False, True):
    raise SystemExit("changed: the order does not matter")
PY
