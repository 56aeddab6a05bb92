"""The script of a page: one file, made of a module and of all that it imports. Each request more takes some 20 ms."""

import posixpath
import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function|class) (\w+))", re.MULTILINE)
_OTHER_FORM = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class NotBundled(ValueError):
    """Modules that cannot become one file; says which and why."""


def script_of(name: str, modules: Mapping[str, str]) -> str:
    """The text of a module, after those of all modules that it imports; each of them once, in a scope of its own.

    name: of the module among `modules`, texts by their paths. An import is a line of its own: of names
    (`import { a, b as c } from "./other.js";`) or of all that a module does (`import "./other.js";`). An export stands
    before a `const`, `function` or `class`. Raises NotBundled where a module has another form, is not there, or
    imports itself by way of others.
    """
    written: dict[str, str] = {}
    _write(name, modules, written, ())
    return "".join(written.values())


def _write(name: str, modules: Mapping[str, str], written: dict[str, str], importers: tuple[str, ...]) -> None:
    if name in written:
        return
    if name not in modules or name in importers:
        raise NotBundled(f"{' imports '.join([*importers, name])}, which is {_wrong(name, modules)}")

    def as_constants(found: re.Match[str]) -> str:
        names, imported = found[1], posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2]))
        _write(imported, modules, written, (*importers, name))
        return "" if names is None else f"const {{{names.replace(' as ', ': ')}}} = {_variable(imported)};"

    text = _IMPORT.sub(as_constants, modules[name])
    exported = ", ".join(_EXPORT.findall(text))
    text = _EXPORT.sub("", text)
    if other := _OTHER_FORM.search(text):
        raise NotBundled(f"{name} has a form that is not known here: {other[0]}")
    written[name] = f"// {name}\nconst {_variable(name)} = (() => {{\n{text}\nreturn {{ {exported} }};\n}})();\n"


def _wrong(name: str, modules: Mapping[str, str]) -> str:
    return "among its own importers" if name in modules else "not there"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
