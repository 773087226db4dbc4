"""What a node wants in its certificates."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kubelet.identity.asking import AUTHORITY, USER
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.controllers.certificates.request import read_request
from pilothouse.controllers.certificates.signers import wrong_for_kubelet_client, wrong_for_kubelet_serving
from pilothouse.kubelet.identity.signing_requests import CLIENT_SIGNER, SERVING_SIGNER, USAGES
from pilothouse.kubelet.identity.template import Template, client_template, serving_template
from pilothouse.net.pki import Usage
from pilothouse.testing.loop import EPOCH

KEY = ec.generate_private_key(ec.SECP256R1())
SERVING = Template(USER, ("n1",), ("10.0.0.1",))


def test_signers_find_nothing_wrong_with_requests() -> None:
    for template, signer, wrong_with in (
        (client_template("n1"), CLIENT_SIGNER, wrong_for_kubelet_client),
        (SERVING, SERVING_SIGNER, wrong_for_kubelet_serving),
    ):
        text = base64.b64encode(template.request(KEY)).decode()
        request = read_request(CertificateSigningRequest({"spec": {"request": text}}))
        assert request is not None
        assert (request.common_name, request.organizations) == (USER, ("system:nodes",))
        assert wrong_with(request, USAGES[signer]) == ""


@pytest.mark.parametrize(
    ("addresses", "dns_names", "numbers"),
    [
        ([("InternalIP", "10.0.0.1"), ("Hostname", "n1")], ("n1",), ("10.0.0.1",)),
        ([("Hostname", "10.0.0.2"), ("ExternalIP", "10.0.0.1")], (), ("10.0.0.1", "10.0.0.2")),
        ([("InternalDNS", "b"), ("ExternalDNS", "a"), ("Hostname", "a")], ("a", "b"), ()),
        ([("InternalIP", "no-address")], (), ()),
    ],
)
def test_hosts_are_those_of_the_nodes_status(
    addresses: list[tuple[str, str]], dns_names: tuple[str, ...], numbers: tuple[str, ...]
) -> None:
    found = serving_template("n1", [{"type": kind, "address": text} for kind, text in addresses])
    assert found == Template(USER, dns_names, numbers)


@pytest.mark.parametrize(
    ("user", "groups", "names", "numbers", "lack"),
    [
        (USER, ("system:nodes", "more"), ("n1", "more"), ("10.0.0.1", "10.0.0.9"), ""),
        ("other", ("system:nodes",), ("n1",), ("10.0.0.1",),
         "Current certificate CN (other) does not match requested CN (system:node:n1)"),
        (USER, ("system:nodes",), ("n2",), ("10.0.0.1",), "Current certificate is missing requested DNS names [n1]"),
        (USER, ("system:nodes",), ("n1",), (), "Current certificate is missing requested IP addresses [10.0.0.1]"),
        (USER, ("system:nodes",), (), (), "Current certificate is missing requested DNS names [n1]"),
        (USER, ("other",), ("n1",), ("10.0.0.1",), "Current certificate is missing requested orgs [system:nodes]"),
    ],
)  # fmt: skip
def test_a_certificate_may_say_more_and_not_less(
    user: str, groups: tuple[str, ...], names: tuple[str, ...], numbers: tuple[str, ...], lack: str
) -> None:
    made = AUTHORITY.issue(user, groups, names, numbers, usage=Usage.SERVER, now=EPOCH)
    assert SERVING.lack(made.certificate) == lack
