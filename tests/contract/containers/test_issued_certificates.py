"""sig-auth: volumes with certificates of the pod's own, which a signer in this process issues as the kubelet asks.

What takes the time is the client of the pair, which first asks after ten seconds: the other pods run meanwhile.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from _pytest.mark import ParameterSet
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from contract.api import Api, Items, Json, Refused
from contract.authorities import Authority, pem
from contract.conformance import Checks, conformance
from contract.pods import START_SECONDS, until_running
from contract.side_by_side import side_by_side
from contract.workloads import Workloads, container, pod

PLACE = "/run/tls-config"
CREDENTIALS, TRUSTED = f"{PLACE}/spiffe-cred-bundle.pem", f"{PLACE}/spiffe-trust-bundle.pem"
OVERRIDE, OWN_PATH = "spiffe/path-overriding", "/custom-workload"
LONGEST = timedelta(hours=24)
POLL_SECONDS = 30
"""How long upstream waits for the client's success."""
ANSWER = "Got response body: "
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


class Signer:
    """Issues SPIFFE certificates, by an authority below one that it publishes as trusted."""

    def __init__(self, api: Api, namespace: str, word: str) -> None:
        self.name = f"e2e.example.com/{namespace}-{word}"
        self._requests = api.objects("certificates.k8s.io/v1", "PodCertificateRequest", namespace)
        self._bundles = api.objects("certificates.k8s.io/v1", "ClusterTrustBundle")
        root = Authority.new(f"root of {word}")
        self._authority = root.below(f"authority of {word}")
        self._bundle = f"{self.name.replace('/', ':')}:primary-bundle"
        spec = {"signerName": self.name, "trustBundle": root.pem}
        self._bundles.create({"metadata": {"name": self._bundle}, "spec": spec})

    def delete(self) -> None:
        """Take back what is published."""
        self._bundles.delete(self._bundle)

    def issue(self, count: int) -> None:
        """Issue so many certificates, as they are asked for."""

        def issued(items: Items) -> bool:
            for name, request in items.items():
                if not request.get("status", {}).get("certificateChain"):
                    items[name] = self._requests.update({**request, "status": self._granted(request)}, "status")
            return len(items) >= count

        self._requests.until(issued, START_SECONDS, field=f"spec.signerName={self.name}")

    def _granted(self, request: Json) -> Json:
        spec, namespace = request["spec"], request["metadata"]["namespace"]
        asked = x509.load_der_x509_csr(base64.b64decode(spec["stubPKCS10Request"]))
        key = asked.public_key()
        assert isinstance(key, EllipticCurvePublicKey)
        path = spec.get("unverifiedUserAnnotations", {}).get(OVERRIDE, _path(namespace, spec["serviceAccountName"]))
        now = datetime.now(UTC).replace(microsecond=0)
        begin = now - timedelta(minutes=2)
        end = begin + min(LONGEST, timedelta(seconds=spec["maxExpirationSeconds"]))
        names = x509.UniformResourceIdentifier(f"spiffe://cluster.local{path}"), x509.DNSName(f"server.{namespace}.svc")
        certificate = self._authority.issue(key, begin, end, *names)
        condition = {"type": "Issued", "status": "True", "reason": "Reason", "message": "Issued",
                     "lastTransitionTime": _shown(now)}  # fmt: skip
        return {
            "certificateChain": pem(certificate) + self._authority.pem,
            "notBefore": _shown(begin),
            "notAfter": _shown(end),
            "beginRefreshAt": _shown(end - timedelta(minutes=30)),
            "conditions": [condition],
        }


def _path(namespace: str, account: str) -> str:
    return f"/ns/{namespace}/sa/{account}"


def _shown(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _certificate(signer: str, **more: object) -> Json:
    wanted = {"signerName": signer, "credentialBundlePath": "spiffe-cred-bundle.pem", "keyType": "ECDSAP256", **more}
    return {"podCertificate": wanted}


def _volume(*sources: Json) -> Json:
    return {"name": "tls-config", "projected": {"sources": [*sources]}}


MOUNTS = [{"name": "tls-config", "mountPath": PLACE}]


def _inspector(name: str, signer: str, **more: object) -> Json:
    """A pod that prints its certificates and stays."""
    command = ["/bin/sh", "-c", f"cat {CREDENTIALS} && sleep infinity"]
    inspector = container(name="inspector", command=command, volumeMounts=MOUNTS)
    return pod(name, inspector, volumes=[_volume(_certificate(signer, **more))], terminationGracePeriodSeconds=0)


def _deployment(role: str, signer: str, arguments: Sequence[str]) -> Json:
    """One pod that has a certificate, trusts the signer's, and may do nothing that needs a capability."""
    trusted = {"signerName": signer, "labelSelector": {}, "path": "spiffe-trust-bundle.pem"}
    volume = _volume(_certificate(signer), {"clusterTrustBundle": trusted})
    made = container([f"mtls{role}", *arguments], name=role, volumeMounts=MOUNTS, securityContext=RESTRICTED)
    labels = {"app": role}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [made], "volumes": [volume]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": role, "labels": labels}, "spec": spec}


class Story:
    """What the pods of a case have printed."""

    def __init__(self, api: Api, workloads: Workloads) -> None:
        self._api, self._workloads = api, workloads

    def tell(self, case: str) -> str:
        """Run a case with a signer of its own."""
        signer = Signer(self._api, self._workloads.namespace, case)
        try:
            return self._pair(signer) if case == "pair" else self._inspected(case, signer)
        finally:
            signer.delete()

    def _inspected(self, case: str, signer: Signer) -> str:
        more: dict[str, Json] = {
            "annotated": {"userAnnotations": {OVERRIDE: OWN_PATH}},
            "hour": {"maxExpirationSeconds": 3600},
        }
        self._workloads.pods.create(_inspector(case, signer.name, **more.get(case, {})))
        signer.issue(1)
        until_running(self._workloads.pods, case)
        self._workloads.until_log(case, "-----END CERTIFICATE-----")
        return self._workloads.log(case)

    def _pair(self, signer: Signer) -> str:
        namespace = self._workloads.namespace
        deployments = self._api.objects("apps/v1", "Deployment", namespace)
        services = self._api.objects("v1", "Service", namespace)
        options = [f"--server-creds={CREDENTIALS}", f"--spiffe-trust-bundle={TRUSTED}"]
        deployments.create(_deployment("server", signer.name, ["--listen=0.0.0.0:443", *options]))
        port = {"name": "https", "port": 443}
        services.create({"metadata": {"name": "server"}, "spec": {"ports": [port], "selector": {"app": "server"}}})
        options = [f"--server-trust-bundle={TRUSTED}", f"--client-cred-bundle={CREDENTIALS}"]
        url = f"--fetch-url=https://server.{namespace}.svc/spiffe-echo"
        deployments.create(_deployment("client", signer.name, [url, *options]))
        signer.issue(2)
        (name,) = self._workloads.pods.until(lambda items: items, START_SECONDS, label="app=client")
        self._workloads.until_log(name, ANSWER, limit=POLL_SECONDS)
        return self._workloads.log(name)


@pytest.fixture(scope="module")
def printed(request: pytest.FixtureRequest, api: Api, shared: Workloads) -> Iterator[Callable[[str], str]]:
    """What the pods of a case have printed."""
    with side_by_side(request, "case", Story(api, shared).tell) as outcome:
        yield outcome


TITLE = "Projected PodCertificate"


def _case(case: str, title: str) -> ParameterSet:
    return pytest.param(case, marks=conformance(f"{TITLE} {title}"), id=case)


@pytest.mark.parametrize("case", [_case("pair", "should allow server and client pods to establish an mTLS connection")])
def test_a_server_and_a_client(case: str, printed: Callable[[str], str], shared: Workloads, check: Checks) -> None:
    identity = f"spiffe://cluster.local{_path(shared.namespace, 'default')}"
    said = printed(case).partition(ANSWER)[2].splitlines()
    check("connected", said[:1], [f"Client Identity: {identity}"])


def _first(log: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates(log.encode())[0]


@pytest.mark.parametrize("case", [_case("annotated", "should honor UserAnnotations for SPIFFE URI path")])
def test_a_path_of_ones_own(case: str, printed: Callable[[str], str], check: Checks) -> None:
    names = _first(printed(case)).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    check("path", uris, [f"spiffe://cluster.local{OWN_PATH}"])


VALIDATIONS = "MaxExpirationSeconds validations should"
LIFETIMES = [
    _case("day", f"{VALIDATIONS} issue certificate with default life time (24h) when MaxExpirationSeconds is not set"),
    _case("hour", f"{VALIDATIONS} issue certificate with specified duration (1h) when MaxExpirationSeconds is set"),
]
HOURS = {"day": 24, "hour": 1}


@pytest.mark.parametrize("case", LIFETIMES)
def test_how_long_they_last(case: str, printed: Callable[[str], str], check: Checks) -> None:
    certificate = _first(printed(case))
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    check("lifetime", life, timedelta(hours=HOURS[case]))


@dataclass(frozen=True)
class Refusal:
    """A lifetime that is not granted."""

    seconds: int
    said: str


REFUSALS = [
    pytest.param(
        Refusal(91 * 24 * 3600 + 1, "if provided, maxExpirationSeconds must be <= 7862400"),
        marks=conformance(f"{TITLE} {VALIDATIONS} reject pod creation when MaxExpirationSeconds exceeds maximum (91d)"),
        id="long",
    ),
    pytest.param(
        Refusal(3599, "if provided, maxExpirationSeconds must be >= 3600"),
        marks=conformance(
            f"{TITLE} {VALIDATIONS} reject pod creation when MaxExpirationSeconds is less than minimum (1h)"
        ),
        id="short",
    ),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_lifetimes_that_are_refused(refusal: Refusal, workloads: Workloads, check: Checks) -> None:
    with pytest.raises(Refused) as refused:
        workloads.pods.create(_inspector("pod", "e2e.example.com/nobody", maxExpirationSeconds=refusal.seconds))
    check("refused", refusal.said in refused.value.status["message"])
