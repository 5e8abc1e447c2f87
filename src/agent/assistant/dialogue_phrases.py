"""What customers say that is no wish of this shop, as data: yes and no, greetings, and what is not its business.

What they want is in `intent_rules`; how to write a phrase is in `pattern_language`.
"""

from agent.assistant.pattern_language import Index, phrases

OTHER_SHOP = phrases(
    "ELSEWHERE order*/account*/parcel*/package*/deliver*/refund*/prime/purchase",
    "order*/account*/parcel*/package*/refund*/bought … from/on/at/with/by ELSEWHERE",
)
"""Another shop's business, whatever it sounds like otherwise."""

OUT_OF_SCOPE = phrases(
    "weather/forecast/temperature/rain/horoscope/lottery/joke/jokes/poem/poems/song/songs/lyrics/story/riddle",
    "essay*/homework/politic*/election*/president/prime_minister/government/war/religion/football/soccer",
    "basketball/tennis/world_cup/olympics/movie/movies/film/films/celebrit*/news/recipe*/cook/cooking/pizza",
    "restaurant*/flight*/hotel*/taxi/vacation/stock_market/bitcoin/crypto*/loan/mortgage/insurance/tax/taxes",
    "doctor/medicine/lawyer/python/javascript/java/sql/write_code/some_code/programming/algorithm/equation/math*",
    "translate/capital_of/system_prompt",
    "ignore/forget/disregard … instructions/prompt/rules",
    "ELSEWHERE",
)

SMALL_TALK = phrases(
    "hi/hello/hey/hiya/howdy/greetings/good_morning/good_afternoon/good_evening/good_day/good_night",
    "thanks/thank_you/thx/cheers/much_appreciated/you're_welcome/bye/goodbye/see_you/take_care",
    "have a … day/evening/weekend/one",
    "how are you/things",
    "nice to meet you",
    "who/what are you",
    "are you … bot/robot/human/real/person/machine/ai",
    "ok/okay/great/perfect/awesome/excellent/cool/lovely/got_it/i_see/that's_all/that's_it/nothing_else",
)

YES = phrases(
    "yes/yeah/yea/yep/yup/y/sure/ok/okay/fine/alright/all_right/absolutely/definitely/certainly/of_course",
    "go_ahead/go_for_it/do_it/do_that/do_so/please_do/proceed/carry_on/i_confirm/confirm/confirmed/i_approve",
    "correct/i_agree",
    "that's/sounds/looks right/correct/fine/good/great/ok/okay",
    "👍",
    "ja/jawohl/sí/oui/sim",  # as a reply in their language asks for it
)

NO = phrases(
    "no way/thanks/thank_you?",
    "nope/nah/n/not_now/not_really/rather_not/i'd_rather_not/stop/never_mind/nevermind/👎",
    "don't/dont/do_not do_it/do_that/do_this/do_so/go_ahead/proceed/bother/want_it/want_that/want_this?",
    "leave/keep it/that/this/them/everything as_it_is/as_they_are/alone/be?",
    "forget it/that/about_it",
    "i/i've changed my mind",
    "nein/non/nee/não",
)

PERSON = phrases("human/person/agent/operator/representative/staff/supervisor/manager")
"""A whole message that is one of these asks for one."""

CORRECTION = phrases(
    "no/nope/not/sorry/wait/actually/oops/pardon/correction/rather/hang_on",
    "i meant/mean",
    "i'm/im sorry",
    "the other one/order",
    "make it/that",
)
"""How a message begins that puts something right."""

FILLER = phrases(
    "please/pls/thanks/thank_you/thx/then/now/just/so_much/so/very_much/a_lot/well/oh/and/there/for_me/both/all",
    "with/of it/that/this/them",
    "hm/hmm/um/uh/erm",
    "bitte/danke/por_favor/gracias/merci/grazie/alstublieft/obrigado/obrigada",
    "you_can/you_may/i_do/for_your_help/for_the_help/for_that",
)
"""Words that make a yes, a no or a greeting polite, and change nothing."""

NO_WISH = {"other_shop": OTHER_SHOP, "out_of_scope": OUT_OF_SCOPE, "small_talk": SMALL_TALK}
"""What is no wish of this shop, by name."""

BY_WORDS = Index(NO_WISH)
"""Which of these a text may match."""
