"""What a database's clock that was set back leaves in the future: it would last as long as the step was."""

from typing import Any

from sqlalchemy import Connection, Double, bindparam, or_, select, update
from sqlalchemy import cast as as_type

from gradyard.store.tables import IS_QUEUED, Claim, Job, Worker
from gradyard.store.webhooks.pauses import PAUSES_LEFT, cut_pauses

SLACK_SECONDS = 1.0  # a lease that is longer by less was written a moment ago
LONGEST_PAUSE_SECONDS = 60.0  # before a job may be claimed again; ours are seconds

_end, _longest_lease = as_type(bindparam("end"), Double), as_type(bindparam("longest_lease"), Double)
_paused: Any = (
    IS_QUEUED,
    Job.not_before > as_type(bindparam("longest_pause"), Double),
)
_leases = or_(*(
    select(table.id).where(table.lease_until > _longest_lease).exists() for table in (Worker, Claim)
))  # fmt: skip
_leases_left = select(_leases)
_anything_left = select(or_(_leases, select(Job.id).where(*_paused).exists(), PAUSES_LEFT))
# Workers, then claims: heartbeats lock them in this order.
_cuts = [update(table).where(table.lease_until > _longest_lease).values(lease_until=_end) for table in (Worker, Claim)]
_go_on = update(Job).where(*_paused).values(not_before=None)


def left_in_the_future(connection: Connection, moment: float, lease_seconds: float, *, jobs_too: bool) -> bool:
    """Whether at that moment of the database's clock a lease lasts longer than one that is renewed now.

    jobs_too: or a queued job may not be claimed for longer than any pause lasts, or a message of a webhook waits for
    longer than it may; that reads all of them.
    """
    look = _anything_left if jobs_too else _leases_left
    return bool(connection.execute(look, _limits(moment, lease_seconds)).scalar_one())


def cut_short(connection: Connection, moment: float, lease_seconds: float) -> None:
    """Let no lease and no pause last longer than one that begins now. Live workers renew their leases anyway."""
    for cut in _cuts:
        connection.execute(cut, _limits(moment, lease_seconds))
    connection.execute(_go_on, _limits(moment, lease_seconds))
    cut_pauses(connection, moment)


def _limits(moment: float, lease_seconds: float) -> dict[str, float]:
    end = moment + lease_seconds
    return {
        "moment": moment,
        "end": end,
        "longest_lease": end + SLACK_SECONDS,
        "longest_pause": moment + LONGEST_PAUSE_SECONDS,
    }
