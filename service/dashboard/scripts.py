"""The script of a page is one file, made of a module and of all that it imports: docs/decisions/0042."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function|class) ([\w$]+))", re.MULTILINE)
_OTHER_FORM = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class NotBundled(ValueError):
    """Modules that cannot become one file; says which and why."""


@dataclass(frozen=True)
class _Written:
    text: str
    exports: tuple[str, ...]


def script_of(name: str, modules: Mapping[str, str]) -> str:
    """The text of a module, after those of all modules that it imports; each of them once, in a scope of its own.

    name: of the module among `modules`, texts by their paths. An import is a line of its own: of names
    (`import { a, b as c } from "./other.js";`) or of all that a module does (`import "./other.js";`). An export stands
    before a `const` of one name, a `function` or a `class`. Raises NotBundled where a module has another form, imports
    what is not there, or imports itself by way of others.
    """
    written: dict[str, _Written] = {}
    _write(name, modules, written, ())
    return "".join(each.text for each in written.values())


def _write(name: str, modules: Mapping[str, str], written: dict[str, _Written], importers: tuple[str, ...]) -> None:
    if name in written:
        return
    if name not in modules or name in importers:
        why = "among its own importers" if name in modules else "not there"
        raise NotBundled(f"{' imports '.join([*importers, name])}, which is {why}")

    def as_constants(found: re.Match[str]) -> str:
        imported = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2]))
        _write(imported, modules, written, (*importers, name))
        if found[1] is None:
            return ""
        _check_names(name, found[1], imported, written[imported].exports)
        return f"const {{{found[1].replace(' as ', ': ')}}} = {_variable(imported)};"

    text = _IMPORT.sub(as_constants, modules[name])
    exports = tuple(_EXPORT.findall(text))
    text = _EXPORT.sub("", text)
    if other := _OTHER_FORM.search(text):
        raise NotBundled(f"{name} has a form that is not known here: {other[0]}")
    whole = f"// {name}\nconst {_variable(name)} = (() => {{\n{text}\nreturn {{ {', '.join(exports)} }};\n}})();\n"
    written[name] = _Written(whole, exports)


def _check_names(name: str, names: str, imported: str, exports: tuple[str, ...]) -> None:
    """A browser refuses a module that imports a name which is not there; a constant would only be undefined."""
    for each in names.split(","):
        wanted = each.split(" as ")[0].strip()
        if wanted not in exports:
            raise NotBundled(f"{name} imports {wanted} from {imported}, which does not export it")


def _variable(name: str) -> str:
    """A name that no other path has, and no module uses."""
    return "$" + name.removesuffix(".js").replace("/", "$")
