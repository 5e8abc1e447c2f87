"""A drill from its beginning to its report: chaos, peace, and then what the books say."""

from tests.chaos.audit import Audit, Breach
from tests.chaos.drill import Drill
from tests.chaos.report import Telling
from tests.chaos.site import Site


async def play(drill: Drill, site: Site, telling: Telling, *, kills: int, minutes: float, orders: int) -> bool:
    """Play it and tell what came of it; whether all books agree. The site is closed."""
    try:
        await site.open()
        await drill.chaos(kills=kills, minutes=minutes, orders=orders)
        await drill.peace()
        account = await site.providers.account()
        checked = await site.server.desk("db", "check", "--json")
        verified = await site.server.desk("audit", "verify", "--json")
    finally:
        await drill.people.close()
        await site.close()
    audit = Audit(site, drill.people.orders, account, drill.record)
    breaches = audit.breaches()
    breaches += [
        Breach(f"desk db check: {each['check']}", each["what"], str(each["found"])) for each in checked["violations"]
    ]
    breaches += [Breach("desk audit verify", each["request_id"], each["why"]) for each in verified["broken"]]
    telling.result(drill.record, drill.people, audit, breaches)
    return not breaches
