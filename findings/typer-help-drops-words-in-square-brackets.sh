#!/usr/bin/env bash
# typer 0.29.2 (with rich)
#
# Behaviour: In help texts and docstrings a word in square brackets is read as markup and is gone from the output;
#   one with a leading slash, such as [/orders], makes --help raise MarkupError.
# Surprise: Brackets are how usage texts have always marked what is optional, and nothing was said about markup.
# Seen:
#   'Take an order [id] on.' is shown as 'Take an order  on.'
#   'Take from [/orders].' is shown as 'MarkupError'
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check typer==0.29.2
venv/bin/python - <<'PY'
import typer
from typer.testing import CliRunner


def help_of(text):
    app = typer.Typer()

    @app.command(help=text)
    def main():
        pass

    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"})
    if result.exception and result.exit_code:
        return type(result.exception).__name__
    return next(line.strip() for line in result.output.splitlines() if "Take" in line)


texts = "Take an order [id] on.", "Take from [/orders]."
shown = [help_of(text) for text in texts]
for text, output in zip(texts, shown):
    print(f"{text!r} is shown as {output!r}")
if shown != ["Take an order  on.", "MarkupError"]:
    raise SystemExit("changed: brackets are text")
PY
