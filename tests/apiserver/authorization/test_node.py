"""What a node may do, through the whole chain. Read from plugin/pkg/auth/authorizer/node/node_authorizer.go.

*Assumed*: the words about podcertificaterequests, which the version read did not have.
"""

import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.framework import Attributes, Chain, Masters
from pilothouse.apiserver.authorization.node import NodeAuthorizer
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.bootstrap.cluster_roles import CLUSTER_ROLES
from pilothouse.apiserver.bootstrap.notation import rules
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.reviews.access import AccessReviews
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

ADMIN = User("admin", ("system:masters",))
CORE = "/api/v1/namespaces/shop"
NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"
CLAIMS = "/apis/resource.k8s.io/v1/namespaces/shop/resourceclaims"
CSI_NODES = "/apis/storage.k8s.io/v1/csinodes"
ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"
REQUESTS = "/apis/certificates.k8s.io/v1/namespaces/shop/podcertificaterequests"
UNRELATED = "no relationship found between node 'a' and this object"
Ask = Callable[..., Awaitable[tuple[int, Any]]]


@cache
def schemas() -> Schemas:
    return Schemas()


def node(name: str) -> User:
    return User(f"system:node:{name}", ("system:nodes",))


def run(story: Callable[[Ask], Awaitable[None]]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            nodes = NodeAuthorizer(server.cache, rules(*CLUSTER_ROLES["system:node"]))
            may = Chain([Masters(), nodes, Rbac(server.cache)])
            reviews = AccessReviews(may, Rbac(server.cache), schemas())
            server.assemble(
                steps=[authenticate(InProcessAuthenticator()), authorize(may)],
                reviews={("authorization.k8s.io", "selfsubjectrulesreviews"): reviews.rules},
            )

            async def ask(user: User, method: str, target: str, body: Any = None) -> tuple[int, Any]:
                sent = orjson.dumps(body) if body is not None else b""
                answer = await HandlerTransport(server.handle, user).send(method, target, {}, sent)
                return answer.status, orjson.loads(answer.body)

            await story(ask)

    run_virtual(scenario)


async def make(ask: Ask, path: str, name: str, **fields: Any) -> None:
    status, made = await ask(ADMIN, "POST", path, {"metadata": {"name": name}, **fields})
    assert status == 201, made


def pod(on: str, *volumes: dict[str, Any], **spec: Any) -> dict[str, Any]:
    named = [{"name": f"v{i}", **volume} for i, volume in enumerate(volumes)]
    return {"nodeName": on, "containers": [{"name": "c", "image": "i"}], "volumes": named, **spec}


async def cluster(ask: Ask) -> None:
    """Two nodes with a pod each; the first pod names objects called `mine`."""
    for name in ("a", "b"):
        await make(ask, NODES, name)
        await make(ask, CSI_NODES, name, spec={"drivers": []})
        await make(ask, LEASES, name)
        source = {"persistentVolumeName": "mine"}
        await make(ask, ATTACHMENTS, name, spec={"attacher": "d", "nodeName": name, "source": source})
        pool = {"name": name, "generation": 1, "resourceSliceCount": 1}
        await make(ask, SLICES, name, spec={"driver": "d.example.com", "nodeName": name, "pool": pool})
    for name in ("mine", "other"):
        for plural in ("secrets", "configmaps", "serviceaccounts"):
            await make(ask, f"{CORE}/{plural}", name)
        await make(ask, CLAIMS, name, spec={"devices": {}})
        claimed = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        await make(ask, f"{CORE}/persistentvolumeclaims", name, spec=claimed)
        reference = {"namespace": "shop", "name": name}
        stage = {"nodeStageSecretRef": {"namespace": "vault", "name": name}}
        kept = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "claimRef": reference}
        csi = {"driver": "d", "volumeHandle": name, **stage}
        await make(ask, "/api/v1/persistentvolumes", name, spec={**kept, "csi": csi})
        await make(ask, "/api/v1/namespaces/vault/secrets", name)
    volumes = (
        {"secret": {"secretName": "mine"}},
        {"configMap": {"name": "mine"}},
        {"persistentVolumeClaim": {"claimName": "mine"}},
    )
    claims = [{"name": "device", "resourceClaimName": "mine"}]
    spec = pod("a", *volumes, serviceAccountName="mine", resourceClaims=claims)
    spec["containers"][0]["resources"] = {"claims": [{"name": "device"}]}
    await make(ask, f"{CORE}/pods", "on-a", spec=spec)
    await make(ask, f"{CORE}/pods", "on-b", spec=pod("b"))


@pytest.mark.parametrize(
    ("method", "target", "why"),
    [
        ("GET", f"{CORE}/secrets/mine", None),
        ("GET", f"{CORE}/secrets?fieldSelector=metadata.name=mine", None),
        ("GET", f"{CORE}/configmaps/mine", None),
        ("GET", f"{CORE}/configmaps?fieldSelector=metadata.name=mine", None),
        ("GET", f"{CORE}/secrets/other", UNRELATED),
        ("GET", f"{CORE}/configmaps?fieldSelector=metadata.name=other", UNRELATED),
        ("GET", f"{CORE}/configmaps", "No Object name found"),
        ("GET", f"{CORE}/secrets?fieldSelector=&fieldSelector=metadata.name=mine", "No Object name found"),
        ("GET", "/api/v1/secrets", "can only read namespaced object of this type"),
        ("DELETE", f"{CORE}/secrets/mine", "can only read resources of this type"),
        ("GET", "/api/v1/namespaces/vault/secrets/mine", None),
        ("GET", "/api/v1/namespaces/vault/secrets/other", UNRELATED),
        ("GET", f"{CORE}/persistentvolumeclaims/mine", None),
        ("GET", f"{CORE}/persistentvolumeclaims/other", UNRELATED),
        ("GET", f"{CORE}/persistentvolumeclaims", "can only get individual resources of this type"),
        ("GET", "/api/v1/persistentvolumes/mine", None),
        ("GET", "/api/v1/persistentvolumes/other", UNRELATED),
        ("GET", "/api/v1/persistentvolumes/mine/status", "cannot get subresource"),
        ("GET", f"{CLAIMS}/mine", None),
        ("GET", f"{CLAIMS}/other", UNRELATED),
        ("GET", f"{ATTACHMENTS}/a", None),
        ("GET", f"{ATTACHMENTS}/b", UNRELATED),
        ("GET", f"{CORE}/persistentvolumeclaims/mine/status", "can only get/update/patch this type"),
        ("PATCH", f"{CORE}/persistentvolumeclaims/other/status", UNRELATED),
        ("GET", f"{CORE}/serviceaccounts/mine", None),
        ("GET", f"{CORE}/serviceaccounts/other", UNRELATED),
        ("GET", f"{CORE}/serviceaccounts", "can only create tokens for individual service accounts"),
        ("DELETE", f"{CORE}/serviceaccounts/mine", "can only create tokens for individual service accounts"),
        ("POST", f"{CORE}/serviceaccounts/other/token", UNRELATED),
        ("POST", f"{CORE}/serviceaccounts/mine/x", "can only create token subresource of serviceaccount"),
        ("GET", f"{LEASES}/a", None),
        ("GET", f"{LEASES}/b", "can only access node lease with the same name as the requesting node"),
        ("GET", LEASES, "can only get, create, update, patch, or delete a node lease"),
        (
            "GET",
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/a",
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        ("GET", f"{CSI_NODES}/a", None),
        ("GET", f"{CSI_NODES}/b", "can only access CSINode with the same name as the requesting node"),
        ("GET", CSI_NODES, "can only get, create, update, patch, or delete a CSINode"),
        ("GET", f"{SLICES}/a", None),
        ("GET", f"{SLICES}/b", UNRELATED),
        ("GET", f"{SLICES}?fieldSelector=spec.nodeName=a", None),
        (
            "GET",
            f"{SLICES}?fieldSelector=spec.nodeName=b",
            "can only list/watch/deletecollection resourceslices with nodeName field selector",
        ),
        ("DELETE", SLICES, "can only list/watch/deletecollection resourceslices with nodeName field selector"),
        ("GET", f"{REQUESTS}?fieldSelector=spec.nodeName=a", None),
        ("GET", REQUESTS, "can only list/watch podcertificaterequests with spec.nodeName field selector"),
        ("GET", f"{NODES}/a", None),
        ("GET", f"{NODES}?fieldSelector=metadata.name=a", None),
        ("GET", f"{NODES}/b", "node 'a' cannot read 'b', only its own Node object"),
        ("GET", NODES, "node 'a' cannot read all nodes, only its own Node object"),
        ("DELETE", f"{NODES}/a", ""),
        ("GET", f"{CORE}/pods/on-a", None),
        ("GET", f"{CORE}/pods/on-b", UNRELATED),
        ("GET", "/api/v1/pods?fieldSelector=spec.nodeName=a", None),
        ("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Da,status.phase%3DRunning", None),
        ("GET", f"{CORE}/pods?fieldSelector=metadata.name=on-a", None),
        ("GET", "/api/v1/pods", "can only list/watch pods with spec.nodeName field selector"),
        (
            "GET",
            "/api/v1/pods?fieldSelector=spec.nodeName!=a",
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (
            "GET",
            "/api/v1/pods?fieldSelector=&fieldSelector=spec.nodeName=a",
            "can only list/watch pods with spec.nodeName field selector",
        ),
        ("DELETE", "/api/v1/pods", ""),
        ("GET", f"{CORE}/pods/on-a/log", ""),
        ("POST", f"{CORE}/pods/on-a/binding", ""),
        ("PUT", f"{CORE}/pods/on-a", ""),
        ("GET", "/api/v1/services", None),
        ("GET", "/apis/node.k8s.io/v1/runtimeclasses", None),
        ("GET", "/apis/storage.k8s.io/v1/csidrivers", None),
        ("GET", "/apis/certificates.k8s.io/v1/clustertrustbundles", None),
        ("GET", "/apis/apps/v1/deployments", ""),
        ("GET", "/metrics", ""),
    ],
)
def test_what_a_node_may_do(method: str, target: str, why: str | None) -> None:
    async def story(ask: Ask) -> None:
        await cluster(ask)
        status, answer = await ask(node("a"), method, target, {} if method in ("POST", "PUT", "PATCH") else None)
        if why is None:
            assert status == 200, answer
            return
        assert (status, answer["reason"]) == (403, "Forbidden")
        place = '( at the cluster scope| in the namespace "[a-z-]+"| cannot get path "/metrics")'
        ending = re.search(rf'User "system:node:a".*?{place}(.*)', answer["message"])
        assert ending is not None
        assert ending[2] == (f": {why}" if why else "")

    run(story)


def test_what_is_written_is_left_to_admission() -> None:
    async def story(ask: Ask) -> None:
        await cluster(ask)
        a = node("a")
        assert (await ask(a, "POST", NODES, {"metadata": {"name": "c"}}))[0] == 201
        ready = {"metadata": {"name": "a"}, "spec": {}, "status": {"phase": "Running"}}
        assert (await ask(a, "PUT", f"{NODES}/a/status", ready))[0] == 200
        assert (await ask(a, "POST", LEASES, {"metadata": {"name": "c"}}))[0] == 201
        assert (await ask(a, "POST", CSI_NODES, {"metadata": {"name": "c"}, "spec": {"drivers": []}}))[0] == 201
        event = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "shop"}}
        assert (await ask(a, "POST", f"{CORE}/events", event))[0] == 201
        assert (await ask(a, "DELETE", f"{CORE}/pods/on-b"))[0] == 200

    run(story)


def test_rights_come_and_go_with_pods() -> None:
    async def story(ask: Ask) -> None:
        secret = f"{CORE}/secrets/s"
        await make(ask, f"{CORE}/secrets", "s")
        assert (await ask(node("a"), "GET", secret))[0] == 403
        await make(ask, f"{CORE}/pods", "one", spec=pod("", {"secret": {"secretName": "s"}}))
        assert (await ask(node("a"), "GET", secret))[0] == 403
        bind = {"target": {"kind": "Node", "name": "a"}}
        await make(ask, f"{CORE}/pods/one/binding", "one", **bind)
        await make(ask, f"{CORE}/pods", "two", spec=pod("a", {"secret": {"secretName": "s"}}))
        await make(ask, f"{CORE}/pods", "far", spec=pod("b", {"secret": {"secretName": "s"}}))
        assert (await ask(node("a"), "GET", secret))[0] == 200
        await ask(ADMIN, "DELETE", f"{CORE}/pods/one?gracePeriodSeconds=0")
        assert (await ask(node("a"), "GET", secret))[0] == 200
        await ask(ADMIN, "DELETE", f"{CORE}/pods/two?gracePeriodSeconds=0")
        assert (await ask(node("a"), "GET", secret))[0] == 403
        assert (await ask(node("b"), "GET", secret))[0] == 200

    run(story)


def test_a_mirror_pod_gives_no_rights() -> None:
    async def story(ask: Ask) -> None:
        await make(ask, f"{CORE}/secrets", "s")
        metadata = {"name": "static", "annotations": {"kubernetes.io/config.mirror": "x"}}
        spec = pod("a", {"secret": {"secretName": "s"}})
        assert (await ask(ADMIN, "POST", f"{CORE}/pods", {"metadata": metadata, "spec": spec}))[0] == 201
        assert (await ask(node("a"), "GET", f"{CORE}/secrets/s"))[0] == 403
        assert (await ask(node("a"), "GET", f"{CORE}/pods/static"))[0] == 200

    run(story)


def test_a_claim_made_from_a_template_is_known_once_the_status_names_it() -> None:
    async def story(ask: Ask) -> None:
        await make(ask, CLAIMS, "made", spec={"devices": {}})
        spec = pod("a", resourceClaims=[{"name": "device", "resourceClaimTemplateName": "t"}])
        await make(ask, f"{CORE}/pods", "p", spec=spec)
        assert (await ask(node("a"), "GET", f"{CLAIMS}/made"))[0] == 403
        _, found = await ask(ADMIN, "GET", f"{CORE}/pods/p")
        found["status"]["resourceClaimStatuses"] = [{"name": "device", "resourceClaimName": "made"}]
        assert (await ask(ADMIN, "PUT", f"{CORE}/pods/p/status", found))[0] == 200
        assert (await ask(node("a"), "GET", f"{CLAIMS}/made"))[0] == 200

    run(story)


@pytest.mark.parametrize(
    ("user", "why"),
    [
        (User("system:node:", ("system:nodes",)), ': unknown node for user "system:node:"'),
        (User("system:node:a"), ""),
        (User("a", ("system:nodes",)), ""),
    ],
)
def test_who_is_no_node(user: User, why: str) -> None:
    async def story(ask: Ask) -> None:
        await make(ask, NODES, "a")
        status, answer = await ask(user, "GET", f"{NODES}/a")
        assert status == 403
        assert answer["message"].endswith(f'cannot get resource "nodes" in API group "" at the cluster scope{why}')

    run(story)


def test_roles_add_to_what_a_node_may() -> None:
    async def story(ask: Ask) -> None:
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        rule = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}
        await make(ask, f"{rbac}/clusterroles", "list", rules=[rule])
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "list"}
        subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}]
        await make(ask, f"{rbac}/clusterrolebindings", "list", roleRef=reference, subjects=subjects)
        assert (await ask(node("a"), "GET", NODES))[0] == 200
        assert (await ask(node("a"), "GET", "/api/v1/pods"))[0] == 403

    run(story)


def test_the_rules_of_a_node_are_not_all_there_is() -> None:
    async def story(ask: Ask) -> None:
        rule = {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectrulesreviews"], "verbs": ["create"]}
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        await make(ask, f"{rbac}/clusterroles", "ask", rules=[rule])
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "ask"}
        subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}]
        await make(ask, f"{rbac}/clusterrolebindings", "ask", roleRef=reference, subjects=subjects)
        body = {"spec": {"namespace": "shop"}}
        status, answer = await ask(node("a"), "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body)
        assert status == 201, answer
        assert answer["status"]["incomplete"] is True
        assert answer["status"]["evaluationError"] == "node authorizer does not support user rule resolution"

    run(story)


def test_the_verbs_that_nobody_has_for_slices() -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            found = NodeAuthorizer(server.cache, ())
            asked = Attributes(node("a"), "bind", "resource.k8s.io", "v1", "resourceslices")
            assert found.authorize(asked).reason.startswith("only the following verbs are allowed for a ResourceSlice")
            asked = Attributes(node("a"), "get", "resource.k8s.io", "v1", "resourceslices", "status")
            assert found.authorize(asked).reason == "cannot authorize ResourceSlice subresources"

    run_virtual(scenario)
