#!/usr/bin/env bash
# langchain-core 1.8.3 (Python) and @langchain/core 1.4.0 (JavaScript, Node 20)
#
# Behaviour: A prompt template in the mustache format writes &amp; and &quot; for the signs of a value in Python. The
#   same template in JavaScript writes the value as it is.
# Surprise: The format is offered so that both languages and the prompt hub can share a template; a prompt is no page
#   of HTML, and a model that repeats the customer's name repeats the &amp;.
# Seen:
#   Python:     Dear Marks &amp; Spencer &quot;Food&quot;
#   JavaScript: Dear Marks & Spencer "Food"
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3
venv/bin/python - <<'PY'
from langchain_core.prompts import ChatPromptTemplate

prompt = ChatPromptTemplate.from_messages([("human", "Dear {{name}}")], template_format="mustache")
with open("python.txt", "w") as file:
    file.write(prompt.invoke({"name": 'Marks & Spencer "Food"'}).messages[0].content)
PY
npm install --silent --no-audit --no-fund @langchain/core@1.4.0 >/dev/null
cat >prompt.mjs <<'JS'
import { ChatPromptTemplate } from "@langchain/core/prompts";

const prompt = ChatPromptTemplate.fromMessages([["human", "Dear {{name}}"]], { templateFormat: "mustache" });
process.stdout.write((await prompt.invoke({ name: 'Marks & Spencer "Food"' })).messages[0].content);
JS
node prompt.mjs >javascript.txt
echo "Python:     $(cat python.txt)"
echo "JavaScript: $(cat javascript.txt)"
if cmp -s python.txt javascript.txt; then
    echo "changed: both write the same" >&2
    exit 1
fi
