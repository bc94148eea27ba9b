"""The command line, with steps of an upgrade that change every customer; it may be told to die in the middle."""

import os
import signal
import sys

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models import Customer
from xmlrpc_api.__main__ import main
from xmlrpc_api.call import Call
from xmlrpc_api.services.customers import CUSTOMER
from xmlrpc_api.services.history import audit
from xmlrpc_api.services.upgrade import steps

BATCH = 2
DIES_AT = "DIES_AT"  # as "name of a step:key"


def marks(mark: str) -> steps.Step:
    """A step that adds a mark to the description of every customer."""

    async def work(call: Call, last: int) -> steps.Batch:
        wanted = select(Customer).where(Customer.i_customer > last).order_by(Customer.i_customer).limit(BATCH)
        whole = (selectinload(Customer.money), selectinload(Customer.default_user))
        rows = (await call.session.scalars(wanted.options(*whole).with_for_update())).all()
        for row in rows:
            before = audit.snapshot(CUSTOMER, row)
            row.description = (row.description or "") + mark
            await audit.updated(call, CUSTOMER, row, row.i_customer, before)
        await call.store.flush()
        if os.environ.get(DIES_AT) == f"{mark}:{last}":
            os.kill(os.getpid(), signal.SIGKILL)
        findings = tuple(f"Customer {row.i_customer} is odd" for row in rows if row.i_customer % 2)
        return steps.Batch(rows[-1].i_customer if rows else None, len(rows), findings)

    return steps.Step(mark, f"Marking with {mark}", work)


STEPS = (marks("a"), marks("b"))

if __name__ == "__main__":
    steps.STEPS = STEPS
    sys.exit(main())
