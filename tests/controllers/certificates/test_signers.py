"""Whom each signer signs for, and what it says of others: messages as upstream's, which stand in a condition."""

import pytest

from controllers.certificates.asking import CLIENT, SERVING, Subject, request, subject
from pilothouse.api.certificates.signer import LEGACY
from pilothouse.controllers.certificates.signers import API_CLIENT, KUBELET_CLIENT, KUBELET_SERVING, SIGNERS

NODE, USER = subject(), subject("ann", ())
NO_NODES = "subject organization is not system:nodes"
NO_NODE = "subject common name does not begin with system:node:"
CLIENTS = "usages did not match [client auth digital signature key encipherment]"
SERVERS = "usages did not match [digital signature key encipherment server auth]"
SHORT = ("client auth", "digital signature")


def _not_allowed(kind: str) -> str:
    return f"{kind} subjectAltNames are not allowed"


@pytest.mark.parametrize(
    ("who", "names", "usages", "wrong"),
    [
        (NODE, (), CLIENT, ""),
        (NODE, (), CLIENT[::-1], ""),
        (NODE, (), SHORT, ""),
        (USER, (), CLIENT, NO_NODES),
        (subject(organizations=("system:nodes", "system:masters")), (), CLIENT, NO_NODES),
        (subject(organizations=("system:nodes", "system:nodes")), (), CLIENT, NO_NODES),
        (NODE, ("dns", "email", "ip", "uri"), CLIENT, _not_allowed("DNS")),
        (NODE, ("email", "ip", "uri"), CLIENT, _not_allowed("Email")),
        (NODE, ("ip", "uri"), CLIENT, _not_allowed("IP")),
        (NODE, ("uri",), CLIENT, _not_allowed("URI")),
        (NODE, ("id",), CLIENT, ""),
        (subject("ann"), (), SERVING, NO_NODE),
        (NODE, (), SERVING, CLIENTS),
        (NODE, (), (*CLIENT, "server auth"), CLIENTS),
        (NODE, (), ("client auth", "key encipherment"), CLIENTS),
        (NODE, (), ("client auth",), CLIENTS),
    ],
)  # fmt: skip
def test_a_nodes_client_certificate(who: Subject, names: tuple[str, ...], usages: tuple[str, ...], wrong: str) -> None:
    assert SIGNERS[KUBELET_CLIENT](request(who, *names), usages) == wrong


@pytest.mark.parametrize(
    ("who", "names", "usages", "wrong"),
    [
        (NODE, ("dns",), SERVING, ""),
        (NODE, ("ip",), SERVING, ""),
        (NODE, ("dns", "ip"), ("server auth", "digital signature"), ""),
        (USER, ("dns",), SERVING, NO_NODES),
        (NODE, (), SERVING, "DNS or IP subjectAltName is required"),
        (NODE, ("email",), SERVING, "DNS or IP subjectAltName is required"),
        (NODE, ("dns", "email", "uri"), SERVING, _not_allowed("Email")),
        (NODE, ("dns", "uri"), SERVING, _not_allowed("URI")),
        (subject("ann"), ("dns",), CLIENT, SERVERS),
        (NODE, ("dns",), ("server auth", "key encipherment"), SERVERS),
        (subject("ann"), ("dns",), SERVING, NO_NODE),
    ],
)  # fmt: skip
def test_a_kubelets_serving_certificate(
    who: Subject, names: tuple[str, ...], usages: tuple[str, ...], wrong: str
) -> None:
    assert SIGNERS[KUBELET_SERVING](request(who, *names), usages) == wrong


@pytest.mark.parametrize(
    ("usages", "wrong"),
    [
        (CLIENT, ""),
        (("client auth",), ""),
        (SERVING, "invalid usage for client certificate: server auth"),
        (("client auth", "any"), "invalid usage for client certificate: any"),
        (("digital signature", "key encipherment"), "missing required usage for client certificate: client auth"),
    ],
)
def test_any_users_client_certificate(usages: tuple[str, ...], wrong: str) -> None:
    assert SIGNERS[API_CLIENT](request(USER, "dns", "email"), usages) == wrong


def test_old_requests_may_be_anything() -> None:
    assert SIGNERS[LEGACY](request((), "dns"), ("cert sign", "any")) == ""


def test_there_are_four() -> None:
    assert {*SIGNERS} == {
        "kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet",
        "kubernetes.io/kubelet-serving", "kubernetes.io/legacy-unknown",
    }  # fmt: skip
