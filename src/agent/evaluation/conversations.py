"""Labelled conversations: what a customer of a demo shop says, and what is right then under the policy.

They lie in `conversations/`, a file a shop, in YAML whose scalars are all text (`yes` is a word, 60.00 an amount). The
form of a turn is `Turn`; docs/customizing.md says how to write your own.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from agent.capabilities import BY_NAME
from agent.commerce.dispatcher import HANDLERS
from agent.shop import SHOP

FOLDER: Final = Path(__file__).parent / "conversations"
NOBODY: Final = "nobody"
"""The customer of a conversation in which nobody vouches for who speaks."""

_COMMANDS: Final = {command.__name__ for command in HANDLERS}
_READ: Final = ("order_id", "amount", "reason")
"""Arguments of a proposal that its topic has as slots too."""


def _capabilities(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in BY_NAME]:
        raise ValueError(f"there is no capability {unknown[0]!r}")
    return names


def _commands(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in _COMMANDS]:
        raise ValueError(f"there is no command {unknown[0]!r}")
    return names


Capabilities = Annotated[tuple[str, ...], AfterValidator(_capabilities)]
Commands = Annotated[tuple[str, ...], AfterValidator(_commands)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wanted(_Part):
    """A capability, or any of several, and the slots or arguments that matter; each as text, or lists and mappings of
    text. An amount is written as the shop's customers do."""

    names: Capabilities
    values: dict[str, Any] = Field(default_factory=dict)

    @field_validator("values")
    @classmethod
    def _amount(cls, values: dict[str, Any]) -> dict[str, Any]:
        if "amount" in values:
            SHOP.read_money(values["amount"])
        return values


def _wanted(given: Any) -> Any:
    """`a`, `a|b`, `{a: {order_id: …}}`, or a list of these."""
    found: list[Any] = []
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, str):
            found.append({"names": each.split("|")})
        elif isinstance(each, dict) and "names" not in each:
            found += [{"names": name.split("|"), "values": values} for name, values in each.items()]
        else:
            found.append(each)
    return found


def _several(given: Any) -> Any:
    return given.split("|") if isinstance(given, str) else given


Wishes = Annotated[tuple[Wanted, ...], BeforeValidator(_wanted)]


class Turn(_Part):
    """What the customer says, and what is right then. What a turn does not name must not happen.

    Args:
        says: their words.
        topics: what they want, with the slots that must be known by then; without it that of `proposes`, else it is
            not looked at. `[]`: nothing that the desk does.
        proposes: the changes that are listed for the customer's yes.
        allows: changes that may be listed as well, and need not.
        asks: the slot that the desk asks back for; `a|b` is either, `any` whatever it asks or none.
        does: the commands that are carried out, besides OpenTicket.
        sends: the capabilities that staff is asked to approve.
        person: whether a person is handed the matter, by a ticket.
    """

    says: str = Field(min_length=1)
    topics: Wishes | None = None
    proposes: Wishes = ()
    allows: Wishes = ()
    asks: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    does: Commands = ()
    sends: Capabilities = ()
    person: Literal["yes", "no", "either"] = "no"

    @model_validator(mode="before")
    @classmethod
    def _topics_of_proposals(cls, given: Any) -> Any:
        if isinstance(given, dict) and "topics" not in given and (proposed := _wanted(given.get("proposes", []))):
            topics = [
                {"names": each["names"], "values": {k: v for k, v in each.get("values", {}).items() if k in _READ}}
                for each in proposed
            ]
            return given | {"topics": topics}
        return given


class Conversation(_Part):
    """A customer's conversation on a shop that is as it was seeded."""

    name: str = Field(min_length=1)
    customer: str = Field(min_length=1)
    turns: tuple[Turn, ...] = Field(min_length=1)


class _File(_Part):
    conversations: tuple[Conversation, ...] = Field(min_length=1)

    @field_validator("conversations")
    @classmethod
    def _each_once(cls, conversations: tuple[Conversation, ...]) -> tuple[Conversation, ...]:
        names = [each.name for each in conversations]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"there are two conversations {twice[0]!r}")
        return conversations


def own_file() -> Path:
    """The conversations that come with the shop. Raises ValueError for a shop that has none."""
    file = FOLDER / f"{SHOP.folder.name}.yaml"
    if not file.exists():
        raise ValueError(f"{SHOP.folder} comes without conversations: which file? (docs/customizing.md)")
    return file


def load(file: Path) -> tuple[Conversation, ...]:
    """The conversations of a file. Raises ValueError with the file, the place in it, and what is wrong there."""
    try:
        content = yaml.load(file.read_bytes(), Loader=yaml.BaseLoader)  # noqa: S506  (which makes text of everything)
        return _File.model_validate({"conversations": content}).conversations
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in _place(content, problem["loc"][1:]))
        raise ValueError(f"{file}: {place or 'the file'}: {problem['msg'].removeprefix('Value error, ')}") from error


def _place(content: Any, loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The place of a problem, with the conversation by name."""
    if loc and isinstance(content, list) and isinstance(content[int(loc[0])], dict):
        return content[int(loc[0])].get("name", loc[0]), *loc[1:]
    return loc
