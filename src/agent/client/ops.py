"""`desk ops`: what an operator looks at, and sets going by hand."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, cast
from urllib.parse import quote, urlencode

import typer

from agent.client.connection import DeskError, ExitCode, sending
from agent.client.runs import failed
from agent.client.session import Session, remote
from agent.client.show import duration, plain, table
from agent.money import format_money

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
    if broken := [f"{job} ({items['failed']})" for job, items in report.items() if _has_failed(items)]:
        raise DeskError(
            f"{len(broken)} of the reconciler's jobs failed: {', '.join(broken)}; the next run tries again. "
            "See the server's log",
            ExitCode.OTHER,
        )


@app.command()
@remote(default_role="operator")
async def compare(
    session: Session, days: Annotated[int, typer.Option(min=1, max=366, help="How far to look back.")] = 7
) -> None:
    """Hold the ledger against its payment providers, both ways, as after a restore; each difference has a ticket."""
    told = await session.client.http.post(f"/ops/compare?days={days}", json=None)
    session.screen.document(told)
    found = told["differences"]
    columns = ["difference", "provider", "key", "amount", "order", "what can be done"]
    rows = (
        (
            each["kind"],
            each["provider"],
            each["key"],
            format_money(each["amount"], each["currency"]),
            each["order_id"] or "",
            each["what_to_do"],
        )
        for each in found
    )
    if found:
        session.screen.print(table(columns, rows))
        raise DeskError(f"{len(found)} differences between ledger and providers; each has a ticket", ExitCode.REFUSED)
    session.screen.print(plain(f"Ledger and providers agree on the last {days} days."))


def _has_failed(items: dict[str, str]) -> bool:
    """Whether a job reports its own failure, by an error's name; what came of an order called `failed` is words."""
    return list(items) == ["failed"] and items["failed"].isidentifier()


@app.command()
@remote(default_role="operator")
async def status(session: Session) -> None:
    """Say what is wrong, since when and what to do; then how the shop stands."""
    told = await session.client.http.get("/ops/overview")
    session.screen.document(told)
    now, wrong = datetime.fromisoformat(told["at"]), told["wrong"]
    rows = ((each["what"], _ago(each["since"], now), each["do"], each["docs"]) for each in wrong)
    session.screen.print(table(["wrong", "for", "to do", "see"], rows) if wrong else plain("Nothing is wrong."))
    if told["ledger"]:
        session.screen.print(table(["list", "of", "how many", "late", "oldest"], _numbers(told["ledger"], now)))
    if wrong:
        raise DeskError(f"{len(wrong)} {'thing is' if len(wrong) == 1 else 'things are'} wrong", ExitCode.OTHER)


def _numbers(ledger: dict[str, Any], now: datetime) -> Iterator[tuple[object, ...]]:
    """The numbers of `/ops/overview` that are not 0, named as `desk ops list` takes them."""
    groups = {"orders": "stages", "debts": "debts", "requests": "requests", "tickets": "tickets"}
    for name, key in groups.items():
        for of, some in ledger[key].items():
            if some["count"]:
                yield name, of, some["count"], some.get("late") or "", _ago(some["since"], now)
    for name in ("unknown", "undelivered"):
        if ledger[name]["count"]:
            yield name, "", ledger[name]["count"], "", _ago(ledger[name]["since"], now)
    if ledger["quarantined"]:
        yield "quarantine", "", ledger["quarantined"], "", ""
    for stage, count in ledger["hour"]["ended"].items():
        yield "ended", stage, count, "", "last hour"
    for each in ledger["hour"]["payments"]:
        yield "payments", f"{each['provider']}:{each['outcome']}", each["count"], "", "last hour"


def _ago(since: str | None, now: datetime) -> str:
    return duration(max(0.0, (now - datetime.fromisoformat(since)).total_seconds())) if since else ""


@app.command("list")
@remote(default_role="operator")
async def list_(
    session: Session,
    name: Annotated[str, typer.Argument(help="As `desk ops status` names it: orders, payments, debts, requests …")],
    of: Annotated[str, typer.Argument(metavar="[OF]", help="Of which stage, provider:outcome, kind or role.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="How many of the first to leave out.")] = 0,
) -> None:
    """List the orders behind a number of `desk ops status`."""
    query = urlencode({"of": of, "limit": limit, "offset": offset})
    found = await session.client.http.get(f"/ops/lists/{quote(name, safe='')}?{query}")
    lines = found["lines"]
    session.screen.document(lines)
    columns = ["at (UTC)", "order", "it is", "also"]
    rows = ((each["at"][:19], each["order_id"] or "", each["says"], _also(each)) for each in lines)
    session.screen.print(table(columns, rows) if lines else plain("There is none.", "dim"))
    if found["more"]:
        session.screen.more(len(lines), f"--offset {offset + limit}")


def _also(line: dict[str, Any]) -> str:
    return line["request_id"] or line["ticket_id"] or line["thread_id"] or ""


class Action(StrEnum):
    """What an operator can do to a breaker."""

    FORCE_OPEN = "force-open"
    RESET = "reset"


@app.command()
@remote(default_role="operator")
async def breakers(
    session: Session,
    action: Annotated[
        Action | None, typer.Argument(help="force-open: refuse every call until a reset. reset: close it.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of the breaker.")] = None,
) -> None:
    """Show how each dependency stands; or force a breaker open, or reset it."""
    if action and not name:
        raise DeskError(f"name the breaker: desk ops breakers {action} NAME", ExitCode.USAGE)
    if action:
        with sending(session.url, "`desk ops breakers` shows how it stands"):
            told = await session.client.http.post(f"/ops/breakers/{quote(name or '', safe='')}/{action}", json=None)
    else:
        told = await session.client.http.get("/ops/breakers")
    session.screen.document(told)
    columns = ["breaker", "state", "for", "why", "next probe", "last errors"]
    session.screen.print(table(columns, map(_breaker, told["breakers"])), _STORE[told["shared"]])


_STORE = {
    None: "Each worker learns for itself, and this is the one that answered: with REDIS_URL they act as one.",
    True: "Shared by all workers; the last errors are those of the worker that answered.",
    False: "The store does not answer: until it does each worker learns for itself, and this is the one that answered.",
}


def _breaker(told: dict[str, Any]) -> tuple[str, ...]:
    probe = told["next_probe_in"]
    errors = (
        f"{kind}: {last['error']} {duration(last['seconds_ago'])} ago" for kind, last in told["last_errors"].items()
    )
    return (
        told["name"],
        told["state"].replace("_", " "),
        duration(told["for_seconds"]),
        told["why"] or "",
        "" if probe is None else "with the next call" if probe == 0 else f"in {duration(probe)}",
        ", ".join(errors),
    )
