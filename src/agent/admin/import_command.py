"""`desk import`: loads a shop from a JSON document into an empty ledger. The format is `commerce.shop`."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.text import Text

from agent.admin.error_messages import in_one_line
from agent.admin.forgotten import Forgotten
from agent.client.connection import DeskError, ExitCode
from agent.client.show import Screen
from agent.commerce.shop_document import Shop
from agent.commerce.shop_import import NotEmptyError, import_shop
from agent.services import build
from agent.settings import settings

import_app = typer.Typer(
    invoke_without_command=True, subcommand_metavar="", context_settings={"allow_interspersed_args": True}
)


@import_app.callback()
def import_file(
    file: Annotated[Path | None, typer.Argument(help="The shop, as JSON.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the format as a JSON schema.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Take in customers who were forgotten here as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Load a shop into an empty ledger: products, customers, payment methods and past orders. All of it, or nothing."""
    if schema:
        typer.echo(json.dumps(Shop.model_json_schema(), indent=2))
        return
    if file is None:
        raise DeskError("which file? `desk import FILE`, or `desk import --schema`", ExitCode.USAGE)
    screen = Screen(as_json=as_json)
    with in_one_line():
        shop = _read(file, screen)
        forgotten = Forgotten(settings().data_dir)
        back = sorted({customer.id for customer in shop.customers} & forgotten.read().keys())
        if back and not again:
            raise DeskError(
                f"{file} is refused: these customers were forgotten: {', '.join(back)}; take them out, or give --again "
                "if they are customers anew",
                ExitCode.REFUSED,
            )
        screen.progress(f"importing {len(shop.orders)} orders of {len(shop.customers)} customers")
        asyncio.run(_load(shop))
        if back:
            forgotten.remove(back)
    counts = {"products": len(shop.products), "customers": len(shop.customers), "orders": len(shop.orders)}
    screen.document({"file": str(file)} | counts)
    screen.print(Text(f"{file}: " + ", ".join(f"{n} {what}" for what, n in counts.items())))


def _read(file: Path, screen: Screen) -> Shop:
    text = file.read_bytes()
    try:
        return Shop.model_validate_json(text)
    except ValidationError as wrong:
        problems = [
            {"place": _place(error["loc"]), "reason": error["msg"].removeprefix("Value error, ")}
            for error in wrong.errors(include_url=False, include_input=False, include_context=False)
        ]
    screen.document({"file": str(file), "problems": problems})
    first, *more = problems
    others = f" (and {len(more)} more: --json lists them)" if more else ""
    raise DeskError(f"{file} is refused: {first['place']}: {first['reason']}{others}", ExitCode.REFUSED)


def _place(loc: Sequence[int | str]) -> str:
    """`customers[3].email`"""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return path.removeprefix(".") or "the shop"


async def _load(shop: Shop) -> None:
    config = settings().model_copy(update={"seed_shop": False})
    services = await build(config)
    try:
        _somebody_takes(shop, {provider.name for provider in services.providers.payments})
        tried_out = config.payment_provider == "sandbox"
        provider = services.providers.past if tried_out else services.providers.payments[0]
        await import_shop(services.database, provider, shop, pay_again=tried_out)
    except NotEmptyError as error:
        raise DeskError(str(error), ExitCode.REFUSED) from error
    finally:
        await services.close()


def _somebody_takes(shop: Shop, providers: set[str]) -> None:
    """Refuses methods with tokens of none of the providers that the settings name."""
    for customer in shop.customers:
        for method in customer.payment_methods:
            if isinstance(method.token, dict) and not providers & method.token.keys():
                place = f"the payment method {method.id!r} of {customer.id!r}"
                names = " or ".join(sorted(providers))
                raise DeskError(f"{place} has no token of {names}, who take the money here", ExitCode.REFUSED)
