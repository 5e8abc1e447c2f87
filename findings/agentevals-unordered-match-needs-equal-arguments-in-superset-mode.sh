#!/usr/bin/env bash
# agentevals 0.0.9
#
# Behaviour: With trajectory_match_mode 'unordered', tool_args_match_mode 'superset' and 'subset' both ask for equal
#   arguments: the comparison is made both ways, and the arguments change sides with it. With 'subset' trajectories
#   the two argument modes are exchanged.
# Surprise: The argument mode says how one call is compared with its reference; the other mode says which calls must
#   be there. The looser of two settings makes the test as strict as 'exact'.
# Seen (called with order and amount, reference with order only):
#   strict:    superset True, subset False
#   superset:  superset True, subset False
#   unordered: superset False, subset False
#   subset:    superset False, subset True
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check agentevals==0.0.9 langchain-core==1.8.3
venv/bin/python - <<'PY'
import json

from agentevals.trajectory.match import create_trajectory_match_evaluator


def calling(**args):
    function = {"name": "refund", "arguments": json.dumps(args)}
    call = {"id": "1", "type": "function", "function": function}
    return [{"role": "user", "content": "Refund it."}, {"role": "assistant", "content": "", "tool_calls": [call]}]


scores = {}
for trajectory in ("strict", "superset", "unordered", "subset"):
    for args in ("superset", "subset"):
        evaluate = create_trajectory_match_evaluator(trajectory_match_mode=trajectory, tool_args_match_mode=args)
        result = evaluate(outputs=calling(order=1, amount=5), reference_outputs=calling(order=1))
        scores[trajectory, args] = result["score"]
    print(f"{trajectory + ':':10} superset {scores[trajectory, 'superset']}, subset {scores[trajectory, 'subset']}")
if scores["unordered", "superset"] or scores["subset", "superset"] or not scores["subset", "subset"]:
    raise SystemExit("changed: the argument mode holds in every trajectory mode")
PY
