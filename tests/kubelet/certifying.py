"""A signer, and PodCertificateRequests without an API server."""

from dataclasses import dataclass, field

from kubelet.trusting import pem
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import PodCertificateRequest
from pilothouse.api.types.core_v1 import Pod
from pilothouse.runtime.clock import Instant, format_time

DAY = 86_400.0


@dataclass
class FakeRequests:
    """What the cluster has, by name. `answers` is what a signer does at once; none where there is no signer."""

    now: Instant = 0.0
    answers: JsonObject | None = None
    fault: str = ""
    made: dict[str, JsonObject] = field(default_factory=dict)
    waited: int = 0

    async def make(self, pod: Pod, spec: JsonObject) -> PodCertificateRequest:
        if self.fault:
            raise StatusError(self.fault)
        name = f"req-{len(self.made) + 1}"
        self.made[name] = {"metadata": {"name": name}, "spec": spec, "status": self.answers or {}}
        return PodCertificateRequest(self.made[name])

    async def ended(self, namespace: str, name: str) -> PodCertificateRequest | None:
        self.waited += 1
        return self.known(namespace, name)

    def known(self, namespace: str, name: str) -> PodCertificateRequest | None:
        return PodCertificateRequest(self.made[name]) if name in self.made else None

    def answer(self, name: str, status: JsonObject) -> None:
        self.made[name] = {**self.made[name], "status": status}


def issued(chain: str, now: Instant, life: float = DAY) -> JsonObject:
    """The status of a request that is granted; renewal is due after half of its life."""
    return {
        "conditions": [{"type": "Issued", "status": "True", "reason": "Fine", "message": ""}],
        "certificateChain": f"# {chain}\n{pem(chain)}",
        "notBefore": format_time(now),
        "beginRefreshAt": format_time(now + life / 2),
        "notAfter": format_time(now + life),
    }


def refused(kind: str, reason: str = "Why", message: str = 'not "you"') -> JsonObject:
    """The status of a request that is not granted."""
    return {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": message}]}
