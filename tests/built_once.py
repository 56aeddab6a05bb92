"""What a test process builds once, not anew for each database and app of a test: two thirds of a small test's time.

And how long its databases wait: a machine that stands still for seconds fails no test.

None of it depends on the test: a statement as SQL, a template as Python, a route as a function that builds its URL.
"""

from collections.abc import Hashable, Iterator, MutableMapping
from types import MethodType
from typing import Any

import pytest
import sqlalchemy
from flask.sansio.app import App
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from gradyard.store import engines
from gradyard.store.database import Database

MOST_STATEMENTS = 3_000  # random questions are a statement each


def build_once(patch: pytest.MonkeyPatch) -> None:
    """Share what is built, and wait long, until `patch` is undone."""
    _share_statements(patch)
    patch.setattr(App, "jinja_options", {"bytecode_cache": _Templates()})
    _share_routes(patch)
    # What a test commits need not survive a power cut. The PostgreSQL of the tests is told the same.
    pragmas = tuple(pragma for pragma in engines.SQLITE_PRAGMAS if not pragma.startswith("synchronous="))
    patch.setattr(engines, "SQLITE_PRAGMAS", (*pragmas, "synchronous=OFF"))
    patch.setattr(engines, "CONNECT_SECONDS", 60)
    # Of every database that says no other time; those of silent transactions do.
    defaults: Any = Database.__init__.__kwdefaults__
    patch.setitem(defaults, "silent_transaction_seconds", 60.0)


class _Statements(MutableMapping[tuple[Hashable, ...], Any]):
    """Compiled statements of all engines of one driver. SQLAlchemy's key begins with the dialect of one engine."""

    def __init__(self) -> None:
        self._kept: LRUCache[Hashable, Any] = LRUCache(MOST_STATEMENTS)

    def __getitem__(self, key: tuple[Hashable, ...]) -> Any:
        return self._kept[key[1:]]

    def __setitem__(self, key: tuple[Hashable, ...], compiled: Any) -> None:
        self._kept[key[1:]] = compiled

    def __delitem__(self, key: tuple[Hashable, ...]) -> None:
        del self._kept[key[1:]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _share_statements(patch: pytest.MonkeyPatch) -> None:
    kept: dict[str, _Statements] = {}

    def create_engine(url: sqlalchemy.URL, **options: Any) -> sqlalchemy.Engine:
        statements = kept.setdefault(url.drivername, _Statements())
        return sqlalchemy.create_engine(url, execution_options={"compiled_cache": statements}, **options)

    patch.setattr(engines, "create_engine", create_engine)


class _Templates(BytecodeCache):
    """Compiled templates of all apps."""

    def __init__(self) -> None:
        self._code: dict[str, Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(f"{bucket.key} {bucket.checksum}")

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[f"{bucket.key} {bucket.checksum}"] = bucket.code


def _share_routes(patch: pytest.MonkeyPatch) -> None:
    # What a rule is compiled to says nothing of its app. The functions that build URLs have the rule as an argument.
    compile_rule = Rule.compile
    compiled: dict[Hashable, Rule] = {}

    def compile_once(rule: Rule) -> None:
        key = rule.rule, rule.subdomain, rule.host, rule.merge_slashes, rule.map.host_matching
        first = compiled.setdefault(key, rule)
        if first is rule or rule.defaults or first.defaults:
            compile_rule(rule)
            return
        for name in ("_parts", "_trace", "_converters", "arguments"):
            setattr(rule, name, getattr(first, name))
        for name in ("_build", "_build_unknown"):
            setattr(rule, name, MethodType(getattr(first, name).__func__, rule))

    patch.setattr(Rule, "compile", compile_once)
