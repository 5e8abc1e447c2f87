"""`desk eval`: what it runs, what it leaves alone, and when it fails."""

from pathlib import Path

import pytest

from agent.assistant.models import Understanding
from agent.client.connection import ExitCode
from agent.evaluation.conversations import load, own_file
from agent.evaluation.playing import settings_for, stage
from agent.settings import Settings
from agent.shop import SHOP
from tests.support.desk import Desk
from tests.support.openai_stub import OpenAIStub, understands

CANCELLED = "cancel, the reason at once"
"""A conversation of both shops, in which an order is cancelled."""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file of one's own, for an order of the shop's; the desk cancels it without being asked to."""
    story = next(each for each in load(own_file()) if each.name == CANCELLED)
    file = tmp_path / "own.yaml"
    file.write_text(
        f"- {{name: one, customer: {story.customer}, turns: [{{says: '{story.turns[0].says}'}}, {{says: 'yes'}}]}}"
    )
    return file


def test_a_run_says_how_good_the_desk_is_and_leaves_the_shop_of_the_server_alone(desk: Desk, tmp_path: Path) -> None:
    result = desk("eval", "--only", CANCELLED, "--json")
    assert (result.code, result.err) == (0, "")
    found = result.document
    assert (found["shop"], found["responder"], found["conversations"], found["turns"]) == (SHOP.name, "embedded", 1, 2)
    assert {measure: each["percent"] for measure, each in found["accuracy"].items()} == dict.fromkeys(
        ("topics", "slots", "actions", "questions", "person"), 100.0
    )
    assert (found["unsafe"], found["wrong"], found["model_calls_a_turn"]) == (0, [], 0)
    assert 0 < found["turn_seconds"]["p50"] <= found["turn_seconds"]["p95"]
    assert not (tmp_path / "data").exists()


async def test_each_conversation_finds_the_shop_as_it_was_seeded() -> None:
    story = next(each for each in load(own_file()) if each.name == CANCELLED)
    async with stage(Settings(), None) as made:
        came = [await made.play(story), await made.play(story)]
    assert [[turn.done for turn in turns] for turns in came] == [[(), ("CancelOrder",)]] * 2
    assert came[0][0].proposed == came[1][0].proposed


def test_an_unsafe_action_fails_the_run_and_is_shown_first(desk: Desk, own: Path) -> None:
    result = desk("eval", own)
    assert result.code == ExitCode.REFUSED
    assert "unsafe actions" in result.err.splitlines()[-1]
    shown = result.out.split("turns that went wrong")[1]
    assert "proposed cancel_order" in shown
    assert "did CancelOrder" in shown


def test_a_run_below_the_floor_fails(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        f"- {{name: one, customer: {load(own_file())[0].customer}, turns: [{{says: hi, topics: abilities}}]}}"
    )
    assert desk("eval", file, "--json").code == 0
    below = desk("eval", file, "--floor", "80", "--json")
    assert (below.code, below.error["error"]) == (ExitCode.REFUSED, "0.0 % is less than 80 %")
    assert below.document["wrong"][0]["expected"] == {"topics": [{"names": ["abilities"]}]}


def test_with_a_model_the_model_is_asked_and_nothing_else_of_the_settings_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIStub([understands(Understanding(act="small_talk"))]) as stub:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", stub.url)
        result = desk("eval", "--model", "scripted", "--only", "small talk", "--json")
        by_rules = desk("eval", "--only", "small talk", "--json")
    assert (result.code, result.document["responder"]) == (0, "scripted")
    assert {request["model"] for request in stub.requests} == {"scripted"}
    assert len(stub.requests) >= 1
    assert by_rules.document["responder"] == "embedded"


def test_of_the_settings_of_a_server_only_those_of_models_reach_a_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "NOTICE_WEBHOOK_URL", "SERVICE_TOKEN", "PAYMENT_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("MODEL_TIMEOUT_SECONDS", "7")
    made = settings_for(Settings(), tmp_path, "scripted")
    assert (made.model, made.model_timeout_seconds, made.data_dir) == ("scripted", 7, tmp_path)
    assert (made.database_url, made.notice_webhook_url, made.payment_url, made.redis_url) == ("", "", "", "")
    assert not made.service_token.get_secret_value()
    assert settings_for(Settings(), tmp_path, None).openai_api_key is None


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--model", "gpt"), ExitCode.USAGE, "to ask gpt, set OPENAI_API_KEY"),
        (("--langsmith",), ExitCode.USAGE, "set LANGSMITH_API_KEY"),
        (("--only", "nothing is called so"), ExitCode.NOT_FOUND, "no conversation is called 'nothing is called so'"),
        (("--floor", "101"), ExitCode.USAGE, "--floor"),
        (("--shop", "/nowhere"), ExitCode.USAGE, "nowhere"),
        (("no-such-file.yaml",), ExitCode.USAGE, "no-such-file.yaml: No such file"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(
    desk: Desk, arguments: tuple[str, ...], code: ExitCode, says: str
) -> None:
    result = desk("eval", *arguments)
    assert (result.code, result.out) == (code, "")
    assert len(result.err.splitlines()) == 1
    assert says in result.err


def test_a_customer_whom_the_shop_does_not_have_is_named(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("- {name: one, customer: zoe, turns: [{says: hi}]}")
    result = desk("eval", file)
    assert (result.code, result.out) == (ExitCode.USAGE, "")
    assert "one: the shop has no customer 'zoe'" in result.err


def test_conversations_of_ones_own_do_not_go_to_langsmith(
    desk: Desk, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_test")
    result = desk("eval", own, "--langsmith")
    assert result.code == ExitCode.USAGE
    assert "only the conversations that come with a demo shop" in result.err
