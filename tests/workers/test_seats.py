"""Two pools of one host never hold one slot."""

import subprocess
import sys

from jobs.settings import load
from workers.devices import Slot
from workers.seats import Seats

HOLDER = """
import sys
from jobs.settings import load
from workers.devices import Slot
from workers.seats import Seats
seats = Seats(load(database_url=sys.argv[1]))
print(seats.take(Slot("cpu-0", "cpu")), flush=True)
sys.stdin.read()
"""


def test_a_slot_is_held_until_its_pool_ends_even_by_a_kill() -> None:
    url = f"sqlite:///seats-{id(HOLDER)}.db"
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "None\n"
        seats = Seats(load(database_url=url))
        assert seats.take(Slot("cpu-0", "cpu")) == f"pool {holder.pid}"
        assert seats.take(Slot("cpu-1", "cpu")) is None
        assert Seats(load(database_url=url + "-other")).take(Slot("cpu-0", "cpu")) is None
        holder.kill()
    assert seats.take(Slot("cpu-0", "cpu")) is None
