#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2
#
# Behaviour: An InMemoryStore with an index on 'notes[*]' keeps the vector of each place in the list. When an item is
#   put again with a shorter list, the vectors of the places that are gone stay, and a search for the deleted note
#   still returns the item as a full match.
# Surprise: put replaces the value, and get shows the new one; one expects a search to go by what is stored. A
#   preference that a customer had removed keeps bringing up the record.
# Seen:
#   before: ['likes tea', 'allergic to nuts'], score for 'allergic to nuts' 1.0
#   after:  ['likes tea'], score for 'allergic to nuts' 1.0
#   put anew after a delete: ['likes tea'], score for 'allergic to nuts' 0.0
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-checkpoint==4.3.2 numpy==2.4.6
venv/bin/python - <<'PY'
from langgraph.store.memory import InMemoryStore

vectors = {"likes tea": [1.0, 0.0], "allergic to nuts": [0.0, 1.0]}
index = {"dims": 2, "embed": lambda texts: [vectors[text] for text in texts], "fields": ["notes[*]"]}
store = InMemoryStore(index=index)


def found():
    item = store.search(("customers",), query="allergic to nuts")[0]
    return item.value["notes"], round(item.score, 2)


store.put(("customers",), "ann", {"notes": ["likes tea", "allergic to nuts"]})
before = found()
store.put(("customers",), "ann", {"notes": ["likes tea"]})
after = found()
store.delete(("customers",), "ann")
store.put(("customers",), "ann", {"notes": ["likes tea"]})
anew = found()
for label, (notes, score) in (("before:", before), ("after: ", after), ("put anew after a delete:", anew)):
    print(f"{label} {notes}, score for 'allergic to nuts' {score}")
if (before[1], after[1], anew[1]) != (1.0, 1.0, 0.0):
    raise SystemExit("changed: a deleted text is no longer found")
PY
