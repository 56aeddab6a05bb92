"""The fault runner: puts faults into real processes under load, and proves from the database that no job suffered.

A fault "bites" when it did harm that the service had to survive; a run counts only these. `orders` makes the jobs,
`fleet` starts the service, `load` submits, `lives` cancels, retries and deletes, `watch` follows running jobs,
`*_faults` inflict, `checker` and `verb_checks` check the rows, `verification` asks them all, `report` prints. Run
it with `python -m tests.faults`; `--help` lists the options.
"""
