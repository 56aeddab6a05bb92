"""One JSON text for equal values, so that its hash tells whether two are equal."""

import json
from typing import Any


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, without white space, in UTF-8; numbers have the shortest digits, as Python writes them."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
