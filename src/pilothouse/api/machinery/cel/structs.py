"""The types that mutating policies build: `Object{...}` with what is below it, and `JSONPatch{...}`.

`Object` and every `Object.a.b` have whatever fields an expression gives them: `Object.spec{replicas: 3}` is of the type
of the field `spec` of `Object`; the policy's schema check comes later, when the configuration is applied. Source:
apiserver/pkg/cel/mutation (dynamic.go, jsonpatch.go, typeresolver.go).
"""

from pilothouse.api.machinery.cel.types import DYN, STRING, CelType, object_of

JSON_PATCH = object_of("JSONPatch", {"op": STRING, "path": STRING, "from": STRING, "value": DYN})


def mutation_structs(name: str) -> CelType | None:
    """For `Environment(structs=...)`: the type of this name, None where it is no type of mutating policies."""
    if name == JSON_PATCH.name:
        return JSON_PATCH
    if name == "Object" or name.startswith("Object."):
        return object_type(name)
    return None


def object_type(path: str = "Object") -> CelType:
    """`Object`, or the type of a field below it. Which types its fields take is decided by what is given to them."""
    return object_of(path, lambda _field: DYN)
