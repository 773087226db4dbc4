"""What the expressions of policies and match conditions may speak of, and what they must come to.

Objects and parameters are of whatever kind, so nothing is known of their types; the request and the namespace are. A
policy's variables are fields of `variables`, each known to those after it. Sources:
apiserver/pkg/admission/plugin/cel/{compile,composition}.go; pkg/apis/admissionregistration/validation/validation.go.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.cel.environment import Environment, Extra
from pilothouse.api.machinery.cel.errors import CompileError
from pilothouse.api.machinery.cel.program import Program, compile_expression
from pilothouse.api.machinery.cel.structs import JSON_PATCH, mutation_structs, object_type
from pilothouse.api.machinery.cel.types import (
    AUTHORIZER,
    BOOL,
    DYN,
    INT,
    NULL,
    RESOURCE_CHECK,
    STRING,
    TIMESTAMP,
    CelType,
    list_of,
    map_of,
    object_of,
)
from pilothouse.api.machinery.field import FieldErrors

_STRINGS = list_of(STRING)
_LABELS = map_of(STRING, STRING)
_KIND = object_of("kubernetes.GroupVersionKind", dict.fromkeys(("group", "version", "kind"), STRING))
_RESOURCE = object_of("kubernetes.GroupVersionResource", dict.fromkeys(("group", "version", "resource"), STRING))
_USER = object_of(
    "kubernetes.UserInfo",
    {"username": STRING, "uid": STRING, "groups": _STRINGS, "extra": map_of(STRING, _STRINGS)},
)
REQUEST = object_of(
    "kubernetes.AdmissionRequest",
    {
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": STRING,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": STRING,
        "name": STRING,
        "namespace": STRING,
        "operation": STRING,
        "userInfo": _USER,
        "dryRun": BOOL,
        "options": DYN,
    },
)
_NAMESPACE_METADATA = object_of(
    "kubernetes.NamespaceMetadata",
    {
        **dict.fromkeys(("name", "generateName", "namespace", "UID", "resourceVersion"), STRING),
        **dict.fromkeys(("labels", "annotations"), _LABELS),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), TIMESTAMP),
        **dict.fromkeys(("deletionGracePeriodSeconds", "generation"), INT),
        "finalizers": _STRINGS,
    },
)
_NAMESPACE_CONDITION = object_of(
    "kubernetes.NamespaceCondition",
    {**dict.fromkeys(("status", "type", "message", "reason"), STRING), "lastTransitionTime": TIMESTAMP},
)
_CONDITIONS = list_of(_NAMESPACE_CONDITION)
NAMESPACE = object_of(
    "kubernetes.Namespace",
    {
        "metadata": _NAMESPACE_METADATA,
        "spec": object_of("kubernetes.NamespaceSpec", {"finalizers": _STRINGS}),
        "status": object_of("kubernetes.NamespaceStatus", {"conditions": _CONDITIONS, "phase": STRING}),
    },
)
"""What of a Namespace expressions see; upstream's type says UID where the object has uid."""
_CONDITION = (BOOL,)
_MESSAGE = (STRING,)
_ANNOTATION = (STRING, NULL)
_APPLY = (object_type(),)
_JSON_PATCH = (list_of(JSON_PATCH),)


def variables_of(
    *, params: bool, authorizer: bool = True, types: Mapping[str, CelType] | None = None
) -> dict[str, CelType]:
    """What every expression may speak of; `types` are what is known better of some."""
    found = {"object": DYN, "oldObject": DYN, "namespaceObject": NAMESPACE, "request": REQUEST}
    if params:
        found["params"] = DYN
    if authorizer:
        found |= {"authorizer": AUTHORIZER, "authorizer.requestResource": RESOURCE_CHECK}
    return found | dict(types or {})


class Expressions:
    """Compiles the expressions of one policy, or of the match conditions of a webhook, one after the other.

    All methods raise CompileError. A variable that does not compile is known all the same, as of any type.
    """

    def __init__(self, *, params: bool, types: Mapping[str, CelType] | None = None) -> None:
        self._plain = Environment(variables_of(params=params, types=types))
        self._silent = Environment(variables_of(params=params, types=types, authorizer=False))
        self._mutating = Environment(self._plain.variables, structs=mutation_structs, extras=(Extra.JSON_PATCH,))
        self._variables: dict[str, CelType] = {}

    def variable(self, name: str, text: str) -> Program:
        """What those after it may call `variables.name`."""
        found = DYN
        try:
            program = compile_expression(text, self._within(self._plain))
            found = program.result
        finally:
            self._variables[name] = found
        return program

    def condition(self, text: str) -> Program:
        """A match condition, which knows no variables."""
        return compile_expression(text, self._plain, _CONDITION)

    def validation(self, text: str) -> Program:
        """What must hold."""
        return compile_expression(text, self._within(self._plain), _CONDITION)

    def message(self, text: str) -> Program:
        """What is said where it does not; asks nobody for leave."""
        return compile_expression(text, self._within(self._silent), _MESSAGE)

    def annotation(self, text: str) -> Program:
        """What is noted in the audit log."""
        return compile_expression(text, self._within(self._plain), _ANNOTATION)

    def apply(self, text: str) -> Program:
        """An apply configuration."""
        return compile_expression(text, self._within(self._mutating), _APPLY)

    def json_patch(self, text: str) -> Program:
        """The operations of a JSON patch."""
        return compile_expression(text, self._within(self._mutating), _JSON_PATCH)

    def anything(self, text: str) -> Program:
        """An expression that may come to whatever it likes: types are checked within it alone."""
        return compile_expression(text, self._within(self._plain))

    def _within(self, environment: Environment) -> Environment:
        if not self._variables:
            return environment
        return environment.extended({"variables": object_of("kubernetes.variables", dict(self._variables))})


def report(error: CompileError, text: str, errors: FieldErrors, path: str) -> None:
    """Say what is wrong with an expression of an object."""
    errors.invalid(path, text, error.detail)
