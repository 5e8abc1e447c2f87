#!/usr/bin/env bash
# word2number 1.1
#
# Behaviour: word_to_num('2 thousand') is 1000 and '2.5 million' is 1000000: figures before a word are dropped. 'five
#   hundred or six hundred' is 606.
# Surprise: A text of figures alone is taken for its number, and a text without a number word is refused with an
#   error; a mixture, which is how people write amounts, is neither, and gives another amount.
# Seen:
#   2: 2
#   two thousand: 2000
#   2 thousand: 1000
#   2.5 million: 1000000
#   five hundred or six hundred: 606
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check word2number==1.1
venv/bin/python - <<'PY'
from word2number.w2n import word_to_num

seen = {}
for text in ("2", "two thousand", "2 thousand", "2.5 million", "five hundred or six hundred"):
    seen[text] = word_to_num(text)
    print(f"{text}: {seen[text]}")
if (seen["2"], seen["2 thousand"], seen["2.5 million"]) != (2, 1000, 1000000):
    raise SystemExit("changed: the figures count, or are refused")
PY
