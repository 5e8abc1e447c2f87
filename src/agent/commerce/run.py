"""`Commerce.run`: the one door through which the world is changed. A command is one transaction, and happens once."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from agent.commerce import changes, customers, fulfilment, orders, refunds, returns
from agent.commerce.commands import (
    CancelOrder,
    ChangeProfileAddress,
    ChangeShipTo,
    Command,
    Denial,
    IssueCredit,
    MarkDelivered,
    MarkHandedOver,
    OpenTicket,
    PlaceOrder,
    ReceiveReturn,
    RefundPayment,
    ReplaceLines,
    RequestExchange,
    RequestReturn,
    SwapPayment,
)
from agent.commerce.views import Changed, changed_view
from agent.ledger.database import Database, Denied, Effect
from agent.observability.events import emit

Handler = Callable[[AsyncSession, Any, datetime], Awaitable[Changed]]

HANDLERS: Final[dict[type[Command], Handler]] = {
    PlaceOrder: orders.place,
    CancelOrder: orders.cancel,
    ReplaceLines: changes.replace_lines,
    ChangeShipTo: changes.change_ship_to,
    SwapPayment: changes.swap_payment,
    ChangeProfileAddress: customers.change_profile_address,
    RequestReturn: returns.request_return,
    RequestExchange: returns.request_exchange,
    MarkHandedOver: fulfilment.hand_over,
    MarkDelivered: fulfilment.deliver,
    ReceiveReturn: returns.receive_return,
    RefundPayment: refunds.refund,
    IssueCredit: customers.issue_credit,
    OpenTicket: customers.open_ticket,
}

FORGETFUL: Final = frozenset((PlaceOrder, MarkHandedOver, MarkDelivered, ReceiveReturn))
"""Commands whose denial leaves no trace. Their keys name what they are about, so they come again under the same one: an
order that was corrected, a parcel that may leave now that all is paid."""


class Commerce:
    """Runs commands on the ledger."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def delivered(self, parcel_id: str, customer_id: str, actor: str) -> dict[str, Any] | Denial:
        """Note the arrival of a parcel, once, whoever tells of it."""
        key = f"parcel:{parcel_id}:deliver"
        return await self.run(MarkDelivered(key=key, actor=actor, subject=customer_id, parcel_id=parcel_id))

    async def run(self, command: Command) -> dict[str, Any] | Denial:
        """Make a command happen once; gives the changed entity as it was then, or the denial.

        The same key again gives the first answer; with other arguments it raises `KeyReusedError`. Commands on one
        order wait for each other.
        """
        handler = HANDLERS[type(command)]

        async def act(session: AsyncSession) -> dict[str, Any]:
            changed = await handler(session, command, self._db.clock())
            await session.flush()
            return await changed_view(session, changed)

        name = type(command).__name__
        effect = Effect(command.key, name, command.actor, command.subject, command.arguments())
        try:
            return await self._db.once(effect, act, remember_denial=type(command) not in FORGETFUL)
        except Denied as denied:
            emit("request.denied", command=name, rule=denied.rule)
            return Denial(rule=denied.rule, sentence=denied.sentence)
