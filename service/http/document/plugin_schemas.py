"""The specs of plug-ins in the document, by names that meet none of gradyard's own.

A plug-in may call its classes as it likes: `Spec`, `Job`, `Loss`. Asked for all at once, pydantic would give both the
plug-in's class and gradyard's longer names, and what refers to gradyard's would lead nowhere.
"""

import re
from collections.abc import Iterable
from typing import Any

from gradyard.jobs.stages.stage import Stage
from service.http.openapi import REF


def add_plugins(schemas: dict[str, Any], stages: Iterable[Stage]) -> None:
    """Add the specs of these stages to the schemas, and to `JobSpec` as its members."""
    spec = schemas["JobSpec"]
    for stage in stages:
        for name, schema in _schemas_of(stage, schemas).items():
            schemas.setdefault(name, schema)
        ref = REF.format(model=_name_of(stage))
        spec["oneOf"].append({"$ref": ref})
        spec["discriminator"]["mapping"][stage.name] = ref


def _name_of(stage: Stage) -> str:
    """`my-mlp` has the schema `MyMlpSpec`."""
    return "".join(part.capitalize() for part in re.split("[-_]", stage.name)) + "Spec"


def _schemas_of(stage: Stage, ours: dict[str, Any]) -> dict[str, Any]:
    own = stage.spec.model_json_schema(ref_template=REF)
    parts: dict[str, Any] = own.pop("$defs", {})
    prefix = _name_of(stage)
    names = {name: name if parts[name] == ours.get(name) else f"{prefix}{name}" for name in parts}
    names.pop(stage.spec.__name__, None)  # where a spec contains itself
    refs = {REF.format(model=name): REF.format(model=new) for name, new in names.items()}
    refs[REF.format(model=stage.spec.__name__)] = REF.format(model=prefix)
    found = {prefix: parts.get(stage.spec.__name__, own)} | {new: parts[name] for name, new in names.items()}
    return {name: {**_pointing(schema, refs), "title": name} for name, schema in found.items()}


def _pointing(schema: Any, refs: dict[str, str]) -> Any:
    """The schema with other references, in its discriminators too."""
    if isinstance(schema, dict):
        return {key: _pointing(value, refs) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_pointing(each, refs) for each in schema]
    return refs.get(schema, schema) if isinstance(schema, str) else schema
