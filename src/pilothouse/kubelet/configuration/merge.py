"""Layers of a configuration laid over each other: pure. Defaults, then a file, then further files, then flags.

A field of a file replaces what was there; a further file is a merge patch, so that it may add one entry to a map.
Source: cmd/kubelet/app/server.go, SetDefaults_KubeletConfiguration; KEP-3983.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pilothouse.api.machinery.patch.merge import apply_merge_patch
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.configuration.fields import schema, upstream_defaults
from pilothouse.kubelet.configuration.files import checked

SERIAL, PARALLEL = "serializeImagePulls", "maxParallelImagePulls"
_UPDATE, _REPORT = "nodeStatusUpdateFrequency", "nodeStatusReportFrequency"
_TOGETHER = ((SERIAL, PARALLEL), ("imageGCHighThresholdPercent", "imageGCLowThresholdPercent"))
"""Fields that bound each other: who sets one of them means it with upstream's default of the other."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What is set besides the defaults."""

    file: JsonObject = field(default_factory=dict)
    further: Sequence[JsonObject] = ()
    """Merge patches, in their order."""
    flags: JsonObject = field(default_factory=dict)


def merged(base: JsonObject, layers: Layers) -> JsonObject:
    """The whole document, each field of which is what it is to be. Raises ConfigurationError."""
    base = _without_rivals(base, [layers.file, *layers.further])
    document = lay(base, _dependent(layers.file))
    for patch in layers.further:
        document = apply_merge_patch(document, patch)
    if layers.further:
        document = lay(base, checked(document))
    return lay(document, layers.flags)


def lay(under: JsonObject, over: JsonObject) -> JsonObject:
    """One document over the other, field by field."""
    return _lay(schema(), under, over)


def _lay(node: Schema, under: JsonObject, over: JsonObject) -> JsonObject:
    laid = dict(under)
    for name, value in over.items():
        inner = node.properties.get(name)
        deeper = inner is not None and inner.is_struct and isinstance(value, dict)
        laid[name] = _lay(inner, under.get(name) or {}, value) if deeper and inner is not None else value
    return laid


def _without_rivals(base: JsonObject, layers: Iterable[JsonObject]) -> JsonObject:
    named = {name for layer in layers for name in layer}
    back = {name for group in _TOGETHER if named & {*group} for name in group}
    theirs = {name: value for name, value in upstream_defaults().items() if name in back}
    return {**{name: value for name, value in base.items() if name not in back}, **theirs}


def _dependent(file: JsonObject) -> JsonObject:
    """With the defaults that depend on what else is set."""
    found = dict(file)
    if PARALLEL in file and SERIAL not in file:
        found[SERIAL] = file[PARALLEL] < 2
    if _UPDATE in file and _REPORT not in file:
        found[_REPORT] = file[_UPDATE]
    return found
