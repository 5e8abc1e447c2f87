"""Who is calling, and who nobody may be."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent import identity
from agent.identity import (
    APPROVER_ROLES,
    ROLES,
    STUDIO_IDENTITY,
    Caller,
    Role,
    acting,
    caller_of,
    is_reserved,
    is_staff_name,
    person,
)
from agent.settings import Settings


def somebody(name: str | None, *permissions: str) -> Any:
    return SimpleNamespace(identity=name, permissions=list(permissions))


@pytest.mark.parametrize("role", ROLES)
def test_a_caller_is_an_identity_with_a_role(role: Role) -> None:
    assert caller_of(somebody("ann", f"role:{role}")) == Caller("ann", role)


@pytest.mark.parametrize(
    "user",
    [
        None,
        pytest.param(object(), id="anything"),
        somebody(None, "role:admin"),
        somebody("", "role:admin"),
        somebody("ann"),
        somebody("ann", "admin", "authenticated"),
        somebody("ann", "role:root"),
        somebody("ann", "role:"),
        somebody("ann", "role:root", "role:admin"),
        SimpleNamespace(identity="ann"),
        SimpleNamespace(identity="ann", permissions=None),
    ],
    ids=str,
)
def test_without_an_identity_and_a_known_role_nobody_is_calling(user: Any) -> None:
    with pytest.raises(PermissionError):
        caller_of(user)


def test_the_service_account_counts_by_its_bare_identity() -> None:
    assert caller_of(somebody("service-1")) == Caller("service-1", "service")


def test_only_the_service_account_needs_no_role() -> None:
    with pytest.raises(PermissionError):
        caller_of(somebody("service-2"))


def test_who_has_a_role_is_not_the_service_account_by_its_name() -> None:
    assert caller_of(somebody("service-1", "role:customer")).role == "customer"


def test_no_customer_and_no_program_can_approve() -> None:
    assert set(ROLES) - APPROVER_ROLES == {"customer", "channel", "warehouse", "operator", "admin", "service"}


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Caller:
    """Studio, in the mode that the test names."""
    monkeypatch.setattr(identity, "settings", lambda: Settings(studio_mode=request.param))
    return Caller(STUDIO_IDENTITY, "channel")


@pytest.mark.parametrize("studio", ["off", "read"], indirect=True)
@pytest.mark.parametrize("permissions", [(), ("role:order_manager",)])
def test_studio_is_nobody_unless_it_may_act(studio: Caller, permissions: tuple[str, ...]) -> None:
    with pytest.raises(PermissionError):
        caller_of(somebody(STUDIO_IDENTITY, *permissions))


@pytest.mark.parametrize("studio", ["act"], indirect=True)
@pytest.mark.parametrize("permissions", [(), ("role:order_manager",)])
def test_studio_that_may_act_is_a_channel_whatever_comes_with_it(studio: Caller, permissions: tuple[str, ...]) -> None:
    assert caller_of(somebody(STUDIO_IDENTITY, *permissions)) == studio


SAID = {"as": "order_manager", "decision": "approve", "note": "seen"}
PLAIN = {"type": "approve", "message": "seen"}


@pytest.mark.parametrize("studio", ["act"], indirect=True)
@pytest.mark.parametrize(
    ("said", "plain"),
    [
        (SAID, PLAIN),
        ('{"as": "order_manager", "decision": "approve", "note": "seen"}', PLAIN),
        ({"as": "order_manager", "decision": "reject"}, {"type": "reject", "message": ""}),
        ({"as": "order_manager"}, {"type": None, "message": ""}),
        (
            {"as": "order_manager", "decision": "edit", "edited_action": {"name": "refund", "args": {}}},
            {"type": "edit", "message": "", "edited_action": {"name": "refund", "args": {}}},
        ),
        ({"as": "order_manager", "decision": "reject", "type": "approve"}, {"type": "reject", "message": ""}),
    ],
    ids=["object", "as text", "no note", "no decision", "edit", "two decisions"],
)
def test_studio_answers_as_the_approver_that_it_names(studio: Caller, said: Any, plain: Any) -> None:
    assert acting(studio, said) == (Caller("studio as order_manager", "order_manager"), plain)


@pytest.mark.parametrize("studio", ["act"], indirect=True)
@pytest.mark.parametrize(
    "role", [*sorted(set(ROLES) - APPROVER_ROLES), "root", "", None, 1, ["order_manager"]], ids=str
)
def test_studio_acts_as_nobody_who_is_no_approver(studio: Caller, role: Any) -> None:
    assert acting(studio, SAID | {"as": role}) == (studio, SAID | {"as": role})


@pytest.mark.parametrize("studio", ["act"], indirect=True)
@pytest.mark.parametrize(
    "said", ["approve", True, None, [SAID], PLAIN, "{", "[" * 100_000], ids=lambda said: str(said)[:9]
)
def test_what_names_no_role_comes_back_as_it_is(studio: Caller, said: Any) -> None:
    assert acting(studio, said) == (studio, said)


@pytest.mark.parametrize("studio", ["off", "read"], indirect=True)
def test_studio_acts_as_nobody_unless_it_may_act(studio: Caller) -> None:
    assert acting(studio, SAID) == (studio, SAID)


@pytest.mark.parametrize("studio", ["act"], indirect=True)
@pytest.mark.parametrize("role", ROLES)
def test_nobody_but_studio_acts_as_somebody_else(studio: Caller, role: Role) -> None:
    assert acting(Caller("ann", role), SAID) == (Caller("ann", role), SAID)


@pytest.mark.parametrize(
    ("name", "role", "reserved"),
    [
        ("ada_park", "customer", False),
        ("service-1", "service", False),
        ("service-1", "admin", True),
        ("service-2", "service", True),
        ("langgraph-studio-user", "channel", True),
        ("studio as order_manager", "order_manager", True),
        ("", "customer", True),
        (" ", "customer", True),
    ],
)
def test_some_names_are_nobodys(name: str, role: Role, reserved: bool) -> None:
    assert is_reserved(Caller(name, role)) is reserved


@pytest.mark.parametrize(
    "name",
    ["service-1", "order-manager-1", "Order-Manager-22", "ORDER_MANAGER", "channel-1", "admin", " warehouse-3 ",
     "operator", "langgraph-studio-user", "studio as order_manager", ""],
)  # fmt: skip
def test_what_colleagues_and_programs_are_called_is_known(name: str) -> None:
    assert is_staff_name(name)


@pytest.mark.parametrize("name", ["ada_park", "customer-1", "yusuf_rossi_9620", "agent_smith", "adminka", "channel-x"])
def test_customers_may_be_called_anything_else(name: str) -> None:
    assert not is_staff_name(name)


@pytest.mark.parametrize(
    "spelling",
    ["ann\u00e9", " ANN\u00c9 ", "anne\u0301", "anne\u200d\u0301", "anne\ufe0f\u0301", "\uff41nn\u00e9", "ann\u00e9\n"]
    + [
        f"an{unseen}n\u00e9"
        for unseen in "\u00ad\u034f\u115f\u1160\u180b\u200b\u202e\u2060\u2800\u3164\ufe00\ufe0f\uffa0"
    ]
    + [f"ann\u00e9{unseen}" for unseen in "\ufeff\U000e0001\U000e0100\U000e01ef"],
    ids=ascii,
)
def test_however_a_name_is_spelled_it_is_one_person(spelling: str) -> None:
    assert person(spelling) == "ann\u00e9"


def test_other_names_are_other_people() -> None:
    assert len({person(name) for name in ("anne", "ann\u00e9", "ann e", "\u0430nne", "\uae40", "\uae41")}) == 6


@given(st.text())
@example("anne\u200d\u0301")
@example("\u1fb4\u0345\u0301")
def test_who_a_person_is_stays_so_when_it_is_asked_again(name: str) -> None:
    assert person(person(name)) == person(name)


def test_who_acts_on_anothers_thread_is_themselves_and_not_its_owner() -> None:
    user = SimpleNamespace(identity="customer:ada_park", subject="Order-Manager-1", permissions=["role:order_manager"])
    assert caller_of(user) == Caller("order-manager-1", "order_manager")
