"""What a model may do on one topic of a customer's: look things up, and propose. Both are collected here.

A proposal changes nothing: it is looked into by its capability, rehearsed on the ledger, and joined into the plan that
the customer is asked about. What a model fills in is held against what was said and what was found.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from agent.assistant.tool_loop import Tool
from agent.capabilities import CAPABILITIES
from agent.capabilities.base import Capability, Proposal, Question, Requester
from agent.capabilities.passing_on import TALK_TO_PERSON
from agent.capabilities.readings import READINGS, Reading
from agent.capabilities.wishes import READ, Unfinished, plainly_asked
from agent.commerce.policy import RULES
from agent.commerce.types import Form
from agent.customer_service.grounds import Grounds
from agent.customer_service.state import PlannedAction
from agent.ledger.database import PolicyDenied
from agent.services import Services
from agent.text import first_error

MOST_ACTIONS: Final = 5
"""Changes that may be proposed on one topic."""


class Toolbox:
    """The tools of one topic, and what using them has brought.

    Args:
        customer_id: whose conversation it is; None: nobody known, who sees nothing personal and changes nothing.
        request_type: the topic's; its capabilities are what may be proposed.
        said: all that the customer said, oldest first. The last of it is all that people are ever told as their words.
    """

    def __init__(self, shop: Services, customer_id: str | None, request_type: str, said: Sequence[str]) -> None:
        self._shop = shop
        self._customer_id = customer_id
        self._request_type = request_type
        self._words = said[-1]
        self._grounds = Grounds(said)
        self.facts: list[str] = []
        self.actions: list[PlannedAction] = []
        self.denied: dict[str, tuple[PlannedAction, str]] = {}
        """What would be denied as things are, by capability, and why: another topic may make it possible."""
        self.unfinished: Unfinished | None = None
        self.searched: str | None = None  # by which words articles were found last
        self._answers: dict[str, str] = {}

    @property
    def answers(self) -> list[str]:
        """Why what was proposed can't be, or what is missing for it; not of what could be proposed in the end."""
        return list(dict.fromkeys(self._answers.values()))

    def tools(self) -> list[Tool]:
        """What the model may call."""
        readings = [each for each in READINGS if self._customer_id or not each.personal]
        mine = [each for each in CAPABILITIES if each.command and each.request_type == self._request_type]
        changes = list(dict.fromkeys((*mine, TALK_TO_PERSON))) if self._customer_id else []
        return [
            *(Tool(each.name, f"Look up {each.does}.", each.form, partial(self._read, each)) for each in readings),
            *(
                Tool(f"propose_{each.name}", f"Propose to {each.does}.", each.form, partial(self._propose, each))
                for each in changes
            ),
        ]

    async def _read(self, reading: Reading, form: Form) -> str:
        try:
            facts = await reading.read(self._shop, self._customer_id or "", form)
        except PolicyDenied as denial:
            return denial.sentence
        if reading.general:
            self.searched = form.model_dump().get("words") if facts else None
        else:
            self.facts += [fact for fact in facts if fact not in self.facts]
        if reading.personal:
            self._grounds.add(facts)
        return "\n".join(facts) or "Nothing is found."

    async def _propose(self, capability: Capability, form: Form) -> str:
        try:
            return await self._looked_into(capability, form)
        except PolicyDenied as denial:
            self._answers[capability.name] = self._for_customer(denial, form.model_dump())
            return denial.sentence

    def _for_customer(self, denial: PolicyDenied, given: Mapping[str, Any]) -> str:
        """A denial as the customer hears it: the rule alone, where its detail would quote what a model made up."""
        grounded = self._grounds.are_of(denial.sentence, given)
        return denial.sentence if grounded else RULES.get(denial.rule, "")

    async def _looked_into(self, capability: Capability, form: Form) -> str:
        given = {name: value for name in type(form).model_fields if (value := getattr(form, name)) is not None}
        if unsaid := self._grounds.lacking(given):
            return f"Not proposed: neither the customer nor a fact says {unsaid}."
        if capability.at_once and capability.wants and not plainly_asked(capability, self._words):
            return "Not proposed: this is done at once, and so only in the customer's own plain words."
        if "order_id" in given:
            own = await self._shop.queries.own_order_id(str(self._customer_id), given["order_id"])
            await self._shop.queries.get(own, customer_id=str(self._customer_id))
            self._grounds.add([own])
            given["order_id"] = own
        slots = capability.slots.model_validate({"text": self._words, "symptom": self._words} | given)
        outcome = await capability.propose(self._shop, str(self._customer_id), slots)
        match outcome:
            case Question(slot, text):
                known = {name: given[name] for name in READ if name in given}
                self.unfinished = Unfinished(
                    capability=capability.name, slots={"text": self._words} | known, asked=slot
                )
                self._answers[capability.name] = text
                return f"Not proposed yet. Ask the customer: {text}"
            case Proposal():
                return await self._planned(capability, outcome)
            case _:
                return outcome

    async def _planned(self, capability: Capability, proposal: Proposal) -> str:
        """Have a proposal join the plan, unless it would be denied as things are."""
        assert capability.command is not None  # noqa: S101  (only what has one is a tool)
        action = PlannedAction(name=capability.name, arguments=proposal.arguments, sentence=proposal.sentence)
        if capability.approval is None and not capability.at_once:
            try:
                command = capability.command(Requester("rehearsal", str(self._customer_id)), proposal.arguments)
            except ValidationError as error:
                return f"Not proposed: {first_error(error)}"
            if denial := await self._shop.commerce.rehearse(command):
                own = await self._shop.queries.payment_methods(str(self._customer_id))
                self._grounds.add([method["id"] for method in own])
                told = self._for_customer(PolicyDenied(denial.rule, denial.sentence), proposal.arguments)
                if self._grounds.are_of(repr(proposal.arguments), proposal.arguments):
                    self.denied[capability.name] = action, told
                else:
                    self._answers[capability.name] = told
                return denial.sentence
        if action not in self.actions:
            if len(self.actions) >= MOST_ACTIONS:
                return f"Not proposed: {MOST_ACTIONS} changes are proposed already."
            self.actions.append(action)
        self._answers.pop(capability.name, None)
        self.denied.pop(capability.name, None)
        self.unfinished = None
        return f"Proposed, and done when the customer says yes: {proposal.sentence}"
