"""What customers of a shop want, as data: a rule for each wish or complaint, with its phrases.

What they say besides is in `dialogue_phrases`. How to write a phrase is in `pattern_language`, how the rules are
used in `embedded`; nothing is decided here.
"""

import re
from typing import NamedTuple

from agent.assistant.models import RequestType
from agent.assistant.pattern_language import Index, phrases


class Rule(NamedTuple):
    """A wish or a complaint. `takes_in` names the rules that, said beside it, are part of the same topic."""

    name: str
    request_type: RequestType
    pattern: re.Pattern[str]
    takes_in: tuple[str, ...] = ()


PLAINLY = frozenset(
    ("person", "withdraw", "intrusion", "cancel", "refund", "refund_due", "return", "replacement", "tracking")
)
"""Rules whose phrases nobody uses to answer a question about an item, an address or a fault."""

CERTAIN: frozenset[RequestType] = frozenset(("person", "withdraw"))
"""Topics that their rules alone decide on."""

# The first rule that matches a clause names it, so the order is the precedence. Before a clause is looked at,
# order ids have become "order" and numbers "amount".
RULES: tuple[Rule, ...] = (
    Rule(
        "person",
        "person",
        phrases(
            "talk/speak/chat/connect/transfer … human/person/agent/colleague/someone/somebody/representative/manager",
            "human/real/live agent/person/being",
            "want/need/get/give/like … human/representative/real_person/supervisor",
            "call me back?",
            "human/person please/now",
            "speak/talk/chat to/with staff/support/customer_service",
            "want/need/get/give … somebody/someone real",
        ),
    ),
    Rule(
        "withdraw",
        "withdraw",
        phrases(
            "forget/withdraw/drop/retract/cancel/stop the/my/that/about? refund/return/exchange/request",
            "forget about the/my/that refund/return/exchange/request",
            "don't/dont/do_not/no_longer want/need the/my/a/that refund/return/exchange",
            "keep it/them/the/everything … after_all/instead",
        ),
    ),
    Rule(
        "intrusion",
        "security_issue",
        phrases(
            "hack/hacked/hacker/hacking/fraud*/scam*/phish*/stolen/identity_theft/unauthorised/unauthorized",
            "suspicious/compromised/not_mine/isn't_mine/aren't_mine",
            "someone/somebody else? has/is/got/used/uses/using/logged/hacked … my/in account/card/password/name",
            "someone/somebody else? placed/ordered/made/stole … my account/card/password/name",
            "didn't/did_not/never make/made/place/placed/authorise*/authorize* … charge/order/payment",
            "charge/order/payment … i didn't/did_not/never make/made/place/placed/authorise*/authorize*",
            "don't/do_not/cannot/can't/didn't/not recognise/recognize",
            "wasn't/was_not/isn't/is_not me",
            "lost my? phone/card/wallet",
        ),
    ),
    Rule(
        "refund_due",
        "billing_issue",
        phrases(
            "where/when/status/track/check/still/hasn't/not … refund/money/reimbursement",
            "refund … hasn't/has_not/not/never/still/late/missing/status",
        ),
    ),
    Rule(
        "abilities",
        "question",
        phrases("what can you/i do/ask/help", "how can you help", "what do you do", "what are you able to"),
    ),
    Rule(
        "invoice",
        "billing_issue",
        phrases("show/send/give/get/need/want/print/explain me/us? the/an/a/my/all? invoice/invoices/receipt/charges"),
    ),
    Rule(
        "tracking",
        "order_status",
        phrases(
            "where/where's/wheres is/are? my/the/our/this/that/it/order",
            "track/tracking/eta/whereabouts/status_of/order_history",
            "order/delivery/shipping/parcel/package status/date/update",
            "when will/does/is/are/do/can/should … arriv*/come/coming/deliver*/ship*/here/receive/due",
            "when will/do/can i/we get my/it/the",
            "how long/soon/many_days until/till/before",
            "has/is/was/did … shipped/been_sent/ship/left/dispatched/on_its_way/delivered",
            "show/list/see/view/check/find/look_up/what_are me? my/the/all … order/orders",
            "what did i order/buy",
            "update/news on/about",
        ),
    ),
    Rule(
        "how_to",
        "question",
        phrases(
            "how do/can/could/should/would/does/to/long/much/often/soon/many … SHOP",
            "what/what's/whats is/are/if/happens? … your/the/when/to/do … SHOP",
            "policy/policies/terms/conditions",
            "do/are you … accept/offer/ship/deliver/have/sell/take/charge/stock/provide/open",
            "can i/you/we … return/cancel/exchange/refund/change/pay/order a/an/any/items/orders/by/with/in",
        ),
    ),
    Rule(
        "credentials",
        "security_issue",
        phrases(
            "password/passcode/pin/username",
            "CHANGE … email/e-mail/phone/mobile address/number?",
            "new email/e-mail/phone address/number?",
            "can't/cant/cannot/couldn't/unable_to/won't_let_me … log_in/login/sign_in/access/get_into",
            "verify/prove … identity",
            "lock/locked me? out",
            "account … locked/blocked/frozen/suspended/disabled",
            "unlock/unblock/freeze/secure/lock/block … account/card",
        ),
    ),
    Rule(
        "membership",
        "account",
        phrases(
            "cancel/delete/close/deactivate/create/open/register/set_up/switch my/the/an/a/new? account/profile",
            "cancel my/the? newsletter/subscription/membership",
            "unsubscribe/subscribe/subscription/newsletter/sign_up/my_data",
        ),
    ),
    Rule(
        "cancel",
        "order_cancel",
        phrases(
            "cancel/canceling/cancelling/cancelation/cancellation",
            "want/need/like/get/have/should/must … canceled/cancelled",
            "call/calling off",
            "stop … order",
            "don't/dont/do_not/no_longer want/need … order/purchase",
        ),
        takes_in=("refund", "refund_due", "late", "damaged", "faulty"),
    ),
    Rule(
        "change",
        "order_change",
        phrases(
            "CHANGE … order/orders/shipping/delivery/item/items/size/color/colour/quantity/payment_method",
            "add/remove/take/drop … to/from/off/in my/the/this/that? order",
            "swap/replace … for/with/by",
            "send/ship/deliver/go … to another/a_different/a_new/my_new/my_work/my_office",
            "wrong/different/another/incorrect shipping/delivery? address",
            "different size/color/colour",
            "use/pay_with/pay_by/charge … different/another/other/new card/payment_method",
            "pay/paying/paid … with/by/using another/a_different/my_other/my_new/my/a/the card/method/gift_card",
        ),
        takes_in=("damaged", "late"),
    ),
    Rule(
        "profile",
        "account",
        phrases(
            "CHANGE … address/name/details/profile/account/preferences/information",
            "my/our/a new/home? address",
            "set_up/add/remove/delete … address",
            "i/we/i've/we've/have/just moved",
        ),
    ),
    Rule(
        "return",
        "order_return",
        phrases(
            "return/returns/returning/exchange/exchanging",
            "send/sending/take/bring/ship/give … it/them/this/that/these/those/one/order back",
            "send/sending/take/bring/ship/give … PRODUCTS back",
        ),
        takes_in=("refund", "refund_due", "damaged", "faulty", "late"),
    ),
    Rule(
        "replacement",
        "technical_issue",
        phrases(
            "replacement/replacements/replace/spare_part/spare_parts/repair*",
            "send/ship … another/new/second one/part/PRODUCTS",
        ),
        takes_in=("damaged", "faulty", "late"),
    ),
    Rule(
        "refund",
        "billing_issue",
        phrases(
            "refund*/reimburs*/money_back/compensat*/credit/goodwill",
            "want/need/get/give/like/owe/owed/expect/have … amount dollars/euros/pounds/bucks? back",
        ),
        takes_in=("damaged", "faulty", "late", "charge", "refund_due"),
    ),
    Rule(
        "charge",
        "billing_issue",
        phrases(
            "charge*/charging/overcharged/double-charged/debited/deducted/bill*/invoice*/receipt*",
            "discount*/voucher*/coupon*/promo/gift_card",
            "price difference/match",
            "wrong price/amount/total",
            "money was? taken",
            "took … money",
            "payment/payments/card/paypal … fail*/declin*/reject*/refused/twice/problem/issue/error",
            "payment/payments/card/purchase … go_through/going_through/gone_through",
            "fail*/declin*/reject*/error/problem/issue/trouble … payment/payments/card",
            "double/duplicate payment",
            "paid/pay/paying … twice/too_much/more_than/again/double",
        ),
    ),
    Rule(
        "damaged",
        "order_return",
        phrases(
            "damaged/cracked/shattered/scratched/dented/torn/chipped/smashed/stained/ripped/in_pieces/incomplete",
            "arriv*/came/come/deliver*/receiv*/got/opened … broken/bent/defective/dirty/wrong",
            "wrong item/product/one/thing/size/color/colour/order",
            "wrong PRODUCTS",
            "not what i ordered",
            "missing a/an/the/some? part/parts/piece/pieces/item/items/screw/screws/leg",
        ),
    ),
    Rule(
        "faulty",
        "technical_issue",
        phrases(
            "NOT … work/working/turn_on/switch_on/start/load/open/connect/light_up/fit/close/stay_on/check_out",
            "broke/broken/defective/faulty/malfunction*/flicker*/wobbl*/error/errors/crash*/glitch*/frozen",
            "TROUBLE … website/app/site/page/checkout/log*/assembl*/regist*",
            "TROUBLE … PRODUCTS",
        ),
    ),
    Rule(
        "late",
        "order_status",
        phrases(
            "NOT_YET … arriv*/receiv*/come/came/deliver*/shipped/show_up/shown_up/turned_up",
            "late/delayed/overdue",
            "lost in the? mail/post/transit",
            "missing/lost parcel/package/order/delivery",
            "parcel/package/order/delivery … missing/lost",
            "when/is/has/did/will/expect … my/our order/orders/parcel/package/delivery/purchase",
        ),
    ),
    Rule(
        "shop_question",
        "question",
        phrases(
            "what/which/who/why/when/where/how/tell_me/explain/know/wonder* … SHOP",
            "do_you/do_i/do_we/does_the/does_it/is_the/is_there/is_your/are_the/are_there/are_your/can_i … SHOP",
            "shipping/delivery/payment/return/assembly/care/cleaning cost*/time*/fee*/method*/option*",
            "want/like/need … buy/order/purchase",
            "place an/my order",
            "gift wrap*",
            "warranty",
        ),
    ),
)

NEGATED = phrases(
    "don't/dont/do_not/never/not want/wish/need/have? you/me/it? to? please/ever?"
    " cancel/canceled/cancelled/return/returned/exchange/exchanged/change/changed/swap/refund"
)
"""A wish that the customer says not to have."""

BY_WORDS = Index({rule.name: rule.pattern for rule in RULES} | {"negated": NEGATED})
"""Which of the rules a clause may match."""
