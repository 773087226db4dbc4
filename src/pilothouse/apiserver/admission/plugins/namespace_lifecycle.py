"""NamespaceLifecycle: nothing new in a namespace that is not there or is going, and some namespaces stay for ever.

Source: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
"""

from pilothouse.api.machinery import errors
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write

_FOR_EVER = ("default", "kube-system", "kube-public")
_REVIEWS = "localsubjectaccessreviews"
"""Asked about a namespace, not put into it."""


class NamespaceLifecycle(Admission):
    """Upstream's plugin of this name."""

    name = "NamespaceLifecycle"
    order = 10

    async def mutate(self, write: Write) -> None:
        """Refuse."""
        resource = write.resource
        if resource.qualified_name == "namespaces":
            if write.operation is Operation.DELETE and write.name in _FOR_EVER:
                raise errors.forbidden("namespaces", "", write.name, "this namespace may not be deleted")
            return
        if not write.namespace or write.operation is not Operation.CREATE or resource.plural == _REVIEWS:
            return
        cache = self.cache.of("", "namespaces")
        entry = cache.get("", write.namespace)
        if entry is None:
            await self.cache.reach_latest()
            entry = cache.get("", write.namespace)
        if entry is None:
            raise errors.not_found("namespaces", "", write.namespace)
        if entry.fields.get("status.phase") == "Terminating":
            raise _terminating(write)


def _terminating(write: Write) -> errors.Forbidden:
    namespace = write.namespace
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = errors.forbidden(write.resource.plural, write.resource.group, write.name, why)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    error.details["causes"] = [cause]
    return error
