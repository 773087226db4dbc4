"""May somebody do something: `authorizer.group('apps').resource('deployments').check('create').allowed()`.

The functions gather the question; who answers it is given from outside with the variable `authorizer`. Evaluation is
synchronous: an answer that has to be awaited is had by raising something that is no EvaluationError, which passes
through every `||`, and evaluating again once the answer is known. Source: apiserver/pkg/cel/library/authz.go.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.values import Opaque
from pilothouse.api.machinery.names import dns_label, dns_subdomain


@dataclass(frozen=True, slots=True)
class AccessQuestion:
    """What is asked. Without `service_account` it is asked of who sent the request."""

    verb: str = ""
    path: str = ""
    """Set of what is no resource."""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    service_account: tuple[str, str] | None = None
    """Namespace and name."""


@dataclass(frozen=True, slots=True)
class Decision(Opaque):
    """The answer."""

    allowed: bool
    reason: str = ""
    error: str | None = None

    type_name = "kubernetes.authorization.Decision"


Decide = Callable[[AccessQuestion], Decision]


@dataclass(frozen=True, slots=True, eq=False)
class _Asking(Opaque):
    decide: Decide
    question: AccessQuestion = AccessQuestion()


class Authorizer(_Asking):
    """The variable `authorizer`: `Authorizer(decide)`."""

    __slots__ = ()
    type_name = "kubernetes.authorization.Authorizer"


class PathCheck(_Asking):
    """A path, so far."""

    __slots__ = ()
    type_name = "kubernetes.authorization.PathCheck"


class GroupCheck(_Asking):
    """A group, so far."""

    __slots__ = ()
    type_name = "kubernetes.authorization.GroupCheck"


class ResourceCheck(_Asking):
    """A resource, so far: also the variable `authorizer.requestResource`."""

    __slots__ = ()
    type_name = "kubernetes.authorization.ResourceCheck"


def _path(authorizer: Authorizer, path: str) -> PathCheck:
    if not path.strip():
        raise EvaluationError("path must not be empty")
    return PathCheck(authorizer.decide, replace(authorizer.question, path=path))


def _group(authorizer: Authorizer, group: str) -> GroupCheck:
    return GroupCheck(authorizer.decide, replace(authorizer.question, group=group))


def _service_account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    if dns_subdomain(name):
        raise EvaluationError("Invalid service account name")
    if dns_label(namespace):
        raise EvaluationError("Invalid service account namespace")
    return Authorizer(authorizer.decide, AccessQuestion(service_account=(namespace, name)))


def _resource(check: GroupCheck, resource: str) -> ResourceCheck:
    if not resource.strip():
        raise EvaluationError("resource must not be empty")
    return ResourceCheck(check.decide, replace(check.question, resource=resource))


def _narrowed(field: str) -> Callable[[ResourceCheck, str], ResourceCheck]:
    def run(check: ResourceCheck, value: str) -> ResourceCheck:
        return ResourceCheck(check.decide, replace(check.question, **{field: value}))  # type: ignore[arg-type]

    return run


def _check(asking: PathCheck | ResourceCheck, verb: str) -> Decision:
    return asking.decide(replace(asking.question, verb=verb))


AUTHORIZER = library(
    """
    path authorizer_path Authorizer.(string) PathCheck
    group authorizer_group Authorizer.(string) GroupCheck
    serviceAccount authorizer_serviceaccount Authorizer.(string, string) Authorizer
    resource groupcheck_resource GroupCheck.(string) ResourceCheck
    subresource resourcecheck_subresource ResourceCheck.(string) ResourceCheck
    namespace resourcecheck_namespace ResourceCheck.(string) ResourceCheck
    name resourcecheck_name ResourceCheck.(string) ResourceCheck
    fieldSelector authorizer_fieldselector ResourceCheck.(string) ResourceCheck
    labelSelector authorizer_labelselector ResourceCheck.(string) ResourceCheck
    check pathcheck_check PathCheck.(string) Decision
    check resourcecheck_check ResourceCheck.(string) Decision
    errored decision_errored Decision.() bool
    error decision_error Decision.() string
    allowed decision_allowed Decision.() bool
    reason decision_reason Decision.() string
    """,
    {
        "path": _path,
        "group": _group,
        "serviceAccount": _service_account,
        "resource": _resource,
        "subresource": _narrowed("subresource"),
        "namespace": _narrowed("namespace"),
        "name": _narrowed("name"),
        "fieldSelector": _narrowed("field_selector"),
        "labelSelector": _narrowed("label_selector"),
        "check": _check,
        "errored": lambda decision: decision.error is not None,
        "error": lambda decision: decision.error or "",
        "allowed": lambda decision: decision.allowed,
        "reason": lambda decision: decision.reason,
    },
)
