"""The desk's own sentences, in one place."""

from collections.abc import Sequence
from typing import Final

from agent.assistant.alarms import Alarm
from agent.commerce.policy import REFUND_TIME, RULES, money
from agent.notifications.conversations import Notification
from agent.shop import SHOP

_UNCLEAR: Final = (
    "I'm not sure what you mean. Tell me, for example,"
    f" “where is {SHOP.order_number}?” or “cancel {SHOP.order_number}”. Or write “person”, and a colleague answers you."
)

SHALL_I: Final = "Shall I? Please answer yes or no."
"""How a plan ends that is listed: a yes counts right after it only."""

STILL_ASKED: Final = "Back to what I asked: {question}"

SAYINGS: Final[dict[str, str]] = {
    "yes": "There is nothing waiting for your yes. What can I do for you?",
    "no": "All right, I have left everything as it is.",
    "small_talk": "You're welcome to ask me about your orders, refunds, or anything in our articles.",
    "out_of_scope": "I can't help with that here: I know about this shop's orders, payments and articles.",
    "unclear": _UNCLEAR,
    "request": _UNCLEAR,
    "failed": "One thing I could not look into just now; please ask me again in a moment.",
    "not_now": "Our records can't be written at the moment and this is not done. Please try again a little later.",
    "expired": "I'm sorry, nobody could decide on this in time, so I have not done it. Please ask again.",
    "void": "What was asked for has changed meanwhile, so I have not done it.",
    "withdrawn": "As you wished, I have not done it.",
    "handed_over": "I have passed your message on to a colleague, as case {case}.",
    "person": "I have passed this on to a colleague, as case {case}. They answer you here; until the case is closed,"
    " what you write here goes to them.",
    "person_unknown": "Please sign in: then I can pass this on to a colleague, who answers you here.",
    "passed_on": "Thank you, I have passed your answer on.",
    "not_awaited": "Nobody waits for an answer about that from you now.",
    "refund_time": f"A gift card is refunded at once, other payment methods {REFUND_TIME}.",
}

ALARM_ANSWERS: Final[dict[Alarm | None, str]] = {
    "self_harm": "I am sorry that you feel this way. Please don't stay alone with it: there is help where you live, at"
    " any hour, at your local emergency number.",
}
"""What is said first where only a person should answer."""

CHOICES: Final[dict[str, str]] = {
    "order_status": "to know where an order is",
    "cancel_order": "to cancel an order",
    "change_address": "to have an order sent to another address",
    "change_payment": "to pay an order in another way",
    "change_items": "to change items of an order that has not left yet",
    "exchange_items": "to exchange what you got for another size or colour",
    "return_items": "to return something",
    "explain_charges": "to know what was charged, or your invoice",
    "refund_payment": "a refund",
    "withdraw_request": "to withdraw what you asked for",
    "profile_address": "to change your address for later orders",
    "account_change": "something changed in your account",
    "freeze_account": "to have your account frozen, as somebody else may use it",
    "unlock_account": "to have your account unlocked",
    "change_email": "to change your e-mail address",
    "account_security": "help with signing in or with your account's security",
    "replace_item": "to have something faulty replaced",
    "technical_fault": "help with something that does not work",
    "talk_to_person": "to talk to a person",
    "product_question": "to know something about a product",
    "abilities": "to know what I can do",
    "shop_question": "to know something about the shop",
}
"""How a capability is called when the customer is asked whether that is what they want."""

OPENLY: Final[dict[str, str]] = {
    "degraded": "(Our language model can't be reached just now; I answer with simpler means.)",
    "person": "(Our language model can't be reached just now, and without it I can't tell what you mean.)",
}
"""Law 15: degraded in the open, by who read the message in the model's place."""

NOTIFICATIONS: Final[dict[str, str]] = {
    "payment.deferred": "The payment for order {order} could not be taken yet. You need do nothing: it is tried again.",
    "payment.declined": "The payment for order {order} was declined. {why} Please choose another payment method.",
    "approval.decided": "What had to be approved{for_order} {decision}.",
    "approval.question": "Our staff asks{for_order}: “{question}” To answer, begin your message with “re {request}”.",
    "parcel.shipped": "A parcel of order {order} is on its way. Its tracking number is {tracking}.",
    "parcel.refused": "The carrier can't take a parcel of order {order}. You get its price back: {amount}.",
    "refund.pending": "{amount} of order {order} is on its way back to you. I'll tell you when it has been refunded.",
    "refund.returned": "{amount} of order {order} did not reach you: the refund came back to us. It is made again.",
    "refund.settled": "{amount} of order {order} has been refunded.",
    "method.kept": "Your other payment method for order {order} was declined. {why} The order stays paid as it is.",
    "difference.declined": "{amount} for your change of order {order} could not be taken. {why}"
    " Please choose another payment method, or the change is undone.",
    "difference.refunded": "{amount} of the {value} that order {order} costs less now is refunded: more than that was"
    " not paid, or had been refunded before.",
    "change.undone": "The change of order {order} was not paid, and is undone: the order is as it was.",
    "exchange.refunded": "The exchange of order {order} was not paid. {amount} for what you sent back is refunded.",
    "return.received": "What you sent back of order {order} has arrived. {amount} is refunded{of_value}.",
    "return.reminder": "{pieces} of order {order} to be sent back have not arrived yet. Please send them,"
    " or tell me that you keep them.",
    "return.closed": "{pieces} of order {order} were not sent back in time, and stay yours; the rest of the return is"
    " closed.",
    "order.cancelled": "Order {order} is cancelled. {why}",
    "ticket.answered": "Our staff writes{for_order}: “{answer}” This is case {case}.",
    "ticket.closed": "Case {case}{for_order} is closed.",
    "cancel.refused": "Order {order} could not be cancelled any more: a parcel of it had already left. {why}",
}
"""What happened meanwhile, by `notifications.notify.CustomerEvent`."""

_DECISIONS: Final[dict[str, str]] = {
    "approved": "was approved",
    "rejected": "was not approved",
    "expired": "was not approved, since nobody could decide in time",
    "void": "has changed meanwhile, and is looked at anew",
    "withdrawn": "was withdrawn",
}


def question_which(choices: Sequence[str]) -> str:
    """Which of a few capabilities is wanted."""
    *first, last = (CHOICES[name] for name in choices)
    return f"Do you want {', '.join(first)}, or {last}?"


def sentence_of(notification: Notification) -> str:
    """A notification as the customer reads it; rules in the policy's words."""
    facts = notification.facts
    return (
        NOTIFICATIONS[notification.event]
        .format(
            order=notification.order_id,
            for_order=f" for order {notification.order_id}" if notification.order_id else "",
            why=RULES.get(facts.get("rule", ""), ""),
            decision=_DECISIONS.get(facts.get("status", "")),
            tracking=facts.get("tracking_id"),
            question=facts.get("question", ""),
            request=facts.get("request_id", ""),
            case=facts.get("ticket_id", ""),
            answer=facts.get("answer", ""),
            amount=money(facts.get("amount", 0)),
            value=money(facts.get("value", 0)),
            of_value=_of_value(facts.get("amount", 0), facts.get("value", 0)),
            pieces="1 piece" if facts.get("pieces") == 1 else f"{facts.get('pieces')} pieces",
        )
        .strip()
    )


def _of_value(amount: int, value: int) -> str:
    """Why less is refunded than what came back is worth."""
    return f" of its value, {money(value)}: the rest had been refunded before" if amount < value else ""
