"""Forms: which of the shapes an object or a list can take the client accepts.

`Accept` names media types in the order of preference, with parameters that ask for a Table or for metadata alone:
`application/json;as=Table;v=v1;g=meta.k8s.io`. Source: the API concepts page and endpoints/handlers/negotiation.
"""

from dataclasses import dataclass

from pilothouse.api.machinery.codec import protobuf
from pilothouse.api.machinery.errors import NotAcceptable
from pilothouse.runtime.short_memo import short_memo

JSON, YAML, PROTOBUF = "application/json", "application/yaml", protobuf.MEDIA_TYPE
_META = "meta.k8s.io"
_SHAPES = {"Table": ("v1", "v1beta1"), "PartialObjectMetadata": ("v1", "v1beta1"),
           "PartialObjectMetadataList": ("v1", "v1beta1")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """How the answer shall look. `shape` is empty for the object itself, `Table`, or `PartialObjectMetadata`."""

    media_type: str = JSON
    shape: str = ""
    version: str = "v1"
    group: str = ""


_DISCOVERY = ("apidiscovery.k8s.io", "APIGroupDiscoveryList")
_ANY = {"*/*": JSON, "application/*": JSON, "text/yaml": YAML}


@short_memo(256)
def negotiate(
    accept: str, served: tuple[str, ...] = (JSON, YAML, PROTOBUF), *, tables: bool = True, discovery: bool = False
) -> Form:
    """The first acceptable form that is served. Raises NotAcceptable as upstream words it.

    Without `tables` there are none: of what is an answer and no object. `discovery` has its own form.
    """
    if not accept:
        return Form()
    for clause in in_preference(accept):
        media_type, *parameters = (part.strip() for part in clause.split(";"))
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        named = _ANY.get(media_type.lower(), media_type.lower())
        if named not in served or given.get("stream", "watch") != "watch":
            continue
        shape = given.get("as", "")
        if not shape:
            return Form(named)
        version, group = given.get("v", ""), given.get("g", "")
        if shape == "Table" and named == PROTOBUF:
            continue
        if group == _META and version in _SHAPES.get(shape, ()) and (tables or shape != "Table"):
            return Form(named, shape.removesuffix("List"), version, group)
        if discovery and (group, shape) == _DISCOVERY and version in ("v2", "v2beta1"):
            return Form(named, shape, version, group)
    raise NotAcceptable(f"only the following media types are accepted: {', '.join(served)}")


def in_preference(accept: str) -> list[str]:
    """The clauses, those of higher quality first."""

    def quality(clause: str) -> float:
        for parameter in clause.split(";")[1:]:
            name, _, value = parameter.strip().partition("=")
            if name == "q":
                try:
                    return -float(value)
                except ValueError:
                    return 0.0
        return -1.0

    return sorted((clause.strip() for clause in accept.split(",")), key=quality)
