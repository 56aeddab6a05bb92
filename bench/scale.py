"""The speed of a fleet with more slots and hosts: one and two CPU slots on one host, and two hosts of one slot.

python -m bench.scale        (two hosts are network namespaces: root and iproute2)
"""

import os
import time
from statistics import median

from bench.report import Row, table, write_results
from gradyard import Client
from tests.faults import network
from tests.faults.canaries import ADMIN_KEY
from tests.faults.fleet import Build, Fleet

JOBS, ROUNDS = 1500, 3
NOTES = f"""{JOBS:,} `autograd` jobs (2,000 steps on 2,000 points), from the POST of the sweep until all are stored.
PostgreSQL, API and Redis use the same cores as the workers, so two slots are less than twice as fast. {ROUNDS} rounds;
median (least-most). The two hosts are two network namespaces, with a pool of one slot each."""


def main() -> None:
    """Measure, print, and write the results down."""
    load, _, _ = os.getloadavg()
    one, two = _on_one_host()
    rates = {"1 host, 1 slot": one, "1 host, 2 slots": two}
    if (why := network.why_not()) is None:
        rates["2 hosts, 1 slot each"] = _on_two_hosts()
    rows = [Row(what, _shown(measured, one)) for what, measured in rates.items()]
    rows += [Row("2 hosts, 1 slot each", f"not run: {why}")] if why else []
    print(table(rows))
    write_results("Scale", "python -m bench.scale", NOTES, load, rows)


def _shown(rates: list[float], alone: list[float]) -> str:
    ratio = median(rates) / median(alone)
    return f"{median(rates):,.0f} jobs/s ({min(rates):,.0f}-{max(rates):,.0f}), {ratio:.2f}x"


def _on_one_host() -> tuple[list[float], list[float]]:
    fleet = Fleet(Build("postgresql"))
    try:
        fleet.start()
        with Client(fleet.url, key=ADMIN_KEY) as client:
            two = [_rate(client) for _ in range(ROUNDS + 1)][1:]
            client.drain("cpu-1")
            one = [_rate(client) for _ in range(ROUNDS + 1)][1:]
        fleet.stop()
        return one, two
    finally:
        fleet.remove()


def _on_two_hosts() -> list[float]:
    fleet = Fleet(Build("postgresql", apart=True, first_network=41))
    try:
        fleet.start()
        with Client(fleet.url, key=ADMIN_KEY) as client:
            rates = [_rate(client) for _ in range(ROUNDS + 1)][1:]
        fleet.stop()
        return rates
    finally:
        fleet.remove()


def _rate(client: Client) -> float:
    began = time.perf_counter()
    batch = client.sweep({"stage": "autograd"}, grid={"seed": range(JOBS)})
    while client.batch(batch.id).counts["succeeded"] < JOBS:
        time.sleep(0.02)
    return JOBS / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
