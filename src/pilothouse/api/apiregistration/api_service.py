"""APIService: a group and version served by another server.

Sources of the facts: kube-aggregator/pkg/apis/apiregistration/validation/validation.go, v1/defaults.go. API page:
apiregistration.k8s.io/v1 APIService.
"""

import base64

from pilothouse.api.machinery.columns import AGE, dig
from pilothouse.api.machinery.field import FieldErrors, quote
from pilothouse.api.machinery.names import dns1035_label, dns_subdomain, path_segment, port_number
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apiregistration_v1 import APIService
from pilothouse.runtime.clock import Instant


def _service(obj: JsonObject, _now: Instant) -> str:
    service = dig(obj, "spec", "service")
    return f"{service.get('namespace', '')}/{service.get('name', '')}" if service is not None else "Local"


def _available(obj: JsonObject, _now: Instant) -> str:
    found = next((c for c in dig(obj, "status", "conditions") or () if c.get("type") == "Available"), None)
    if found is None:
        return "Unknown"
    status = str(found.get("status", ""))
    return status if status == "True" else f"{status} ({found.get('reason', '')})"


def default(obj: JsonObject) -> None:
    """A service answers on the port of HTTPS."""
    service = dig(obj, "spec", "service")
    if service is not None and service.get("port") is None:
        service["port"] = 443


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """It is called after what it serves, has its place in discovery, and a server unless it is local."""
    name, spec = dig(obj, "metadata", "name") or "", obj.get("spec") or {}
    group, version = spec.get("group") or "", spec.get("version") or ""
    wanted = f"{version}.{group}"
    if name != wanted:
        errors.invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: {quote(wanted)}')
    if not group and version != "v1":
        words = "only v1 may have an empty group and it better be legacy kube"
        errors.required("spec.group", words)
    if group:
        validate_text(group, dns_subdomain, errors, "spec.group")
    validate_text(version, dns1035_label, errors, "spec.version")
    for field, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        value = spec.get(field) or 0
        if not 0 < value <= most:
            errors.invalid(f"spec.{field}", value, f"must be positive and less than {most}")
    _validate_server(spec, errors)


def _validate_server(spec: JsonObject, errors: FieldErrors) -> None:
    service, bundle, insecure = spec.get("service"), spec.get("caBundle"), spec.get("insecureSkipTLSVerify")
    if service is None:
        if bundle:
            shown = f"{len(base64.b64decode(bundle))} bytes"
            errors.invalid("spec.caBundle", shown, "local APIServices may not have a caBundle")
        if insecure:
            words = "local APIServices may not have insecureSkipTLSVerify"
            errors.invalid("spec.insecureSkipTLSVerify", True, words)
        return
    for name in ("namespace", "name"):
        if not service.get(name):
            errors.required(f"spec.service.{name}")
    port = service.get("port")
    if port is not None and (wrongs := port_number(port)):
        errors.invalid("spec.service.port", port, f"port is not valid: {', '.join(wrongs)}")
    if insecure and bundle:
        errors.invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present")


RESOURCE = Resource(
    kind=APIService,
    group="apiregistration.k8s.io",
    version="v1",
    plural="apiservices",
    singular="apiservice",
    namespaced=False,
    categories=("api-extensions",),
    subresources=(STATUS,),
    generation=False,
    unconditional_update=False,
    default=default,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate=validate,
    validate_name=path_segment,
    columns=(
        Column("Service", _service),
        Column("Available", _available),
        AGE,
    ),
)
