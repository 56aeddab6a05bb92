"""The fault runner: real processes under load, faults that are known to have bitten, and a checker that reads the rows.

`orders` says what is submitted, `fleet` starts the parts, `load` submits, `watch` looks on, the `*_faults` inflict,
`checker` proves from the database, `report` prints. `python -m tests.faults --help` runs it.
"""
