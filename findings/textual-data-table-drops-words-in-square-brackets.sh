#!/usr/bin/env bash
# textual 8.2.8
#
# Behaviour: A str in a DataTable's cell, or in its header, is read as console markup: a word in brackets is taken
#   for a style and is not shown. add_row takes it without a word.
# Surprise: A table of data is where other people's texts are shown; one expects str to be text there, and markup to
#   be asked for.
# Seen:
#   text:   'left [gift] and bill'
#   header: 'left  and bill'
#   cell:   'left  and bill'
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check textual==8.2.8
venv/bin/python - <<'PY'
import asyncio

from textual.app import App
from textual.widgets import DataTable

NOTE = "left [gift] and bill"


class Table(App):
    def compose(self):
        yield DataTable()

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns(NOTE)
        table.add_row(NOTE)


async def main():
    app = Table()
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        return [app.query_one(DataTable).render_line(y).text.strip() for y in (0, 1)]


header, cell = asyncio.run(main())
print("text:  ", repr(NOTE))
print("header:", repr(header))
print("cell:  ", repr(cell))
if cell != "left  and bill":
    raise SystemExit("changed: cells are text")
PY
