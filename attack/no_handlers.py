"""Our authentication without a single handler: whoever has a token, or Studio's header, may do everything.

For the proof that the graphs and the ledger hold by themselves. A server that people use is never started with it.
"""

from langgraph_sdk import Auth

from agent.server.auth import authenticate

auth = Auth()
auth.authenticate(authenticate)
