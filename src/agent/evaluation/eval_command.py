"""`desk eval`: how good the desk is at labelled conversations with a demo shop's customers, and where it went wrong."""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import structlog
import typer

from agent.admin.error_messages import in_one_line
from agent.client.connection import DeskError, ExitCode
from agent.client.show import Screen, facts, table
from agent.settings import Settings, settings

if TYPE_CHECKING:  # they speak for the shop that SHOP_DIR names when they are imported
    from agent.evaluation.conversations import Conversation
    from agent.evaluation.scoring import Report

_LISTED: Final = 20
"""Wrong turns that people are shown; --json has all."""
_EVERY: Final = 10
"""Conversations between two signs of progress."""

eval_app = typer.Typer(
    invoke_without_command=True, subcommand_metavar="", context_settings={"allow_interspersed_args": True}
)


@eval_app.callback()
def evaluate(
    *,
    file: Annotated[Path | None, typer.Argument(help="Conversations of your own; else those of the shop.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Ask this model, by OPENAI_API_KEY.")] = None,
    shop: Annotated[Path | None, typer.Option(metavar="DIR", help="The shop's folder; else SHOP_DIR.")] = None,
    only: Annotated[str, typer.Option(metavar="PATTERN", help="Conversations of such names, as 'cancel*'.")] = "*",
    floor: Annotated[float, typer.Option(min=0, max=100, help="Fail below so many percent of any measure.")] = 0.0,
    langsmith: Annotated[bool, typer.Option("--langsmith", help="Keep it as an experiment in LangSmith.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold labelled conversations with the desk, each on a shop as it was seeded, and say how good it was.

    Nothing of the server's is read or changed. Without --model the embedded responder answers.
    """
    screen = Screen(as_json=as_json)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # events: counted here
    with in_one_line():
        if shop:
            os.environ["SHOP_DIR"] = str(shop)
            settings.cache_clear()
        config = settings()
        _checked(config, model=model, langsmith=langsmith, own=file is not None)
        chosen = _conversations(file, config.shop_dir, only)
        made = asyncio.run(_run(screen, config, chosen, model, langsmith=langsmith))
    screen.document(asdict(made))
    _show(screen, made)
    if made.unsafe:
        raise DeskError(f"{made.unsafe} unsafe actions", ExitCode.REFUSED)
    if made.lowest < floor:
        raise DeskError(f"{made.lowest} % is less than {floor:g} %", ExitCode.REFUSED)


def _checked(config: Settings, *, model: str | None, langsmith: bool, own: bool) -> None:
    if model and config.openai_api_key is None:
        raise DeskError(f"to ask {model}, set OPENAI_API_KEY", ExitCode.USAGE)
    if langsmith and own:
        raise DeskError("only the conversations that come with a demo shop go to LangSmith", ExitCode.USAGE)
    if langsmith and not (os.environ.get("LANGSMITH_API_KEY") or os.environ.get("LANGCHAIN_API_KEY")):
        raise DeskError("to keep it in LangSmith, set LANGSMITH_API_KEY", ExitCode.USAGE)


def _conversations(file: Path | None, folder: Path, only: str) -> "list[Conversation]":
    from agent.evaluation.conversations import load, own_file  # noqa: PLC0415
    from agent.shop import SHOP  # noqa: PLC0415

    if SHOP.folder.resolve() != folder.resolve():
        raise ValueError(f"this process speaks for {SHOP.folder}, not for {folder}")
    of_file = load(file or own_file())
    chosen = [each for each in of_file if fnmatchcase(each.name, only)]
    if not chosen:
        raise DeskError(f"no conversation is called {only!r}", ExitCode.NOT_FOUND)
    return chosen


async def _run(
    screen: Screen, config: Settings, chosen: "Sequence[Conversation]", model: str | None, *, langsmith: bool
) -> "Report":
    from langsmith.utils import LangSmithError  # noqa: PLC0415

    from agent.evaluation.langsmith_experiment import experiment  # noqa: PLC0415
    from agent.evaluation.playing import Came, stage  # noqa: PLC0415
    from agent.evaluation.scoring import report  # noqa: PLC0415

    responder, played = model or "embedded", []
    async with stage(config, model) as made:

        async def play(conversation: "Conversation") -> list[Came]:
            came = await made.play(conversation)
            played.append((conversation, came))
            if len(played) % _EVERY == 0:
                screen.progress(f"{len(played)} of {len(chosen)} conversations")
            return came

        if langsmith:
            try:
                name = await experiment(chosen, responder, play)
            except LangSmithError as error:
                raise DeskError(f"LangSmith: {error}", ExitCode.UNREACHABLE) from error
            screen.progress(f"LangSmith has it as {name}")
        else:
            for conversation in chosen:
                await play(conversation)
    return report(responder, played)


def _show(screen: Screen, made: "Report") -> None:
    from agent.evaluation.scoring import MEANINGS  # noqa: PLC0415

    rows = [
        (measure, f"{sums['percent']} %", f"{sums['right']:g} of {sums['of']:g}", MEANINGS[measure])
        for measure, sums in made.accuracy.items()
    ]
    screen.print(table(["measure", "right", "", "which means"], rows, f"{made.shop}, {made.responder}"))
    screen.print(
        facts(
            [
                ("conversations", f"{made.conversations}, {made.turns} turns, {made.right_turns} of them all right"),
                ("unsafe actions", made.unsafe),
                ("questions a conversation", made.questions_a_conversation),
                ("a turn takes", ", ".join(f"{name} {1000 * one:.0f} ms" for name, one in made.turn_seconds.items())),
                ("model calls a turn", f"{made.model_calls_a_turn}, {made.model_tokens_a_turn} tokens"),
            ]
        )
    )
    if made.wrong:
        first = sorted(made.wrong, key=lambda each: not each["unsafe"])[:_LISTED]
        columns = ["conversation", "turn", "the customer says", "wrong", "expected", "got"]
        screen.print(table(columns, [_row(each) for each in first], "turns that went wrong, unsafe ones first"))
    if len(made.wrong) > _LISTED:
        screen.progress(f"There are {len(made.wrong)} such turns: --json")


def _row(wrong: dict[str, Any]) -> tuple[object, ...]:
    said = "; ".join([*wrong["unsafe"], *wrong["wrong"]])
    return (
        wrong["conversation"], wrong["turn"], wrong["says"], said, _short(wrong["expected"]), _short(wrong["got"]),
    )  # fmt: skip


def _short(labels: dict[str, Any]) -> str:
    """Expectations, or what came, in few words: `proposes cancel_order (order_id W-1002)`."""
    return "; ".join(f"{name} {_value(value)}" for name, value in labels.items()) or "nothing"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value)
    if isinstance(value, dict) and "values" in value:
        names = value.get("name") or "|".join(value["names"])
        said = {key: each for key, each in value["values"].items() if key != "text"}
        return f"{names} ({_value(said)})" if said else names
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items())
    return str(value)
