"""The receipt of a finished job: hashes by which others can check, later and without the service, what it was."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from gradyard.jobs.evidence.canonical_json import canonical
from gradyard.jobs.specs.base import WITHOUT_EFFECT
from gradyard.jobs.specs.datasets import stored_dataset

FORM = 1
"""Of the receipt. It is raised where a field is left out or means something else, not where one is added."""


def digest(*blocks: bytes) -> str:
    """The SHA-256 of the blocks one after another, in hexadecimal."""
    return digest_of(blocks)


def digest_of(blocks: Iterable[bytes]) -> str:
    """The SHA-256 of the blocks one after another, in hexadecimal; one block is in memory at a time."""
    found = hashlib.sha256()
    for block in blocks:
        found.update(block)
    return found.hexdigest()


def spec_digest(spec: Mapping[str, Any]) -> str:
    """The hash of a stored spec without what changes no number of the result, such as its name and its priority."""
    return digest(canonical({name: value for name, value in spec.items() if name not in WITHOUT_EFFECT}))


def dataset_digest(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The kind of a stored data set, and the hash of its numbers (float64, x before y), or else of its description.

    A function's values may differ in their last bits from one processor to another, so they are not hashed. Its
    description is hashed as it is stored: a later version may know more fields, each with a default.
    """
    known = stored_dataset(dataset)
    arrays = [array.astype("<f8", copy=False).tobytes() for array in known.arrays().values()]
    return {"kind": known.kind, "sha256": digest(*arrays) if arrays else digest(canonical(dataset))}


def sealed(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt with the hash of all of it as `sha256`."""
    return {**receipt, "sha256": digest(canonical(receipt))}
