"""What a kubelet may write, without any authorizer before it.

Read from plugin/pkg/admission/noderestriction/admission.go (v1.32) and pkg/api/pod/util.go; what later versions added
(owners of nodes, device claims, audiences) from ports of v1.36. *Assumed*: the end of the refusal of a claim's status,
and that a UID which does not fit in a PodCertificateRequest is a 500.
"""

import base64
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fakes.certificates import encoded, request
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.admission.plugins.node_restriction import NodeRestriction
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authentication.token_keys import TokenKeys
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.subresources.token import TokenRequests
from pilothouse.apiserver.user import User
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.pki import new_signing_key
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

ADMIN = User("admin")
NODE = User("system:node:a", ("system:nodes",))
CORE = "/api/v1/namespaces/shop"
NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"
CSI_NODES = "/apis/storage.k8s.io/v1/csinodes"
CERTIFICATES = "/apis/certificates.k8s.io/v1"
JSON = "application/json"
MERGE = "application/merge-patch+json"
MIRROR = {"kubernetes.io/config.mirror": "x"}
Body = dict[str, Any]


class Api:
    def __init__(self, server: ApiServer) -> None:
        self.server = server

    async def ask(self, method: str, target: str, body: Any = None, user: User = NODE) -> tuple[int, Any]:
        sent = b"" if body is None else orjson.dumps(body)
        headers = {"content-type": MERGE if method == "PATCH" else JSON}
        answer = await HandlerTransport(self.server.handle, user).send(method, target, headers, sent)
        return answer.status, orjson.loads(answer.body)

    async def make(self, path: str, name: str, /, **fields: Any) -> Any:
        metadata = {"name": name, **fields.pop("metadata", {})}
        status, made = await self.ask("POST", path, {"metadata": metadata, **fields}, ADMIN)
        assert status == 201, made
        return made

    async def refused(self, method: str, target: str, body: Any = None) -> str:
        """The reason of a refusal, without the words that all have."""
        status, answer = await self.ask(method, target, body)
        assert (status, answer.get("reason")) == (403, "Forbidden"), answer
        return str(answer["message"]).partition(" is forbidden: ")[2]


@cache
def schemas() -> Schemas:
    return Schemas()


def run(story: Callable[[Api], Awaitable[None]]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            admission = AdmissionChain([NodeRestriction(server.served, Rbac(server.cache), clock, chance)])
            keys = TokenKeys(new_signing_key(), "https://issuer.example")
            tokens = TokenRequests(server.served, keys, (keys.issuer,), admission, clock, chance)
            server.assemble(
                steps=[authenticate(InProcessAuthenticator())],
                admission=admission,
                parts={("serviceaccounts/token", "create"): tokens.create},
            )
            api = Api(server)
            await api.make(f"{CORE}/serviceaccounts", "robot")
            await story(api)

    run_virtual(scenario)


def spec(on: str = "a", **more: Any) -> Body:
    return {"nodeName": on, "containers": [{"name": "c", "image": "i"}], **more}


def owner(uid: str, **changes: Any) -> Body:
    return {"apiVersion": "v1", "kind": "Node", "name": "a", "uid": uid, "controller": True, **changes}


def mirror(*owners: Body, annotations: Body | None = None, **of_spec: Any) -> Body:
    metadata = {"name": "m", "annotations": MIRROR if annotations is None else annotations}
    return {"metadata": {**metadata, "ownerReferences": list(owners)}, "spec": spec(**of_spec)}


def test_a_mirror_pod_of_its_own() -> None:
    async def story(api: Api) -> None:
        uid = (await api.make(NODES, "a"))["metadata"]["uid"]
        assert (await api.ask("POST", f"{CORE}/pods", mirror(owner(uid))))[0] == 201
        assert (await api.ask("DELETE", f"{CORE}/pods/m"))[0] == 200
        status, answer = await api.ask("POST", f"{CORE}/pods", mirror(owner("x")))
        assert (status, answer["message"].partition("forbidden: ")[2]) == (
            403,
            f"node a UID mismatch: expected x got {uid}",
        )
        await api.ask("DELETE", f"{NODES}/a", user=ADMIN)
        status, answer = await api.ask("POST", f"{CORE}/pods", mirror(owner(uid)))
        assert (status, answer["message"]) == (404, 'nodes "a" not found')

    run(story)


def volume(**source: Any) -> Body:
    return {"volumes": [{"name": "v", **source}]}


def projected(**source: Any) -> Body:
    return volume(projected={"sources": [source]})


@pytest.mark.parametrize(
    ("owners", "changes", "why"),
    [
        (None, {"annotations": {}}, ('pod does not have "kubernetes.io/config.mirror" annotation, node "a" can only '
                                    "create mirror pods")),
        (None, {"on": "b"}, 'node "a" can only create pods with spec.nodeName set to itself'),
        ([], {}, 'node "a" can only create pods with an owner reference set to itself'),
        ([{}, {"name": "b"}], {}, 'node "a" can only create pods with a single owner reference set to itself'),
        ([{"name": "b"}], {}, 'node "a" can only create pods with an owner reference set to itself'),
        ([{"kind": "Pod"}], {}, 'node "a" can only create pods with an owner reference set to itself'),
        ([{"controller": False}], {}, 'node "a" can only create pods with a controller owner reference set to itself'),
        ([{"blockOwnerDeletion": True}], {}, 'node "a" must not set blockOwnerDeletion on an owner reference'),
        *((None, given, f'node "a" can not create pods that reference {what}') for given, what in (
            ({"serviceAccountName": "robot"}, "serviceaccounts"),
            ({"imagePullSecrets": [{"name": "s"}]}, "secrets"),
            (volume(configMap={"name": "s"}), "configmaps"),
            (volume(persistentVolumeClaim={"claimName": "s"}), "persistentvolumeclaims"),
            (volume(csi={"driver": "d"}), "csidrivers (via CSI volumes)"),
            ({"resourceClaims": [{"name": "d", "resourceClaimName": "s"}]}, "resourceclaims"),
            (projected(serviceAccountToken={"path": "t"}), "serviceaccounts (via projected volumes)"),
            (projected(clusterTrustBundle={"name": "s", "path": "t"}), "clustertrustbundles"),
        )),
    ],
)  # fmt: skip
def test_other_pods_are_not_a_nodes_to_make(owners: list[Body] | None, changes: Body, why: str) -> None:
    async def story(api: Api) -> None:
        uid = (await api.make(NODES, "a"))["metadata"]["uid"]
        named = [owner(uid, **change) for change in ([{}] if owners is None else owners)]
        assert await api.refused("POST", f"{CORE}/pods", mirror(*named, **changes)) == why

    run(story)


def test_pods_of_others_stay() -> None:
    async def story(api: Api) -> None:
        made = {name: await api.make(f"{CORE}/pods", name, spec=spec(name)) for name in ("a", "b")}
        eviction = {"metadata": {"name": "b"}}
        refused = api.refused
        why = await refused("DELETE", f"{CORE}/pods/b")
        assert why == 'node "a" can only delete pods with spec.nodeName set to itself'
        why = await refused("DELETE", f"{CORE}/pods")
        assert why == 'node "a" can only delete pods with spec.nodeName set to itself'
        why = await refused("PUT", f"{CORE}/pods/b", made["b"])
        assert why == 'unexpected operation "UPDATE", node "a" can only create and delete mirror pods'
        why = await refused("PUT", f"{CORE}/pods/b/status", made["b"])
        assert why == 'node "a" can only update pod status for pods with spec.nodeName set to itself'
        why = await refused("POST", f"{CORE}/pods/b/eviction", eviction)
        assert why == "node a can only evict pods with spec.nodeName set to itself"
        why = await refused("PUT", f"{CORE}/pods/b/resize", made["b"])
        assert why == "unexpected pod subresource \"resize\", only 'status' and 'eviction' are allowed"
        status, answer = await api.ask("POST", f"{CORE}/pods/none/eviction", {"metadata": {"name": "none"}})
        assert (status, answer["message"]) == (404, 'pods "none" not found')

    run(story)


def test_a_node_evicts_its_own() -> None:
    async def story(api: Api) -> None:
        await api.make(f"{CORE}/pods", "p", spec=spec())
        assert (await api.ask("POST", f"{CORE}/pods/p/eviction", {"metadata": {"name": "p"}}))[0] == 201

    run(story)


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ({"status": {"phase": "Running"}}, None),
        ({"metadata": {"labels": {"x": "y"}}}, 'node "a" cannot update labels through pod status'),
        (
            {"status": {"resourceClaimStatuses": [{"name": "d", "resourceClaimName": "c"}]}},
            'node "a" cannot update resource claim statues',
        ),
        (
            {"status": {"extendedResourceClaimStatus": {"resourceClaimName": "c", "requestMappings": []}}},
            'node "a" cannot update extended resource claim status',
        ),
    ],
)
def test_what_it_reports_of_its_pods(patch: Body, why: str | None) -> None:
    async def story(api: Api) -> None:
        claims = [{"name": "d", "resourceClaimTemplateName": "t"}]
        await api.make(f"{CORE}/pods", "p", spec=spec(resourceClaims=claims))
        if why is None:
            assert (await api.ask("PATCH", f"{CORE}/pods/p/status", patch))[0] == 200
        else:
            assert await api.refused("PATCH", f"{CORE}/pods/p/status", patch) == why

    run(story)


@pytest.mark.parametrize(
    ("labels", "refused"),
    [
        ({"kubernetes.io/hostname": "a", "example.com/x": "y", "plain": "z"}, ""),
        ({"node.kubernetes.io/x": "", "sub.kubelet.kubernetes.io/x": ""}, ""),
        ({"topology.kubernetes.io/zone": "z", "beta.kubernetes.io/os": "linux"}, ""),
        ({"node-role.kubernetes.io/control-plane": ""}, "node-role.kubernetes.io/control-plane"),
        ({"node-restriction.kubernetes.io/fips": "1"}, "node-restriction.kubernetes.io/fips"),
        ({"sub.node-restriction.kubernetes.io/x": "1"}, "sub.node-restriction.kubernetes.io/x"),
        ({"x.k8s.io/b": "1", "kubernetes.io/a": "1"}, "kubernetes.io/a, x.k8s.io/b"),
    ],
)
def test_labels_that_a_node_gives_itself(labels: dict[str, str], refused: str) -> None:
    async def story(api: Api) -> None:
        created = {"metadata": {"name": "a", "labels": labels}}
        patch = {"metadata": {"labels": labels}}
        if not refused:
            assert (await api.ask("POST", NODES, created))[0] == 201
            return
        why = await api.refused("POST", NODES, created)
        assert why == f'node "a" is not allowed to set the following labels: {refused}'
        await api.make(NODES, "a")
        assert await api.refused("PATCH", f"{NODES}/a", patch) == f"is not allowed to modify labels: {refused}"
        assert (await api.ask("PATCH", f"{NODES}/a", patch, ADMIN))[0] == 200
        gone = {"metadata": {"labels": dict.fromkeys(labels)}}
        assert await api.refused("PATCH", f"{NODES}/a", gone) == f"is not allowed to modify labels: {refused}"

    run(story)


@pytest.mark.parametrize(
    ("method", "target", "body", "why"),
    [
        ("POST", NODES, {"metadata": {"name": "c"}}, 'node "a" is not allowed to modify node "c"'),
        ("PATCH", f"{NODES}/b/status", {}, 'node "a" is not allowed to modify node "b"'),
        ("DELETE", f"{NODES}/b", None, 'node "a" is not allowed to modify node "b"'),
        (
            "PATCH",
            f"{NODES}/a",
            {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}},
            'node "a" is not allowed to modify taints',
        ),
        (
            "PATCH",
            f"{NODES}/a",
            {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]}},
            'node "a" is not allowed to modify ownerReferences',
        ),
        (
            "PATCH",
            f"{NODES}/a",
            {"spec": {"configSource": {"configMap": {"name": "c"}}}},
            'node "a" is not allowed to update configSource to a new non-nil configSource',
        ),
        (
            "POST",
            LEASES,
            {"metadata": {"name": "b"}},
            "can only access node lease with the same name as the requesting node",
        ),
        (
            "POST",
            LEASES.replace("kube-node-lease", "shop"),
            {"metadata": {"name": "a"}},
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        (
            "POST",
            CSI_NODES,
            {"metadata": {"name": "b"}, "spec": {"drivers": []}},
            "can only access CSINode with the same name as the requesting node",
        ),
        ("DELETE", SLICES, None, "can only delete ResourceSlice with the same NodeName as the requesting node"),
        ("PATCH", f"{CORE}/persistentvolumeclaims/c", {}, "may only update PVC status"),
        (
            "PATCH",
            f"{CORE}/persistentvolumeclaims/c/status",
            {"status": {"phase": "Lost"}},
            'node "a" is not allowed to update fields other than status.capacity and status.conditions: status.phase',
        ),
        (
            "PATCH",
            f"{CORE}/persistentvolumeclaims/c/status",
            {"metadata": {"labels": {"x": "y"}}},
            (
                'node "a" is not allowed to update fields other than status.capacity and status.conditions: '
                "metadata.labels"
            ),
        ),
    ],
)
def test_what_is_not_its_own(method: str, target: str, body: Body | None, why: str) -> None:
    async def story(api: Api) -> None:
        for name in ("a", "b"):
            await api.make(NODES, name)
            pool = {"name": name, "generation": 1, "resourceSliceCount": 1}
            await api.make(SLICES, name, spec={"driver": "d.example.com", "nodeName": name, "pool": pool})
        claimed = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        await api.make(f"{CORE}/persistentvolumeclaims", "c", spec=claimed)
        assert await api.refused(method, target, body) == why

    run(story)


def test_what_is_its_own() -> None:
    async def story(api: Api) -> None:
        assert (await api.ask("POST", NODES, {"metadata": {"name": "a"}}))[0] == 201
        ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        assert (await api.ask("PATCH", f"{NODES}/a/status", ready))[0] == 200
        assert (await api.ask("POST", LEASES, {"metadata": {"name": "a"}}))[0] == 201
        assert (await api.ask("POST", CSI_NODES, {"metadata": {"name": "a"}, "spec": {"drivers": []}}))[0] == 201
        pool = {"name": "a", "generation": 1, "resourceSliceCount": 1}
        mine = {"driver": "d.example.com", "nodeName": "a", "pool": pool}
        assert (await api.ask("POST", SLICES, {"metadata": {"name": "s"}, "spec": mine}))[0] == 201
        why = await api.refused("POST", SLICES, {"metadata": {"name": "t"}, "spec": {**mine, "nodeName": "b"}})
        assert why == "can only create ResourceSlice with the same NodeName as the requesting node"
        claimed = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        await api.make(f"{CORE}/persistentvolumeclaims", "c", spec=claimed)
        grown = {"status": {"capacity": {"storage": "2Gi"}}}
        assert (await api.ask("PATCH", f"{CORE}/persistentvolumeclaims/c/status", grown))[0] == 200
        assert (await api.ask("POST", f"{CORE}/configmaps", {"metadata": {"name": "c"}}))[0] == 201

    run(story)


def test_a_node_that_does_not_say_which() -> None:
    async def story(api: Api) -> None:
        nobody = User("system:node:", ("system:nodes",))
        status, answer = await api.ask("POST", NODES, {"metadata": {"name": "a"}}, nobody)
        assert (status, answer["message"]) == (
            403,
            'nodes "a" is forbidden: could not determine node from user "system:node:"',
        )

    run(story)


def token(uid: str, /, *audiences: str, **bound: Any) -> Body:
    reference = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": uid, **bound}
    return {"spec": {"audiences": list(audiences), "boundObjectRef": reference}}


TOKEN = f"{CORE}/serviceaccounts/robot/token"
AUDIENCE = {"projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]}}
PLAIN = {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}


@pytest.mark.parametrize(
    ("bound", "why"),
    [
        (None, "node requested token not bound to a pod"),
        ({"kind": "Secret"}, "node requested token not bound to a pod"),
        ({"uid": ""}, "node requested token with a pod binding without a uid"),
        (
            {"uid": "x"},
            (
                "the UID in the bound object reference (x) does not match the UID in record. "
                "The object might have been deleted and then recreated"
            ),
        ),
        ({"name": "far"}, "node requested token bound to a pod scheduled on a different node"),
    ],
)
def test_tokens_that_are_not_for_its_pods(bound: Body | None, why: str) -> None:
    async def story(api: Api) -> None:
        uids = {}
        for name, on in (("p", "a"), ("far", "b")):
            made = await api.make(f"{CORE}/pods", name, spec=spec(on, serviceAccountName="robot"))
            uids[name] = made["metadata"]["uid"]
        body = {"spec": {"audiences": []}} if bound is None else token(uids[bound.get("name", "p")], **bound)
        assert await api.refused("POST", TOKEN, body) == why

    run(story)


UNNAMED = "not found in pod spec volume, system:node:a is not authorized to request tokens for this audience"


@pytest.mark.parametrize(
    ("volumes", "audiences", "why"),
    [
        ([PLAIN], [], None),
        ([AUDIENCE], ["vault"], None),
        ([{"csi": {"driver": "d"}}], ["csi"], None),
        ([{"persistentVolumeClaim": {"claimName": "c"}}], ["csi"], None),
        ([PLAIN], ["granted"], None),
        ([PLAIN, AUDIENCE], ["vault", "x"], "node may only request 0 or 1 audiences"),
        ([], [], f'audience "" {UNNAMED}'),
        ([PLAIN], ["vault"], f'audience "vault" {UNNAMED}'),
    ],
)
def test_audiences_of_tokens(volumes: list[Body], audiences: list[str], why: str | None) -> None:
    async def story(api: Api) -> None:
        driver = {"tokenRequests": [{"audience": "csi"}]}
        await api.make("/apis/storage.k8s.io/v1/csidrivers", "d", spec=driver)
        claimed = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeName": "v"}
        await api.make(f"{CORE}/persistentvolumeclaims", "c", spec=claimed)
        kept = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
        csi = {"driver": "d", "volumeHandle": "h"}
        await api.make("/api/v1/persistentvolumes", "v", spec={**kept, "csi": csi})
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        rule = {"apiGroups": [""], "resources": ["granted"], "verbs": ["request-serviceaccounts-token-audience"]}
        await api.make(f"{rbac}/clusterroles", "ask", rules=[rule])
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "ask"}
        subjects = [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:nodes"}]
        await api.make(f"{rbac}/clusterrolebindings", "ask", roleRef=reference, subjects=subjects)
        named = [{"name": f"v{i}", **source} for i, source in enumerate(volumes)]
        of_pod = spec(serviceAccountName="robot", volumes=named)
        uid = (await api.make(f"{CORE}/pods", "p", spec=of_pod))["metadata"]["uid"]
        if why is None:
            status, answer = await api.ask("POST", TOKEN, token(uid, *audiences))
            assert status == 201, answer
        else:
            assert await api.refused("POST", TOKEN, token(uid, *audiences)) == why

    run(story)


def signing_request(common_name: str) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    signed = x509.CertificateSigningRequestBuilder().subject_name(name)
    pem = signed.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(pem.public_bytes(serialization.Encoding.PEM)).decode()


@pytest.mark.parametrize(
    ("signer", "common_name", "why"),
    [
        ("kubernetes.io/kubelet-serving", "system:node:a", None),
        ("kubernetes.io/kubelet-serving", "system:node:b", "can only create a node CSR with CN=system:node:a"),
        ("kubernetes.io/kube-apiserver-client-kubelet", "b", "can only create a node CSR with CN=system:node:a"),
        ("example.com/other", "b", None),
    ],
)
def test_signing_requests(signer: str, common_name: str, why: str | None) -> None:
    async def story(api: Api) -> None:
        usages = ["digital signature", "server auth" if "serving" in signer else "client auth"]
        wanted = {"signerName": signer, "request": signing_request(common_name), "usages": usages}
        body = {"metadata": {"name": "r"}, "spec": wanted}
        if why is None:
            status, answer = await api.ask("POST", f"{CERTIFICATES}/certificatesigningrequests", body)
            assert status == 201, answer
        else:
            assert await api.refused("POST", f"{CERTIFICATES}/certificatesigningrequests", body) == why

    run(story)


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({}, 201, ""),
        ({"nodeName": "b"}, 403, 'PodCertificateRequest.Spec.NodeName="b", which is not the requesting node "a"'),
        ({"nodeUID": "x"}, 500, 'names node UID "x", inconsistent with the running node ('),
        ({"podName": "q"}, 404, 'while retrieving pod "shop/q" named in the PodCertificateRequest: pods "q" not found'),
        ({"podUID": "x"}, 500, 'contains pod UID ("x") which differs from running pod "'),
        ({"podName": "far"}, 403, 'pod "shop/far" is not running on node "a" named in the PodCertificateRequest'),
        ({"podName": "mirror"}, 403, 'pod "shop/mirror" is a mirror pod'),
        ({"serviceAccountName": "x"}, 403, 'serviceAccountName ("x") that differs from running pod ("robot")'),
        ({"serviceAccountUID": "x"}, 500, 'names service account UID "x", which differs from the running service'),
    ],
)
def test_certificates_of_pods(changes: Body, status: int, message: str) -> None:
    async def story(api: Api) -> None:
        node = await api.make(NODES, "a")
        pods = {
            "p": await api.make(f"{CORE}/pods", "p", spec=spec(serviceAccountName="robot")),
            "far": await api.make(f"{CORE}/pods", "far", spec=spec("b")),
            "mirror": await api.make(f"{CORE}/pods", "mirror", metadata={"annotations": MIRROR}, spec=spec()),
        }
        _, account = await api.ask("GET", f"{CORE}/serviceaccounts/robot", user=ADMIN)
        pod = pods.get(changes.get("podName", "p"), pods["p"])
        wanted = {
            "signerName": "example.com/s", "nodeName": "a", "nodeUID": node["metadata"]["uid"],
            "podName": "p", "podUID": pod["metadata"]["uid"],
            "serviceAccountName": "robot", "serviceAccountUID": account["metadata"]["uid"],
            "stubPKCS10Request": encoded(request().public_bytes(serialization.Encoding.DER)), **changes,
        }  # fmt: skip
        body = {"metadata": {"name": "r"}, "spec": wanted}
        found = await api.ask("POST", f"{CERTIFICATES}/namespaces/shop/podcertificaterequests", body)
        assert found[0] == status, found
        assert message in found[1].get("message", "")

    run(story)
