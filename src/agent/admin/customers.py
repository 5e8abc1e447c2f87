"""`desk customers`: all that is kept on a customer, handed out or erased. On the ledger, and on the platform's threads
by the server's API, as the service account. What is read and erased is in `customer_export` and `erasure`.
"""

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import structlog
import typer
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError
from sqlalchemy.orm import Session

from agent.admin import erasure
from agent.admin.customer_export import conversations, ledger_sections, threads_on_platform
from agent.admin.error_messages import in_one_line
from agent.admin.forgotten import Forgotten
from agent.admin.kept_threads import erase_kept
from agent.approvals.trail import BrokenTrailError, Trail
from agent.client.connection import DeskError, ExitCode, check_address, explained
from agent.client.show import Screen, plain, table
from agent.files import keep_private
from agent.ledger import schema
from agent.ledger.compaction import compact
from agent.ledger.database import Database, emit_once_committed, utc_now
from agent.ledger.statements import table_of
from agent.ledger.tables import ConversationRow, CustomerRow
from agent.platform import service_client
from agent.settings import Settings, settings
from agent.shop import SHOP
from agent.tokens import TokensError

T = TypeVar("T")

customers_app = typer.Typer(no_args_is_help=True, help="All that is kept on a customer: hand it out, or erase it.")

CustomerId = Annotated[str, typer.Argument(metavar="ID", help="Of the customer.")]
Url = Annotated[str | None, typer.Option(envvar="DESK_URL", help="The server, for the threads.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

TRIES: Final = 20
"""How often a thread that is at work is tried to be erased, half a second apart."""


@customers_app.command()
def export(
    customer_id: CustomerId,
    file: Annotated[Path, typer.Argument(help="Where it is written to, for you alone to read.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Write all that is kept on a customer into FILE, as JSON: complete, or not at all."""
    screen = Screen(as_json=as_json)
    with _at_work(url) as (config, database):
        if file.exists() and not force:
            raise DeskError(f"{file} is there already: give another name, or --force", ExitCode.USAGE)
        with database.reading() as session:
            _known(session, customer_id)
            threads = erasure.threads_of(session, customer_id)
            sections = ledger_sections(session, customer_id, threads)

        async def said(client: LangGraphClient) -> list[dict[str, Any]]:
            return await conversations(client, threads | await threads_on_platform(client, customer_id))

        now = database.clock()
        document = {"exported_at": now.isoformat(), "currency": SHOP.currency, **sections}
        document["conversations"] = _ask_platform(config, said)
        _write(file, json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")
        with database.writing() as session:
            erasure.record(session, "ExportCustomer", customer_id, _whoever(), now)
            emit_once_committed(session, "customer.exported", customer_id=customer_id)
    counts = {name: len(rows) for name, rows in document.items() if isinstance(rows, list)}
    screen.document({"file": str(file), "customer_id": customer_id, "sections": counts})
    screen.print(plain(f"{file}: " + ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items() if n)))


@customers_app.command()
def forget(
    customer_id: CustomerId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, for scripts.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Erase what is personal of a customer. Orders' numbers, amounts and the approval trail stay. For good.

    It may be cut at any point, and be given again. Refused as long as something of theirs is open.
    """
    screen = Screen(as_json=as_json)
    with _at_work(url) as (config, database):
        with database.reading() as session:
            customer = _known(session, customer_id)
            was_before, left = customer.forgotten_at, erasure.gift_cards_left(session, customer_id)
            _check_free(screen, session, customer_id)
            threads = erasure.threads_of(session, customer_id)
        _ask_platform(config, lambda client: threads_on_platform(client, customer_id))  # before anything is erased
        if not was_before:
            for card, amount in left.items():
                screen.progress(f"{SHOP.money(amount)} on gift card {card} is given up with it")
            _confirm(customer_id, sure=yes)
        forgotten = Forgotten(config.data_dir)
        forgotten.read()  # one that can't be read is found before anything is erased
        _erase(screen, database, Trail.of(config), customer_id)
        forgotten.add(customer_id, database.clock())
        gone = _ask_platform(config, lambda client: _delete(client, customer_id, threads))
        with database.writing() as session:
            session.execute(table_of(ConversationRow).delete().where(ConversationRow.customer_id == customer_id))
        compact(config.ledger_url)
        erase_kept(config.threads_file, customer_id, threads)
    screen.document({"customer_id": customer_id, "threads": gone, "gift_cards": left, "again": bool(was_before)})
    if config.environment == "development":
        screen.progress("`langgraph dev` keeps states of deleted threads in .langgraph_api: stop it, and remove that")
    token = f"desk tokens revoke {customer_id}"
    screen.print(plain(f"{customer_id} is forgotten, with {gone} threads. If they have a token: {token}"))


def _erase(screen: Screen, database: Database, trail: Trail, customer_id: str) -> None:
    try:
        with database.writing() as session:
            _check_free(screen, session, customer_id)  # meanwhile
            erasure.erase(session, trail, customer_id, _whoever(), database.clock())
    except BrokenTrailError as error:
        raise DeskError(
            f"a request of theirs can't be proved ({error}), so it is evidence, and nothing was erased: "
            "`desk audit verify` names it. Is TRAIL_KEY the server's?",
            ExitCode.REFUSED,
        ) from error


async def _delete(client: LangGraphClient, customer_id: str, known: set[str]) -> int:
    """Delete a customer's threads with their checkpoints; how many there were. Those that are gone are no failure."""
    deleted = 0
    for thread_id in sorted(known | await threads_on_platform(client, customer_id)):
        for _ in range(TRIES):
            try:
                if (await client.threads.get(thread_id))["status"] == "busy":
                    await asyncio.sleep(0.5)
                    continue
                await client.threads.delete(thread_id)
            except NotFoundError:
                break
            deleted += 1
            break
        else:
            raise DeskError(f"thread {thread_id} is at work and stays so: give the command again", ExitCode.REFUSED)
    return deleted


def _known(session: Session, customer_id: str) -> CustomerRow:
    customer = session.get(CustomerRow, customer_id)
    if customer is None:
        raise DeskError(f"the ledger knows no customer {customer_id}", ExitCode.NOT_FOUND)
    return customer


def _check_free(screen: Screen, session: Session, customer_id: str) -> None:
    if found := erasure.obstacles(session, customer_id):
        screen.document({"customer_id": customer_id, "first": [{"what": it.what, "how": it.how} for it in found]})
        screen.print(table(["must end first", "how"], ((it.what, it.how) for it in found)))
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise DeskError(f"{customer_id} can't be forgotten yet: {found[0].what}{more}", ExitCode.REFUSED)


def _confirm(customer_id: str, *, sure: bool) -> None:
    if sure:
        return
    if not sys.stdin.isatty():
        raise DeskError("nobody is here to confirm it: give --yes", ExitCode.USAGE)
    if typer.prompt("This is for good. The customer's id, to confirm it", err=True).strip() != customer_id:
        raise DeskError("that is another id: nothing was erased", ExitCode.USAGE)


def _write(file: Path, text: str) -> None:
    """The whole file or none, for its owner alone."""
    made = file.with_name(f".{file.name}.new")
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)
    made.replace(file)


def _ask_platform(config: Settings, question: Callable[[LangGraphClient], Awaitable[T]]) -> T:
    """What the server says to the service account. Raises `DeskError` when it can't be asked."""

    async def asked() -> T:
        async with await service_client(config) as client:
            return await question(client)

    try:
        with explained(config.langgraph_api_url):
            return asyncio.run(asked())
    except TokensError as error:
        raise DeskError(f"nobody to ask the server as: {error}, or set SERVICE_TOKEN", ExitCode.USAGE) from error


@contextmanager
def _at_work(url: str | None) -> Iterator[tuple[Settings, Database]]:
    """The settings, with the server's address, and the ledger; events go to stderr, since stdout has the answer."""
    before = structlog.get_config()
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    config = settings()
    if url:
        check_address(url)
        config = config.model_copy(update={"langgraph_api_url": url})
    try:
        with in_one_line():
            keep_private(config.data_dir)
            schema.check(config.ledger_url)
            database = Database(config.ledger_url, utc_now)
            try:
                yield config, database
            finally:
                database.close_blocking()
    finally:
        structlog.configure(**before)


def _whoever() -> str:
    """Who sits at this machine, as it knows them."""
    return f"desk:{getpass.getuser()}"[:100]
