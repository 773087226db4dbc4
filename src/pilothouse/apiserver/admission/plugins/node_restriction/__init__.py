"""NodeRestriction: a kubelet writes its own Node, its own pods and what belongs to them, and nothing of others.

The Node authorizer cannot see what is in an object; this plugin can. Each kind has a function that says why a write is
refused, or nothing. On by default here, as kubeadm turns it on. Source: plugin/pkg/admission/noderestriction.
"""

from pilothouse.api.machinery import errors
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.admission.plugins.node_restriction.certificates import (
    refuse_pod_certificate,
    refuse_signing_request,
)
from pilothouse.apiserver.admission.plugins.node_restriction.own import (
    refuse_csi_node,
    refuse_lease,
    refuse_node,
    refuse_slice,
)
from pilothouse.apiserver.admission.plugins.node_restriction.pods import (
    refuse_claim_status,
    refuse_eviction,
    refuse_pod,
    refuse_pod_status,
)
from pilothouse.apiserver.admission.plugins.node_restriction.tokens import refuse_token, unnamed_audience
from pilothouse.apiserver.authorization.framework import Attributes
from pilothouse.apiserver.pipeline.write import Operation, Write

_ASK_AUDIENCE = "request-serviceaccounts-token-audience"


class NodeRestriction(Admission):
    """Upstream's plugin of this name."""

    name = "NodeRestriction"
    order = 40

    async def mutate(self, write: Write) -> None:
        """Refuse what is not the node's."""
        node = write.exchange.user.node_name
        if node is None or write.operation is Operation.CONNECT:
            return
        if not node:
            why = f'could not determine node from user "{write.exchange.user.name}"'
        else:
            why = self._refusal(node, write)
        if why:
            raise errors.forbidden(write.resource.plural, write.resource.group, write.name, why)

    def _refusal(self, node: str, write: Write) -> str:
        match write.resource.qualified_name:
            case "pods":
                return self._of_pod(node, write)
            case "nodes":
                return refuse_node(node, write)
            case "persistentvolumeclaims":
                return refuse_claim_status(node, write) if write.part == "status" else "may only update PVC status"
            case "serviceaccounts" if write.part == "token" and write.operation is Operation.CREATE:
                return self._of_token(node, write)
            case "leases.coordination.k8s.io":
                return refuse_lease(node, write)
            case "csinodes.storage.k8s.io":
                return refuse_csi_node(node, write)
            case "resourceslices.resource.k8s.io":
                return refuse_slice(node, write)
            case "certificatesigningrequests.certificates.k8s.io":
                return refuse_signing_request(node, write)
            case "podcertificaterequests.certificates.k8s.io":
                return refuse_pod_certificate(node, write, self.cache)
        return ""

    def _of_pod(self, node: str, write: Write) -> str:
        match write.part:
            case "":
                return refuse_pod(node, write, self.cache)
            case "status":
                return refuse_pod_status(node, write)
            case "eviction":
                return refuse_eviction(node, write, self.cache)
        return f"unexpected pod subresource \"{write.part}\", only 'status' and 'eviction' are allowed"

    def _of_token(self, node: str, write: Write) -> str:
        if why := refuse_token(node, write, self.cache):
            return why
        audience = unnamed_audience(write, self.cache)
        if audience is None:
            return ""
        user = write.exchange.user
        asked = Attributes(user, _ASK_AUDIENCE, "", "v1", audience, "", write.namespace, write.name)
        if self.authorizer.authorize(asked).allowed:
            return ""
        return (
            f'audience "{audience}" not found in pod spec volume, '
            f"{user.name} is not authorized to request tokens for this audience"
        )
