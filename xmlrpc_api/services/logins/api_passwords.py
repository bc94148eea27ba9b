"""One's own API password: whoever knows the old one may choose a new one, whatever rights it has."""

import hmac

from models import Customer
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.faults import AuthenticationFailed, BadParameter, Kept, TooManyAttempts
from xmlrpc_api.services import records
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.logins import password_policies, throttle
from xmlrpc_api.services.tree import ownership
from xmlrpc_api.services.tree.ownership import Reach

REFUSED = "API_PASSWORD_REFUSED"


async def change_own(call: Call, old: str, new: str) -> None:
    """
    Give the caller a new API password, for its old one.

    A trusted host proves nothing about whom it names, so that the old one is asked for there as well.

    Raises:
        Kept: It was the wrong one, or one of too many; that is counted.
        BadParameter: The new password is the old one, or is not allowed.
    """
    counted = throttle.limits(call, throttle.Kind.OWN_API_LOGIN, "", None)
    if not await throttle.is_open(call, counted):
        raise Kept(TooManyAttempts())
    i_customer = call.caller.i_customer
    customer = await ownership.find_for_update(call, i_customer, Reach.SUBTREE_AND_SELF, rights_stay=True)
    known = records.unsealed(call, customer, "api_password")
    if known is None or not hmac.compare_digest(known.encode(), old.encode()):
        was_locked, _ = await throttle.failed(call, counted)
        if was_locked:
            raise Kept(TooManyAttempts())
        await audit.event(
            call, REFUSED, object_type=Customer.__tablename__, object_id=i_customer, i_customer=i_customer
        )
        raise Kept(AuthenticationFailed())
    await throttle.clear(call, counted)
    if new == old:
        raise BadParameter("new", "must not be the old one")
    await password_policies.demand(call, customer.i_password_policy, "new", new, web_login=customer.web_login)
    await records.change(call, customer, {"api_password": new})
