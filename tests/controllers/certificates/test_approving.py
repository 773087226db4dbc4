"""Nodes get their client certificates approved; nobody else does."""

from typing import Any

import pytest

from controllers.certificates.asking import CLIENT, SERVING, asked, manifest, subject
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.api.types.rbac_v1 import ClusterRoleBinding
from pilothouse.apiserver.user import User
from pilothouse.client.client import Client
from pilothouse.controllers.certificates.approving import grounds, question
from pilothouse.controllers.certificates.signers import API_CLIENT, KUBELET_SERVING
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

SELF = "Auto approving self kubelet client certificate after SubjectAccessReview."
NODE = "Auto approving kubelet client certificate after SubjectAccessReview."
ROLE = "system:certificates.k8s.io:certificatesigningrequests"
JOINING = User("system:bootstrap:abcdef", ("system:bootstrappers", "system:authenticated"))
ONE = User("system:node:one", ("system:nodes", "system:authenticated"))


@pytest.mark.parametrize(
    ("conditions", "more", "found"),
    [
        ((), {}, ["nodeclient"]),
        ((), {"username": "system:node:one"}, ["selfnodeclient", "nodeclient"]),
        ((), {"username": "system:node:two"}, ["nodeclient"]),
        (("Other",), {}, ["nodeclient"]),
        (("Approved",), {}, []),
        (("Denied",), {}, []),
        ((), {"certificate": "PEM"}, []),
        ((), {"signer": API_CLIENT}, []),
        ((), {"signer": KUBELET_SERVING, "names": ("dns",), "usages": SERVING}, []),
        ((), {"usages": SERVING}, []),
        ((), {"who": subject("ann", ()), "username": "ann"}, []),
        ((), {"who": subject(organizations=("system:masters",))}, []),
        ((), {"request": "no request"}, []),
    ],
)
def test_on_which_grounds(conditions: tuple[str, ...], more: dict[str, Any], found: list[str]) -> None:
    assert [ground.subresource for ground in grounds(asked(*conditions, **more))] == found


def test_what_is_asked_is_whether_the_asker_may() -> None:
    who: dict[str, Any] = {"username": "ann", "uid": "7", "groups": ["devs"], "extra": {"scopes": ["a", "b"]}}
    request = asked(**who)
    assert question(request, grounds(request)[0]) == {
        "spec": {
            "user": "ann",
            "uid": "7",
            "groups": ["devs"],
            "extra": {"scopes": ["a", "b"]},
            "resourceAttributes": {
                "group": "certificates.k8s.io",
                "resource": "certificatesigningrequests",
                "subresource": "nodeclient",
                "verb": "create",
            },
        }
    }


def _binding(role: str, group: str) -> dict[str, Any]:
    return {
        "metadata": {"name": role.replace(":", "-")},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
    }


async def _conditions(client: Client, name: str) -> list[tuple[str, ...]]:
    found = await client.get(CertificateSigningRequest, name)
    return [(each.type, each.status, each.reason, each.message) for each in found.status.conditions]


def test_who_may_gets_it() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            admin = cluster.client()
            await admin.create(ClusterRoleBinding, _binding("system:node-bootstrapper", "system:bootstrappers"))
            await admin.create(ClusterRoleBinding, _binding(f"{ROLE}:selfnodeclient", "system:nodes"))
            await cluster.client(JOINING).create(CertificateSigningRequest, manifest("joins"))
            await cluster.client(ONE).create(CertificateSigningRequest, manifest("renews"))
            users = manifest("user", subject("ann", ()), signer=API_CLIENT, usages=CLIENT)
            await admin.create(CertificateSigningRequest, users)
            await clock.sleep(5)
            assert await _conditions(admin, "renews") == [("Approved", "True", "AutoApproved", SELF)]
            assert await _conditions(admin, "joins") == []
            # A refusal is not the end of it.
            await admin.create(ClusterRoleBinding, _binding(f"{ROLE}:nodeclient", "system:bootstrappers"))
            await clock.sleep(60)
            assert await _conditions(admin, "joins") == [("Approved", "True", "AutoApproved", NODE)]
            assert await _conditions(admin, "user") == []

    run(story)
