"""`desk ops`: what an operator sets going by hand."""

from typing import Any, cast

import typer

from agent.client.runs import failed
from agent.client.session import Session, remote
from agent.client.show import table

app = typer.Typer(no_args_is_help=True, help="Operate the desk.")


@app.command()
@remote(default_role="operator")
async def reconcile(session: Session) -> None:
    """Run the reconciler now and show what each of its jobs did."""
    answer = await session.client.runs.wait(None, "reconciler", input={}, raise_error=False)
    values = cast(dict[str, Any], answer)  # a list comes back for batches only
    if "__error__" in values:
        raise failed(values["__error__"])
    report = values["report"]
    session.screen.document(report)
    done = [(job, item, outcome) for job, items in report.items() for item, outcome in items.items()]
    idle = [(job, "", "nothing to do") for job, items in report.items() if not items]
    session.screen.print(table(["job", "item", "outcome"], done + idle))
