"""Nothing is there without a user: what no route, verb, node or cron reaches is deleted, or a door to it opened."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, get_args

import pytest

import agent
from agent.commerce.dispatcher import HANDLERS
from agent.escalation import LAST_RESORT
from agent.identity import APPROVER_ROLES, ROLES, Role
from agent.ledger import tables
from agent.observability.events import EventName
from agent.server.permissions import PERMISSIONS
from agent.settings import HOME, Settings
from agent.shop import Case, load

SRC: Final = Path(agent.__path__[0]).parent

BY_OTHERS: Final = {
    # langgraph.json and pyproject.toml name them
    "graph", "main",
    # libraries call them by name: LangSmith, Textual, Typer, SQLAlchemy, LangGraph's cache, Stripe's client, LangChain
    "create_project", "update_project",
    "compose", "on_mount", "on_input_submitted", "on_data_table_row_selected", "action_answer", "action_ask",
    "action_leave", "check_action", "list_commands", "process_bind_param", "process_result_value", "aget",
    "request_async", "on_chat_model_start",
    # LangGraph runs graphs by it, LangSmith's runs end by it, OpenTelemetry makes ids by it
    "astream", "update_run", "generate_trace_id",
    # docs/pictures.py draws the docs from them
    "table", "FIRST_OUTCOMES",
}  # fmt: skip
"""Names that the sources define and others use."""

PLAIN: Final = {"reads", "writes", "property", "cached_property", "staticmethod", "asynccontextmanager", "dataclass"}
"""Decorators that hand what they decorate to nobody; the others give it to a router, a verb or a validator."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@cache
def modules() -> dict[str, ast.Module]:
    """The sources by path. Migrations are alembic's, which runs each by its number."""
    files = {str(file.relative_to(SRC)): file for file in SRC.rglob("*.py")}
    return {path: ast.parse(file.read_text()) for path, file in files.items() if "/versions/" not in path}


@cache
def nodes() -> list[ast.AST]:
    """Every node of the sources."""
    return [node for module in modules().values() for node in ast.walk(module)]


def calls(*names: str) -> Iterator[ast.Call]:
    """Every call in the sources of one of these names, of whatever it is a method."""
    for node in nodes():
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in names:
                yield node


def used(trees: Iterable[ast.AST]) -> Counter[str]:
    """How often each name is used: by itself, as an attribute, or as text, such as the key of a state."""
    found = Counter[str]()
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                found[name] += 1
    return found


@cache
def used_in_sources() -> Counter[str]:
    """How often each name is used in all of the sources."""
    return used(modules().values())


def defined(owner: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Definition]]:
    """The functions, classes and constants of a module, and the methods of a class."""
    for node in owner.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if {ast.unparse(each).split("(")[0] for each in node.decorator_list} <= PLAIN:
                    yield name, node
            case ast.AnnAssign(target=ast.Name(id=name)) if isinstance(owner, ast.Module):
                yield name, node
            case ast.Assign(targets=[ast.Name(id=name)]) if isinstance(owner, ast.Module):
                yield name, node


@pytest.mark.parametrize("command", sorted(command.__name__ for command in HANDLERS))
def test_every_command_is_given_by_somebody(command: str) -> None:
    """Made, or handed to what makes it; to list it beside its handler, or as an annotation, is neither."""
    handed = (argument for node in nodes() if isinstance(node, ast.Call) for argument in node.args)
    assert any(calls(command)) or command in {each.id for each in handed if isinstance(each, ast.Name)}


@pytest.mark.parametrize("case", get_args(Case))
def test_every_case_of_approval_is_opened_by_something(case: str) -> None:
    """What opens a request names its case, or has it from a function that returns one."""
    openings: list[ast.AST] = [*calls("open", "open_in")]
    for node in nodes():
        match node:
            case ast.FunctionDef(returns=ast.expr() as returns) if "Case" in used([returns]):
                openings += [each for each in ast.walk(node) if isinstance(each, ast.Return)]
    assert case in used(openings)


@pytest.mark.parametrize("table", sorted(tables.__all__))
def test_every_table_is_read(table: str) -> None:
    questions = calls("select", "get", "get_one", "exists", "join", "outerjoin", "select_from")
    assert table in used(argument for question in questions for argument in question.args)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_do_something(role: Role) -> None:
    """More than read: an approver stands in a chain of some shop here, and the others change something or have a route
    of theirs."""
    if role in APPROVER_ROLES:
        shops = [load(file.parent) for file in HOME.parent.glob("*/shop.toml")]
        in_chains = {each for shop in shops for chain in shop.chains.values() for each in chain.roles}
        assert role in in_chains | {LAST_RESORT}
        return
    changing = [allowed for (_, action), allowed in PERMISSIONS.items() if action not in ("read", "search")]
    assert any(role in allowed for allowed in changing) or role in used(calls("caller_of_request"))


@pytest.mark.parametrize("setting", sorted(Settings.model_fields))
def test_every_setting_is_read(setting: str) -> None:
    """As an attribute: that a validator names it does not count."""
    assert setting in {node.attr for node in nodes() if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("event", get_args(EventName))
def test_every_event_is_emitted(event: str) -> None:
    assert used_in_sources()[event] > 1  # once it is listed


def test_whatever_is_defined_is_used() -> None:
    """Anywhere else in the sources than in its own definition. What only tests use is theirs to define."""
    owners: list[ast.Module | ast.ClassDef] = [*modules().values()]
    owners += (node for node in nodes() if isinstance(node, ast.ClassDef))
    alone = {
        name
        for owner in owners
        for name, definition in defined(owner)
        if not name.startswith("__") and used_in_sources()[name] <= used([definition])[name]
    }
    assert alone - BY_OTHERS == set()
    assert BY_OTHERS - {name for owner in owners for name, _ in defined(owner)} == set()
