"""What a Pod gets where its author said nothing.

Source: pkg/apis/core/v1/defaults.go and the `+default` markers of the API types. Two layers: what every PodSpec gets,
in a template too, and what only a Pod itself gets, so that a template keeps what its author wrote. Runs on every
write, hence straight code on dicts; idempotent.
"""

from collections.abc import Callable
from typing import Any

from pilothouse.api.core.pod.images import pull_policy
from pilothouse.api.core.pod.resources import canonical_quantity, canonical_resources, default_pod_level_resources
from pilothouse.api.machinery.view import JsonObject

_FILE_MODE = 0o644


def default(pod: JsonObject) -> None:
    """Defaults of a Pod."""
    default_pod_spec(pod.setdefault("spec", {}))
    status = pod.get("status")
    if status:
        _default_addresses(status)


def default_pod_template(template: JsonObject) -> None:
    """Defaults of the pod template of a workload."""
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}), template=True)


def default_pod_spec(spec: JsonObject, *, template: bool = False) -> None:
    """Defaults of a PodSpec. A template's lacks those that only a Pod itself gets."""
    containers = spec.get("containers") or ()
    inits = spec.get("initContainers") or ()
    for container in containers:
        _default_container(container)
    for container in inits:
        _default_container(container)
    for container in spec.get("ephemeralContainers") or ():
        _default_container(container)
    for volume in spec.get("volumes") or ():
        _default_volume(volume)
    get = spec.get
    if not get("dnsPolicy"):
        spec["dnsPolicy"] = "ClusterFirst"
    if not get("restartPolicy"):
        spec["restartPolicy"] = "Always"
    if get("securityContext") is None:
        spec["securityContext"] = {}
    if get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = 30
    if not get("schedulerName"):
        spec["schedulerName"] = "default-scheduler"
    _same_service_account(spec)
    if overhead := get("overhead"):
        canonical_resources(overhead)
    resources = get("resources")
    if resources:
        _canonical_requirements(resources)
    if not template:
        _default_pod_only(spec, containers, inits)


def _default_pod_only(spec: JsonObject, containers: Any, inits: Any) -> None:
    for container in containers:
        _requests_from_limits(container["resources"])
    for container in inits:
        _requests_from_limits(container["resources"])
    if spec.get("resources"):
        default_pod_level_resources(spec)
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True
    if spec.get("hostNetwork"):
        for container in (*containers, *inits):
            for port in container.get("ports") or ():
                if not port.get("hostPort"):
                    port["hostPort"] = port.get("containerPort", 0)


def _same_service_account(spec: JsonObject) -> None:
    """`serviceAccount` is the old name of `serviceAccountName`; both are always served, the new one winning."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def _default_addresses(status: JsonObject) -> None:
    """`podIP` is the first of `podIPs`; where they differ, the one that older clients write wins."""
    first, all_of_them = status.get("podIP"), status.get("podIPs")
    if first and (not all_of_them or all_of_them[0].get("ip") != first):
        status["podIPs"] = [{"ip": first}]
    elif all_of_them and not first:
        status["podIP"] = all_of_them[0].get("ip", "")


def _default_container(container: JsonObject) -> None:
    get = container.get
    if not get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(get("image") or "")
    if not get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"
    resources = get("resources")
    if resources is None:
        container["resources"] = {}
    elif resources:
        _canonical_requirements(resources)
    for port in get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
    for variable in get("env") or ():
        if source := variable.get("valueFrom"):
            _default_field_source(source)
    _default_handlers(container)


def _default_handlers(container: JsonObject) -> None:
    get = container.get
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (probe := get(name)) is not None:
            _default_probe(probe)
    if lifecycle := get("lifecycle"):
        for name in ("postStart", "preStop"):
            if handler := lifecycle.get(name):
                _default_http(handler)


def _canonical_requirements(resources: JsonObject) -> None:
    if limits := resources.get("limits"):
        canonical_resources(limits)
    if requests := resources.get("requests"):
        canonical_resources(requests)


def _requests_from_limits(resources: JsonObject) -> None:
    limits = resources.get("limits")
    if limits:
        requests = resources.get("requests")
        resources["requests"] = {**limits, **requests} if requests else dict(limits)


def _default_probe(probe: JsonObject) -> None:
    get = probe.get
    if not get("timeoutSeconds"):
        probe["timeoutSeconds"] = 1
    if not get("periodSeconds"):
        probe["periodSeconds"] = 10
    if not get("successThreshold"):
        probe["successThreshold"] = 1
    if not get("failureThreshold"):
        probe["failureThreshold"] = 3
    grpc = get("grpc")
    if grpc is not None and grpc.get("service") is None:
        grpc["service"] = ""
    _default_http(probe)


def _default_http(handler: JsonObject) -> None:
    http = handler.get("httpGet")
    if http is not None:
        if not http.get("path"):
            http["path"] = "/"
        if not http.get("scheme"):
            http["scheme"] = "HTTP"


def _default_field_source(source: JsonObject) -> None:
    """Of an environment variable or of a downward API file."""
    field = source.get("fieldRef")
    if field is not None and not field.get("apiVersion"):
        field["apiVersion"] = "v1"
    resource = source.get("resourceFieldRef")
    if resource is not None:
        # Go writes a quantity even where it is zero.
        resource["divisor"] = canonical_quantity(resource.get("divisor") or "0")


def _default_volume(volume: JsonObject) -> None:
    found = False
    for name, source in volume.items():
        if name != "name" and source is not None:
            found = True
            complete = _SOURCES.get(name)
            if complete is not None:
                complete(source)
    if not found:
        volume["emptyDir"] = {}


def _files(source: JsonObject) -> None:
    if source.get("defaultMode") is None:
        source["defaultMode"] = _FILE_MODE


def _downward_api(source: JsonObject) -> None:
    _files(source)
    for item in source.get("items") or ():
        _default_field_source(item)


def _projected(source: JsonObject) -> None:
    _files(source)
    for projection in source.get("sources") or ():
        token = projection.get("serviceAccountToken")
        if token is not None and token.get("expirationSeconds") is None:
            token["expirationSeconds"] = 3600
        if downward := projection.get("downwardAPI"):
            for item in downward.get("items") or ():
                _default_field_source(item)


def _empty_dir(source: JsonObject) -> None:
    limit = source.get("sizeLimit")
    if limit is not None:
        source["sizeLimit"] = canonical_quantity(limit)


def _image(source: JsonObject) -> None:
    if not source.get("pullPolicy"):
        source["pullPolicy"] = pull_policy(source.get("reference") or "")


def _ephemeral(source: JsonObject) -> None:
    template = source.get("volumeClaimTemplate")
    if template is None:
        return
    template.setdefault("metadata", {})
    claim = template.get("spec")
    if claim is not None:
        if claim.get("volumeMode") is None:
            claim["volumeMode"] = "Filesystem"
        _canonical_requirements(claim.get("resources") or {})


def _fixed(**values: Any) -> Callable[[JsonObject], None]:
    def complete(source: JsonObject) -> None:
        for name, value in values.items():
            if source.get(name) in (None, ""):
                source[name] = value

    return complete


def _host_path(source: JsonObject) -> None:
    if source.get("type") is None:
        source["type"] = ""


def _azure_disk(source: JsonObject) -> None:
    if source.get("fsType") is None:
        source["fsType"] = "ext4"
    _fixed(cachingMode="ReadWrite", kind="Shared", readOnly=False)(source)


_SOURCES: dict[str, Callable[[JsonObject], None]] = {
    "emptyDir": _empty_dir,
    "configMap": _files,
    "secret": _files,
    "downwardAPI": _downward_api,
    "projected": _projected,
    "hostPath": _host_path,
    "image": _image,
    "ephemeral": _ephemeral,
    "iscsi": _fixed(iscsiInterface="default"),
    "rbd": _fixed(pool="rbd", user="admin", keyring="/etc/ceph/keyring"),
    "azureDisk": _azure_disk,
    "scaleIO": _fixed(storageMode="ThinProvisioned", fsType="xfs"),
}
