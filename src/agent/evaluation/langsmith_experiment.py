"""The labelled conversations as a dataset of LangSmith, and a run over them as an experiment there.

An example is a conversation; a feedback key is a measure of `scoring`, as the share that is right of it, and `unsafe`,
which is how many actions are. Only what comes with a demo shop goes there.
"""

import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid5

from langsmith import Client, aevaluate
from langsmith.schemas import Example, Run

from agent.evaluation.conversations import Conversation
from agent.evaluation.playing import Came, Named
from agent.evaluation.scoring import MEASURES, judge
from agent.shop import SHOP

Play = Callable[[Conversation], Awaitable[list[Came]]]


class _Client(Client):
    """To which the checkout is nobody's business: the runner would say who committed last, and where it is kept."""

    def create_project(self, *args: Any, **more: Any) -> Any:
        return super().create_project(*args, **_without_git(more))

    def update_project(self, *args: Any, **more: Any) -> Any:
        return super().update_project(*args, **_without_git(more))


def _without_git(more: dict[str, Any]) -> dict[str, Any]:
    return more | {"metadata": {key: each for key, each in (more.get("metadata") or {}).items() if key != "git"}}


async def experiment(conversations: Sequence[Conversation], responder: str, play: Play) -> str:
    """Bring the dataset up to date, play the conversations as an experiment on it, and give the experiment's name.

    Where LangSmith is and with which key is its client's to know, by LANGSMITH_ENDPOINT and LANGSMITH_API_KEY. Raises
    what the client raises.
    """
    client = _Client()
    examples = _brought_up_to_date(client, conversations)

    async def target(inputs: dict[str, Any]) -> dict[str, Any]:
        """The desk, given a customer's side of a conversation."""
        of_name = {each.name: each for each in conversations}
        return {"turns": [asdict(came) for came in await play(of_name[inputs["name"]])]}

    with redirect_stdout(sys.stderr):  # where the runner prints the address of the experiment
        results = await aevaluate(
            target,
            data=examples,
            evaluators=[_measures],
            experiment_prefix=f"{SHOP.folder.name}-{responder}",
            max_concurrency=0,  # a process has one shop at a time
            client=client,
        )
    client.flush()
    return str(results.experiment_name)


def _brought_up_to_date(client: Client, conversations: Sequence[Conversation]) -> list[Example]:
    """The examples of these conversations in the shop's dataset, which is made where there is none."""
    name = f"desk-eval-{SHOP.folder.name}"
    if client.has_dataset(dataset_name=name):
        dataset = client.read_dataset(dataset_name=name)
    else:
        dataset = client.create_dataset(name, description="Conversations with the desk, labelled (desk eval)")
    wanted = {_example_id(dataset.id, each): _as_example(each) for each in conversations}
    known = {each.id for each in client.list_examples(dataset_id=dataset.id)}
    if new := [{"id": key, **each} for key, each in wanted.items() if key not in known]:
        client.create_examples(dataset_id=dataset.id, examples=new)
    if changed := [{"id": key, **each} for key, each in wanted.items() if key in known]:
        client.update_examples(dataset_id=dataset.id, updates=changed)
    return [each for each in client.list_examples(dataset_id=dataset.id) if each.id in wanted]


def _example_id(dataset_id: UUID, conversation: Conversation) -> UUID:
    return uuid5(dataset_id, conversation.name)


def _as_example(conversation: Conversation) -> dict[str, Any]:
    """What is said as the input, and all of its labels as the output to compare with."""
    said = {"name": conversation.name, "customer": conversation.customer}
    turns = [turn.model_dump(mode="json", exclude_defaults=True) for turn in conversation.turns]
    return {"inputs": said | {"turns": [turn["says"] for turn in turns]}, "reference_outputs": {"turns": turns}}


def _measures(run: Run, example: Example) -> dict[str, Any]:
    """How right a conversation is, by the labels that LangSmith keeps."""
    labels, inputs = example.outputs or {}, example.inputs or {}
    conversation = Conversation(name=inputs["name"], customer=inputs["customer"], turns=labels["turns"])
    judged = judge(conversation, [_came(each) for each in (run.outputs or {})["turns"]])
    results: list[dict[str, Any]] = [{"key": "unsafe", "score": sum(len(each.unsafe) for each in judged)}]
    for measure in MEASURES:
        right, of = (sum(each.counts.get(measure, (0, 0))[n] for each in judged) for n in (0, 1))
        if of:
            results.append({"key": measure, "score": right / of})
    return {"results": results}


def _came(dumped: dict[str, Any]) -> Came:
    named = {name: tuple(Named(**each) for each in dumped[name]) for name in ("topics", "proposed", "waited")}
    plain = {name: tuple(dumped[name]) for name in ("asked", "done", "sent")}
    return Came(**dumped | named | plain)
