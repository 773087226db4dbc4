"""What may change through a pod's subresources `ephemeralcontainers` and `resize`.

Source: ValidatePodEphemeralContainersUpdate and ValidatePodResize in pkg/apis/core/validation/validation.go; KEP-1287.
"""

from pilothouse.api.core.pod.qos import qos_class
from pilothouse.api.core.pod.resources import amounts, is_sidecar
from pilothouse.api.core.pod.update import check_annotations, difference, same
from pilothouse.api.core.pod.validation.annotations import MIRROR
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.view import JsonObject


def validate_ephemeral_containers_update(pod: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Check a change through `ephemeralcontainers`, after `validate`: they can be added, nothing else."""
    check_annotations(pod, old, errors)
    if MIRROR in ((old.get("metadata") or {}).get("annotations") or {}):
        errors.clear()
        errors.forbidden("[]", "static pods do not support ephemeral containers")
        return
    path = "spec.ephemeralContainers"
    new = {c.get("name"): c for c in (pod.get("spec") or {}).get("ephemeralContainers") or ()}
    for stored in (old.get("spec") or {}).get("ephemeralContainers") or ():
        name = stored.get("name")
        if name not in new:
            errors.forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n')
        elif not same(new[name], stored):
            words = f'existing ephemeral containers "{name}" may not be changed\n{difference(stored, new[name])}'
            errors.forbidden(path, words)


def validate_resize(pod: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Check a change through `resize`, after `validate`: CPU and memory of what runs, within its class."""
    spec, before = pod.get("spec") or {}, old.get("spec") or {}
    refusal = ""
    if MIRROR in ((old.get("metadata") or {}).get("annotations") or {}):
        refusal = "static pods cannot be resized"
    elif (before.get("os") or {}).get("name") == "windows":
        refusal = "windows pods cannot be resized"
    if refusal:
        errors.clear()
        errors.forbidden("[]", refusal)
        return
    for kind in ("containers", "initContainers"):
        if [c.get("name") for c in spec.get(kind) or ()] != [c.get("name") for c in before.get(kind) or ()]:
            errors.forbidden("spec", "only cpu and memory resources are mutable")
            return
    stored_class = (old.get("status") or {}).get("qosClass") or qos_class(old)
    if stored_class != qos_class(pod):
        errors.invalid("spec", stored_class, "Pod QOS Class may not change as a result of resizing")
    running = [c for c in (old.get("status") or {}).get("containerStatuses") or ()
               if (c.get("state") or {}).get("running") is not None]  # fmt: skip
    if running and running[0].get("resources") is None:
        errors.forbidden("spec", "Pod running on node without support for resize")
    for kind in ("initContainers", "containers"):
        for position, (new, stored) in enumerate(zip(spec.get(kind) or (), before.get(kind) or (), strict=True)):
            if kind == "containers" or is_sidecar(stored):
                _validate_container_resize(new, stored, errors, f"spec.{kind}[{position}].resources")
                if not same(_without_compute(new), _without_compute(stored)):
                    whose = "" if kind == "containers" else " for sidecar containers"
                    errors.forbidden("spec", f"only cpu and memory resources{whose} are mutable")
            elif not same(new, stored):
                errors.forbidden("spec", "resources for non-sidecar init containers are immutable")


def _validate_container_resize(new: JsonObject, old: JsonObject, errors: FieldErrors, path: str) -> None:
    now, before = new.get("resources") or {}, old.get("resources") or {}
    for kind in ("requests", "limits"):
        if not set(before.get(kind) or ()) <= set(now.get(kind) or ()):
            errors.forbidden(at(path, kind), f"resource {kind} cannot be removed")


def _without_compute(container: JsonObject) -> JsonObject:
    """The container without the amounts that may be resized, and without its policies for it."""
    resources = container.get("resources") or {}
    kept: JsonObject = {
        kind: {name: str(amount) for name, amount in amounts(resources, kind).items() if name not in ("cpu", "memory")}
        for kind in ("requests", "limits")
    }
    return {**container, "resources": {**kept, "claims": resources.get("claims")}, "resizePolicy": None}
