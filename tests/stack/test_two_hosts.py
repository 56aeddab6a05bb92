"""Two worker hosts in separate networks share one PostgreSQL and one Redis. Both train, also after one was cut off."""

from collections.abc import Iterator

import pytest

from gradyard import Client
from tests.faults import network
from tests.faults.canaries import ADMIN_KEY
from tests.faults.fleet import Build, Fleet, Host
from tests.stack.until import until

pytestmark = pytest.mark.stack

QUICK = {"GRADYARD_LEASE_SECONDS": "3", "GRADYARD_HEARTBEAT_SECONDS": "0.5", "GRADYARD_MAX_PACK": "2"}
CABLES = (network.REDIS, network.DATABASE)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A service with two worker hosts of one slot each."""
    if why := network.why_not():
        pytest.skip(why)
    fleet = Fleet(Build("postgresql", QUICK, apart=True, first_network=31))
    try:
        fleet.start()
        yield fleet
        fleet.stop()
    finally:
        fleet.remove()


def hosts_of_sweep(client: Client, jobs: int) -> set[str]:
    """Train that many jobs, which must all succeed, and return the names of the hosts that trained them."""
    batch = client.sweep({"stage": "autograd", "steps": 1000}, grid={"seed": range(jobs)})
    client.wait_batch(batch.id)
    jobs_of_batch = list(client.jobs(batch=batch.id))
    assert {job.state for job in jobs_of_batch} == {"succeeded"}
    histories = [client.events(job.id) for job in jobs_of_batch]
    claims = [next(event for event in reversed(events) if event.to_state == "running") for events in histories]
    return {claim.actor.partition("@")[2].partition(" ")[0] for claim in claims}


def alive(client: Client) -> set[str]:
    return {worker.host for worker in client.workers() if worker.state != "dead"}


def test_both_hosts_train_and_one_goes_on_while_the_other_is_cut_off(fleet: Fleet) -> None:
    first, second = (host.name for host in fleet.hosts)
    cut: Host = fleet.hosts[0]
    with Client(fleet.url, key=ADMIN_KEY) as client:
        until(lambda: hosts_of_sweep(client, 12) == {first, second})
        assert cut.namespace is not None
        for cable in CABLES:
            cut.namespace.cut(cable)
        until(lambda: alive(client) == {second})
        assert hosts_of_sweep(client, 4) == {second}
        for cable in CABLES:
            cut.namespace.mend(cable)
        until(lambda: alive(client) == {first, second})
        until(lambda: hosts_of_sweep(client, 12) == {first, second})  # it receives bells a little later
