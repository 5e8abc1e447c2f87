#!/usr/bin/env bash
# standardwebhooks 1.1.0
#
# Behaviour: A secret in URL-safe base64 is taken without a word: its `-` and `_` are dropped, and what is left is decoded
#   to another, shorter key. A misspelt secret is taken likewise, as long as the number of characters that are left fits.
# Surprise: One expects an error for what is no base64, as there is for a wrong length. Both ends start, and every
#   signature of the other end is refused.
# Seen:
#   the same 24 bytes in base64 and in URL-safe base64 sign alike: False
#   an error for the URL-safe one: False
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check standardwebhooks==1.1.0
venv/bin/python - <<'PY'
import base64
from datetime import datetime, timezone

from standardwebhooks import Webhook

key = bytes(range(240, 252)) + bytes([251, 255, 191] * 2) + b"a" * 6
plain, safe = (f"whsec_{encode(key).decode()}" for encode in (base64.b64encode, base64.urlsafe_b64encode))
at = datetime(2026, 1, 1, tzinfo=timezone.utc)
try:
    alike, error = Webhook(plain).sign("m", at, "{}") == Webhook(safe).sign("m", at, "{}"), False
except Exception:
    alike, error = False, True
print("the same 24 bytes in base64 and in URL-safe base64 sign alike:", alike)
print("an error for the URL-safe one:", error)
if alike or error:
    raise SystemExit("changed: a URL-safe secret is read, or refused")
PY
