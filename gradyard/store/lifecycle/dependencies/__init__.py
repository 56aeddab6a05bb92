"""Jobs that wait for other jobs and batches: what a request names, how a wait begins, and how it ends.

It begins in the transaction that stores the job (`asked.py`, `begin.py`). Whether it is over follows from the states of
what it waits for, so nothing is counted, and nothing is lost where a process dies in between: an end is found by its
mark (`decide.py`), and the jobs of a wait that is over move in slices (`release.py`). Workers do both right after the
end of a pack, and maintenance for all other ends.
"""
