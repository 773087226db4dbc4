"""ServiceAccount: every pod runs as one, and finds its token, the cluster's CA and its namespace in a file.

Source: plugin/pkg/admission/serviceaccount/admission.go.
"""

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
"""Asked for; the kubelet renews long before."""
_MIRROR = "kubernetes.io/config.mirror"
_DEFAULT = "default"
_ATTEMPTS = 10
"""How often the default account of a new namespace, which a controller has yet to make, is looked for."""


class ServiceAccount(Admission):
    """Upstream's plugin of this name."""

    name = "ServiceAccount"
    order = 30

    async def mutate(self, write: Write) -> None:
        """Give a new pod its account, the account's pull secrets, and the volume with its token."""
        if not _concerns(write) or write.new is None:
            return
        spec = write.new.setdefault("spec", {})
        if _MIRROR in (write.new["metadata"].get("annotations") or {}):
            _check_mirror(write, spec)
            return
        name = spec.get("serviceAccountName") or _DEFAULT
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = await self._account(write, name)
        if _mounts_token(spec, account):
            self._mount(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(secret) for secret in account["imagePullSecrets"]]

    async def _account(self, write: Write, name: str) -> JsonObject:
        """The account. Raises Forbidden when it is not there."""
        cache = self.cache.of("", "serviceaccounts")
        for attempt in range(_ATTEMPTS if name == _DEFAULT else 1):
            if attempt:
                await self.clock.sleep(self.chance.uniform(0.1, 0.2))
            await self.cache.reach_latest()
            entry = cache.get(write.namespace, name)
            if entry is not None:
                return entry.kept()
        why = f'error looking up service account {write.namespace}/{name}: serviceaccount "{name}" not found'
        raise _refusal(write, why)

    def _mount(self, spec: JsonObject) -> None:
        containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
        without = [
            container
            for container in containers
            if all(mount.get("mountPath") != MOUNT_PATH for mount in container.get("volumeMounts") or ())
        ]
        if not without:
            return
        volume = f"kube-api-access-{self.chance.suffix()}"
        for container in without:
            mount = {"name": volume, "readOnly": True, "mountPath": MOUNT_PATH}
            container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]
        spec["volumes"] = [*(spec.get("volumes") or ()), {"name": volume, "projected": _sources()}]


def _concerns(write: Write) -> bool:
    return write.resource.qualified_name == "pods" and not write.part and write.operation is Operation.CREATE


def _mounts_token(spec: JsonObject, account: JsonObject) -> bool:
    for wish in (spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken")):
        if wish is not None:
            return bool(wish)
    return True


def _sources() -> JsonObject:
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
        ],
        "defaultMode": 0o644,
    }


def _check_mirror(write: Write, spec: JsonObject) -> None:
    """A static pod's mirror stands for nobody."""
    if spec.get("serviceAccountName"):
        raise _refusal(write, "a mirror pod may not reference service accounts")
    for volume in spec.get("volumes") or ():
        if volume.get("secret"):
            raise _refusal(write, "a mirror pod may not reference secrets")
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("serviceAccountToken"):
                raise _refusal(write, "a mirror pod may not use ServiceAccountToken volume projections")


def _refusal(write: Write, why: str) -> Forbidden:
    return errors.forbidden("pods", "", write.name, why)
