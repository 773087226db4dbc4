"""Rules for environment variables, and for references to the pod's own fields (the downward API)."""

from pilothouse.api.core.pod.resources import quantity
from pilothouse.api.core.pod.validation.paths import file_mode, local_not_reserved
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import config_map_key, dns_label, dns_subdomain, env_var_name, label_key
from pilothouse.api.machinery.view import JsonObject

_ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_FILE_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_KNOWN_FIELDS = frozenset({*_ENV_FIELDS, *_FILE_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"})
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
    "requests.memory",
)  # fmt: skip
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_BYTE_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_ENV_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def validate_env(variables: list[JsonObject], errors: FieldErrors, path: str) -> None:
    """Every variable has a name, and a value or one source of it."""
    for position, variable in enumerate(variables):
        name = variable.get("name") or ""
        if not name:
            errors.required(f"{path}[{position}].name")
        else:
            for wrong in env_var_name(name):
                errors.invalid(f"{path}[{position}].name", name, wrong)
        source = variable.get("valueFrom")
        if source is not None:
            _validate_value_from(variable, source, errors, f"{path}[{position}].valueFrom")


def _validate_value_from(variable: JsonObject, source: JsonObject, errors: FieldErrors, path: str) -> None:
    if (field := source.get("fieldRef")) is not None:
        validate_field_ref(field, _ENV_FIELDS, errors, at(path, "fieldRef"))
    if (resource := source.get("resourceFieldRef")) is not None:
        validate_resource_field_ref(resource, errors, at(path, "resourceFieldRef"), named=False)
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if (selector := source.get(kind)) is not None:
            _validate_key_selector(selector, errors, at(path, kind))
    if (file := source.get("fileKeyRef")) is not None:
        _validate_file_key(file, errors, at(path, "fileKeyRef"))
    count = sum(source.get(kind) is not None for kind in _ENV_SOURCES)
    if not count:
        words = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        errors.invalid(path, "", words)
    elif variable.get("value"):
        errors.invalid(path, "", "may not be specified when `value` is not empty")
    elif count > 1:
        errors.invalid(path, "", "may not have more than one field specified at a time")


def _validate_key_selector(selector: JsonObject, errors: FieldErrors, path: str) -> None:
    name, key = selector.get("name") or "", selector.get("key") or ""
    for wrong in dns_subdomain(name):
        errors.invalid(at(path, "name"), name, wrong)
    if not key:
        errors.required(at(path, "key"))
    else:
        for wrong in config_map_key(key):
            errors.invalid(at(path, "key"), key, wrong)


def _validate_file_key(selector: JsonObject, errors: FieldErrors, path: str) -> None:
    """A key in a file of a volume (KEP-3721)."""
    volume, key, file = (selector.get(name) or "" for name in ("volumeName", "key", "path"))
    if not key:
        errors.required(at(path, "key"))
    else:
        for wrong in env_var_name(key):
            errors.invalid(at(path, "key"), key, wrong)
    if not volume:
        errors.required(at(path, "volumeName"))
    else:
        for wrong in dns_label(volume):
            errors.invalid(at(path, "volumeName"), volume, wrong)
    if not file:
        errors.required(at(path, "path"))
    else:
        local_not_reserved(file, errors, at(path, "path"))


def validate_env_from(sources: list[JsonObject], errors: FieldErrors, path: str) -> None:
    """Every source is one ConfigMap or one Secret."""
    for position, source in enumerate(sources):
        where = index(path, position)
        if prefix := source.get("prefix"):
            for wrong in env_var_name(prefix):
                errors.invalid(at(where, "prefix"), prefix, wrong)
        count = 0
        for kind in ("configMapRef", "secretRef"):
            reference = source.get(kind)
            if reference is None:
                continue
            count += 1
            name = reference.get("name") or ""
            if not name:
                errors.required(f"{where}.{kind}.name")
            else:
                for wrong in dns_subdomain(name):
                    errors.invalid(f"{where}.{kind}.name", name, wrong)
        if not count:
            errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif count > 1:
            errors.invalid(path, "", "may not have more than one field specified at a time")


def validate_field_ref(field: JsonObject, allowed: tuple[str, ...], errors: FieldErrors, path: str) -> None:
    """A reference to one of the pod's own fields."""
    version, name = field.get("apiVersion") or "", field.get("fieldPath") or ""
    if not version or not name:
        errors.required(at(path, "fieldPath" if version else "apiVersion"))
        return
    subscripted = name.endswith("']") and "['" in name
    base, _, key = name.partition("['") if subscripted else (name, "", "")
    problem = ""
    if version != "v1":
        problem = f"unsupported pod version: {version}"
    elif subscripted and base not in ("metadata.annotations", "metadata.labels"):
        problem = f"field label does not support subscript: {name}"
    elif not subscripted and name not in _KNOWN_FIELDS and name != "spec.host":
        problem = f"field label not supported: {name}"
    if problem:
        errors.invalid(at(path, "fieldPath"), name, f"error converting fieldPath: {problem}")
    elif subscripted:
        key = key.removesuffix("']")
        key = key.lower() if base == "metadata.annotations" else key
        for wrong in label_key(key):
            errors.invalid(path, key, wrong)
    else:
        name = "spec.nodeName" if name == "spec.host" else name
        if name not in allowed:
            errors.not_supported(at(path, "fieldPath"), name, allowed)


def validate_resource_field_ref(reference: JsonObject, errors: FieldErrors, path: str, *, named: bool) -> None:
    """A reference to a container's own resources. In a volume the container must be `named`."""
    resource = reference.get("resource") or ""
    if named and not reference.get("containerName"):
        errors.required(at(path, "containerName"))
    elif not resource:
        errors.required(at(path, "resource"))
    elif resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES):
        errors.not_supported(at(path, "resource"), resource, _RESOURCES)
    divisor = str(reference.get("divisor") or "0")
    try:
        unset = not quantity(divisor).milli()
    except ValueError as problem:
        errors.invalid(at(path, "divisor"), divisor, str(problem))
        return
    if not unset:
        _validate_divisor(resource, divisor, errors, at(path, "divisor"))


def _validate_divisor(resource: str, divisor: str, errors: FieldErrors, path: str) -> None:
    kind = resource.partition(".")[2]
    if kind == "cpu":
        if divisor not in ("1m", "1"):
            errors.invalid(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource")
        return
    names = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}
    shown = "hugepages" if kind.startswith("hugepages-") else names.get(kind)
    if shown and divisor not in _BYTE_DIVISORS:
        words = f"only divisor's values {', '.join(_BYTE_DIVISORS)} are supported with the {shown} resource"
        errors.invalid(path, resource, words)


def validate_downward_file(file: JsonObject, errors: FieldErrors, path: str) -> None:
    """One file of a downward API volume."""
    target, field, resource = file.get("path") or "", file.get("fieldRef"), file.get("resourceFieldRef")
    if not target:
        errors.required(at(path, "path"))
    local_not_reserved(target, errors, at(path, "path"))
    if field is not None:
        validate_field_ref(field, _FILE_FIELDS, errors, at(path, "fieldRef"))
        if resource is not None:
            errors.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif resource is not None:
        validate_resource_field_ref(resource, errors, at(path, "resourceFieldRef"), named=True)
    else:
        errors.required(path, "one of fieldRef and resourceFieldRef is required")
    file_mode(file, "mode", errors, path)
