"""What only a person should answer, as data: distress and self-harm, threats, the law, the press.

Looked for before anything else reads a message, a model included. Too many found costs a person's look, too few may
cost a life. How to write a phrase is in `pattern_language`.
"""

from typing import Final, Literal

from agent.assistant.pattern_language import phrases

Alarm = Literal["self_harm", "threat", "law", "press"]

ALARMS: Final = {
    "self_harm": phrases(
        "kill/killing/hurt/hurting/harm/harming/cut/cutting myself",
        "end/ending/take/taking my_life/my_own_life/it_all",
        "suicide/suicidal/self-harm",
        "want/wish/ready/like to die/be_dead",
        "better off dead/without_me",
        "no reason/point … living/live/go_on",
        "can't/cannot/can_not/don't_want_to/do_not_want_to … go_on/live/be_alive anymore/any_more/like_this/any_longer",
        "don't/do_not want to live/be_alive/be_here_anymore",
    ),
    "threat": phrases(
        "kill/hurt/shoot/stab/beat/murder/burn you/your/someone/somebody/them/people",
        "i'll/i_will/going_to/gonna … kill/hurt/shoot/stab/bomb/burn_down",
        "bomb/gun/weapon … your/the office/shop/store/warehouse/building",
        "i/we know where you/your live/staff/people/work",
        "come/coming to your office/shop/store/warehouse with/and",
        "you will/you'll regret/pay_for/be_sorry",
    ),
    "law": phrases(
        "lawyer/lawyers/attorney/attorneys/solicitor/barrister",
        "legal action/actions/steps/proceedings/claim/advice/team/department/representation",
        "sue/suing/sued you/your/the/this/them/for",
        "take/see you/them to? court",
        "small_claims/lawsuit/court_order/summons/subpoena",
        "go/going/take/taking/taken/went … to court",
        "call/calling/called/go/going/inform/report/reported/tell … police",
        "police report",
        "chargeback/charge-back/charge_back",
        "ombudsman/trading_standards/consumer_protection/consumer_rights/better_business_bureau/regulator",
        "data_protection_authority/gdpr/subject_access_request",
    ),
    "press": phrases(
        "i'm/i_am/we_are/we're/as a/an journalist/reporter/editor",
        "journalist/reporter from/with/for/at",
        "go/going/talk/talking/write/writing/tell … press/newspaper/newspapers/media",
        "work/working/write/writing for a/an/the newspaper/magazine/tv_station",
        "comment/statement/interview for … article/story/report/piece",
        "press enquiry/inquiry/request/office",
    ),
}
"""By kind, the gravest first."""


def alarm(text: str) -> Alarm | None:
    """What a message must be answered by a person for, the gravest of it; None for most."""
    words = " ".join(text.replace("’", "'").split())
    kinds: tuple[Alarm, ...] = ("self_harm", "threat", "law", "press")
    return next((kind for kind in kinds if ALARMS[kind].search(words)), None)
