"""Stage: validate. The object as it would be stored satisfies the rules of all objects and those of its kind."""

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import (
    validate_finalizer_names,
    validate_object_meta,
    validate_object_meta_update,
)
from pilothouse.apiserver.pipeline.write import Write

_KNOWN_FINALIZERS = frozenset({
    "", "apps", "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
    "events.k8s.io", "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy",
    "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
})  # fmt: skip
"""Groups whose objects have no finalizers of their own without a domain; custom resources may."""


def validate(write: Write) -> None:
    """Raise Invalid with all that is wrong."""
    wrong = FieldErrors()
    if write.old is None:
        _validate_create(write, wrong)
    else:
        _validate_update(write, wrong)
    if wrong:
        raise errors.invalid(write.resource.name, write.resource.group, write.name, wrong)


def warn(write: Write) -> None:
    """Tell the writer of an accepted object what of it is of no use; a second try says nothing twice."""
    resource, part = write.resource, write.subresource
    if resource.warn is None or (part is not None and part.scale is None):
        return
    assert write.new is not None
    told = write.exchange.warnings
    told += [text for text in resource.warn(write.new, write.old) if text not in told]


def _validate_create(write: Write, wrong: FieldErrors) -> None:
    resource, new = write.resource, write.new
    assert new is not None
    validate_object_meta(
        new["metadata"], namespaced=resource.namespaced, validate_name=resource.validate_name, errors=wrong
    )
    _validate_finalizers(write, new["metadata"].get("finalizers"), wrong)
    resource.validate(new, wrong)
    resource.validate_create(new, wrong)


def _validate_update(write: Write, wrong: FieldErrors) -> None:
    resource, new, old = write.resource, write.new, write.old
    assert new is not None
    assert old is not None
    validate_object_meta_update(new["metadata"], old["metadata"], errors=wrong)
    _validate_finalizers(write, new["metadata"].get("finalizers"), wrong)
    if write.subresource is None or write.subresource.scale is not None:
        resource.validate(new, wrong)
        resource.validate_update(new, old, wrong)
    elif write.subresource.validate is not None:
        write.subresource.validate(new, old, wrong)
    else:
        resource.validate_status(new, old, wrong)


def _validate_finalizers(write: Write, finalizers: list[str] | None, wrong: FieldErrors) -> None:
    if finalizers and write.resource.group in _KNOWN_FINALIZERS:
        validate_finalizer_names(finalizers, wrong, "metadata.finalizers")
