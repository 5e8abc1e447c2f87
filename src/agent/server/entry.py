"""What `langgraph.json` names: the handlers of `auth`, on a server that is fit to start.

The platform loads this file before anything listens. Ending the process here leaves one line; later it is a traceback.
"""

from agent.server.auth import auth
from agent.server.startup import unfit
from agent.settings import settings

__all__ = ["auth"]

if why := unfit(settings()):
    raise SystemExit(f"not started: {why}")
