"""`Commerce.run`: the one door through which the world is changed. A command is one transaction, and happens once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from agent.commerce import account_freeze, customers, fulfilment, order_changes, orders, refunds, returns, tickets
from agent.commerce.commands import (
    CancelOrder,
    ChangeEmail,
    ChangeProfileAddress,
    ChangeShipTo,
    Command,
    Denial,
    FreezeAccount,
    MarkDelivered,
    MarkHandedOver,
    PlaceOrder,
    ReceiveReturn,
    RefundPayment,
    ReplaceLines,
    RequestExchange,
    RequestReplacement,
    RequestReturn,
    SwapPayment,
    UndoChange,
    UnfreezeAccount,
    WithdrawRequest,
    WithdrawReturn,
)
from agent.commerce.locks import seen
from agent.commerce.ticket_commands import AnswerTicket, CloseTicket, OpenTicket, TakeTicket
from agent.commerce.views import Changed, OrderView, changed_view, order_view
from agent.ledger.database import Database, Effect, PolicyDenied
from agent.observability.events import emit

Handler = Callable[[Session, Any, datetime], Changed]

HANDLERS: Final[dict[type[Command], Handler]] = {
    PlaceOrder: orders.place,
    CancelOrder: orders.cancel,
    ReplaceLines: order_changes.replace_lines,
    ChangeShipTo: order_changes.change_ship_to,
    SwapPayment: order_changes.swap_payment,
    ChangeProfileAddress: customers.change_profile_address,
    RequestReturn: returns.request_return,
    RequestExchange: returns.request_exchange,
    RequestReplacement: returns.request_replacement,
    MarkHandedOver: fulfilment.hand_over,
    MarkDelivered: fulfilment.deliver,
    ReceiveReturn: returns.receive_return,
    WithdrawReturn: returns.withdraw_return,
    UndoChange: order_changes.undo_change,
    RefundPayment: refunds.refund,
    WithdrawRequest: customers.withdraw_request,
    FreezeAccount: account_freeze.freeze,
    UnfreezeAccount: account_freeze.unfreeze,
    ChangeEmail: account_freeze.change_email,
    OpenTicket: customers.open_ticket,
    TakeTicket: tickets.take,
    AnswerTicket: tickets.answer,
    CloseTicket: tickets.close,
}

DENIALS_NOT_KEPT: Final = frozenset(
    (PlaceOrder, MarkHandedOver, MarkDelivered, ReceiveReturn, TakeTicket, AnswerTicket, CloseTicket)
)
"""Commands whose denial leaves no trace. Their keys name what they are about, so they come again under the same one: an
order that was corrected, a parcel that may leave now that all is paid, a ticket that was taken meanwhile."""


class _RehearsedError(Exception):
    """All went well, and is taken back."""


class Commerce:
    """Runs commands on the ledger."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def delivered(self, parcel_id: str, customer_id: str, actor: str) -> dict[str, Any] | Denial:
        """Note the arrival of a parcel, once, whoever tells of it."""
        key = f"parcel:{parcel_id}:deliver"
        return await self.run(MarkDelivered(key=key, actor=actor, subject=customer_id, parcel_id=parcel_id))

    async def place(self, command: PlaceOrder) -> OrderView | Denial:
        """Place an order once; gives it as it is now, which a command that is sent again may find further on."""
        answer, is_first = await self._once(command)
        if isinstance(answer, Denial) or is_first:
            return answer  # type: ignore[return-value]
        return await self._db.read(lambda session: order_view(session, seen(session, command.order.order_id)))

    async def run(self, command: Command) -> dict[str, Any] | Denial:
        """Make a command happen once; gives the changed entity as it was then, or the denial.

        The same key again gives the first answer; with other arguments it raises `KeyReusedError`. Commands on one
        order wait for each other.
        """
        return (await self._once(command))[0]

    async def rehearse(self, *commands: Command) -> Denial | None:
        """Whether commands, one after the other, would be denied as things are; nothing of them is kept. Their keys are
        not looked at, and differ."""

        def act(session: Session) -> None:
            for command in commands:
                account_freeze.check_not_frozen(session, command)
                HANDLERS[type(command)](session, command, self._db.clock())
                session.flush()
            raise _RehearsedError

        try:
            await self._db.write(act)
        except _RehearsedError:
            return None
        except PolicyDenied as error:
            return Denial(rule=error.rule, sentence=error.sentence)
        raise AssertionError("a rehearsal is never kept")

    async def _once(self, command: Command) -> tuple[dict[str, Any] | Denial, bool]:
        """The answer, and whether the command was carried out for it just now."""
        handler, name, is_first = HANDLERS[type(command)], type(command).__name__, False

        def act(session: Session) -> dict[str, Any]:
            nonlocal is_first
            account_freeze.check_not_frozen(session, command)
            changed = handler(session, command, self._db.clock())
            session.flush()
            is_first = True
            return changed_view(session, changed)

        effect = Effect(command.key, name, command.actor, command.subject, command.arguments())
        try:
            answer = await self._db.once(effect, act, remember_denial=type(command) not in DENIALS_NOT_KEPT)
        except PolicyDenied as error:
            emit("request.denied", command=name, rule=error.rule)
            return Denial(rule=error.rule, sentence=error.sentence), False
        return answer, is_first
