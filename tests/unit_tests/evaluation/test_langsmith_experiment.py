"""`desk eval --langsmith`: the conversations as a dataset, and a run over them as an experiment, over real HTTP."""

import json

import pytest

from agent.client.connection import ExitCode
from agent.evaluation.conversations import load, own_file
from agent.shop import SHOP
from tests.support.desk import Desk
from tests.support.serving import free_port
from tests.unit_tests.evaluation.langsmith_sink import LangSmithSink

ONE, TWO = "small talk", "abilities"
NAME = f"desk-eval-{SHOP.folder.name}"


def test_the_dataset_is_made_once_and_each_run_is_an_experiment_with_our_measures(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_test")
    with LangSmithSink() as sink:
        monkeypatch.setenv("LANGSMITH_ENDPOINT", sink.url)
        first = desk("eval", "--only", ONE, "--langsmith", "--json")
        again = desk("eval", "--only", ONE, "--langsmith", "--json")
        other = desk("eval", "--only", TWO, "--langsmith", "--json")
    assert [run.code for run in (first, again, other)] == [0, 0, 0]
    assert first.document["accuracy"]["topics"]["percent"] == 100.0
    assert list(sink.datasets) == [NAME]
    assert sorted(each["inputs"]["name"] for each in sink.examples.values()) == sorted([ONE, TWO])
    story = next(each for each in load(own_file()) if each.name == ONE)
    [example] = [each for each in sink.examples.values() if each["inputs"]["name"] == ONE]
    assert example["inputs"]["turns"] == [turn.says for turn in story.turns]
    assert [turn["topics"] for turn in example["outputs"]["turns"]] == [[]] * len(story.turns)
    assert len(sink.experiments) == 3
    assert {each["reference_dataset_id"] for each in sink.experiments} == {sink.datasets[NAME]["id"]}
    assert sink.scores("topics") == sink.scores("actions") == sink.scores("person") == [1.0] * 3
    assert sink.scores("unsafe") == [0] * 3
    assert story.turns[0].says.encode() in sink.runs  # the graph's own runs are traced
    assert sink.keys == {"lsv2_test"}


def test_who_committed_last_is_not_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_test")
    with LangSmithSink() as sink:
        monkeypatch.setenv("LANGSMITH_ENDPOINT", sink.url)
        assert desk("eval", "--only", TWO, "--langsmith", "--json").code == 0
    said = json.dumps([sink.experiments, sink.examples, sink.datasets]) + sink.runs.decode(errors="replace")
    assert "author_" not in said


def test_a_langsmith_that_is_away_is_said_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_test")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    result = desk("eval", "--only", TWO, "--langsmith", "--json")
    assert (result.code, result.out) == (ExitCode.UNREACHABLE, "")
    assert json.loads(result.err.splitlines()[-1])["error"].startswith("LangSmith: ")
