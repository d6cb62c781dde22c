"""No upgrade under a running search: its processes would meet tables that they do not know."""

from __future__ import annotations

from sqlalchemy import Connection, Double, Text, column, select, table

from storage._errors import StoreUnreadable

WORKERS_LEASE_SECONDS = 600.0
"""A worker prolongs a lease of a minute again and again; a longer one is a person's, who asked for a trial."""


def check_idle(connection: Connection, *, now: float) -> None:
    """Returns silently where no process holds a trial. Reads columns that every schema has.

    Raises:
        StoreUnreadable: one does.
    """
    trials = table("trials", column("state", Text), column("worker", Text), column("lease_until", Double))
    until = trials.c.lease_until
    query = select(trials.c.worker, until).where(
        trials.c.state == "RUNNING", until > now, until < now + WORKERS_LEASE_SECONDS
    )
    found = connection.execute(query.order_by(until.desc()).limit(1)).first()
    if found is not None:
        worker, ends = found
        raise StoreUnreadable(
            f"no store is upgraded under a running search, but worker {worker} holds a trial for {ends - now:.0f} more "
            "seconds; end it, or if it is dead wait that long, then upgrade again"
        )
