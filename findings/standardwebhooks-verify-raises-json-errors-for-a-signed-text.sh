#!/usr/bin/env bash
# standardwebhooks 1.1.0
#
# Behaviour: Webhook.verify parses the payload as JSON after checking the signature. A correctly signed payload that
#   is no JSON raises JSONDecodeError; NaN comes back as a float.
# Surprise: The standard signs any body, and the sender's side, sign(), takes any text; a handler that catches
#   WebhookVerificationError answers 500 to a message that is genuine.
# Seen:
#   {"paid": 1} -> {'paid': 1}
#   NaN -> nan
#   paid=1 -> JSONDecodeError
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check standardwebhooks==1.1.0
venv/bin/python - <<'PY'
import base64
import json
from datetime import datetime, timezone

from standardwebhooks import Webhook

webhook = Webhook(base64.b64encode(b"k" * 24).decode())
now = datetime.now(timezone.utc)


def verify(body):
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": webhook.sign("m1", now, body),
    }
    try:
        return webhook.verify(body, headers)
    except json.JSONDecodeError as error:
        return type(error).__name__


read = {body: verify(body) for body in ('{"paid": 1}', "NaN", "paid=1")}
for body, value in read.items():
    print(body, "->", value)
if read["paid=1"] != "JSONDecodeError" or read["NaN"] == read["NaN"]:
    raise SystemExit("changed: a genuine text is accepted, or refused by name")
PY
