#!/usr/bin/env bash
# croniter 7.0.0
#
# Behaviour: is_valid('0 0 31 2 *') is True, and the iterator is made; get_next then raises CroniterBadDateError,
#   after a search of fifty years.
# Surprise: One asks is_valid when a schedule is saved so that it can't fail when it is due.
# Seen:
#   '0 0 29 2 *' valid: True, next: 2028-02-29 00:00:00
#   '0 0 31 2 *' valid: True, next: CroniterBadDateError: failed to find next date
#   '0 0 31 4,6,9,11 *' valid: True, next: CroniterBadDateError: failed to find next date
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check croniter==7.0.0
venv/bin/python - <<'PY'
from datetime import datetime

from croniter import CroniterBadDateError, croniter

for expression in ("0 0 29 2 *", "0 0 31 2 *", "0 0 31 4,6,9,11 *"):
    valid = croniter.is_valid(expression)
    try:
        due = croniter(expression, datetime(2026, 1, 1)).get_next(datetime)
    except CroniterBadDateError as error:
        due = f"{type(error).__name__}: {error}"
    print(f"{expression!r} valid: {valid}, next: {due}")
if not valid or isinstance(due, datetime):
    raise SystemExit("changed: it is not valid")
PY
