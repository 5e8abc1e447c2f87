#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: JsonOutputParser.parse and PydanticOutputParser.parse close open braces and strings themselves, also
#   for a whole answer. What a cut answer has so far of a number is taken for the number.
# Surprise: Partial parsing is expected of streams, where the end is still to come; parse of a final text that is no
#   JSON should raise.
# Seen:
#   meant: {"amount": 1500}, arrived: {"amount": 15
#   JsonOutputParser:     {'amount': 15}
#   PydanticOutputParser: Refund(amount=15)
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3 pydantic==2.14.4
venv/bin/python - <<'PY'
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from pydantic import BaseModel


class Refund(BaseModel):
    amount: int


cut = '{"amount": 15'
print("meant: {\"amount\": 1500}, arrived:", cut)
read = JsonOutputParser().parse(cut), PydanticOutputParser(pydantic_object=Refund).parse(cut)
print("JsonOutputParser:    ", read[0])
print("PydanticOutputParser:", repr(read[1]))
if read != ({"amount": 15}, Refund(amount=15)):
    raise SystemExit("changed: a cut answer is refused")
PY
