"""Bundles of trust, without an API server."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import ClusterTrustBundle


def pem(*texts: str, kind: str = "CERTIFICATE") -> str:
    """A block for each text. Nobody who projects them looks into them."""
    blocks = (base64.encodebytes(text.encode()).decode() for text in texts)
    return "".join(f"-----BEGIN {kind}-----\n{block}-----END {kind}-----\n" for block in blocks)


def bundle(name: str, text: str, signer: str = "", version: int = 1, **labels: str) -> ClusterTrustBundle:
    """A bundle as the API server would show it."""
    spec: JsonObject = {"trustBundle": text} | ({"signerName": signer} if signer else {})
    meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version), "labels": labels}
    return ClusterTrustBundle({"metadata": meta, "spec": spec})


@dataclass
class FakeTrustBundles:
    """What the cluster has; `known` is whether the first list has come."""

    bundles: dict[str, ClusterTrustBundle] = field(default_factory=dict)
    known: bool = True

    def add(self, one: ClusterTrustBundle) -> None:
        self.bundles[one.metadata.name] = one

    async def synced(self) -> bool:
        return self.known

    def get(self, name: str) -> ClusterTrustBundle | None:
        return self.bundles.get(name)

    def of_signer(self, signer: str) -> Iterable[ClusterTrustBundle]:
        return [one for one in self.bundles.values() if one.spec.signerName == signer]
