"""Who sent a request to a custom route, and what a route may not do for them."""

from fastapi import HTTPException, Request

from agent.identity import Caller, Role, caller_of


def caller_of_request(request: Request, *roles: Role) -> Caller:
    """The authenticated caller of a custom route, of one of these roles if any are named. Raises HTTP 403."""
    try:
        caller = caller_of(request.user)
    except PermissionError as error:
        raise HTTPException(403, str(error)) from error
    if roles and caller.role not in roles:
        raise HTTPException(403, f"this is for {' or '.join(roles)}")
    return caller
