"""Certificates: issued once, renewed before they end, and each where only its role may read it."""

import os
import stat
from dataclasses import astuple, replace
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from pilothouse.cluster.home import Home
from pilothouse.cluster.kubeconfig import render
from pilothouse.cluster.pki import Pki, certificates
from pilothouse.cluster.settings import Settings
from pilothouse.net.pki import YEAR, Authority, KeyPair, Usage, shown_names
from pilothouse.net.tls import client_context

NOW = 1_800_000_000.0
SETTINGS = Settings(node_name="one", advertise="192.0.2.7")


def test_every_pair_is_usable_and_private(tmp_path: Path) -> None:
    home = Home(tmp_path)
    pki = Pki(home, SETTINGS)
    pki.issue(NOW)
    for each in certificates(SETTINGS):
        client_context(pki.trusted(each.role), pki.pair(each.role, each.file))
        for suffix in ("crt", "key"):
            assert stat.S_IMODE((home.role(each.role) / f"{each.file}.{suffix}").stat().st_mode) == 0o600
        assert stat.S_IMODE(home.role(each.role).stat().st_mode) == 0o700
    assert stat.S_IMODE((home.authority / "ca.key").stat().st_mode) == 0o600


def test_the_front_door_is_known_under_all_its_names(tmp_path: Path) -> None:
    pki = Pki(Home(tmp_path), SETTINGS)
    pki.issue(NOW)
    shown = x509.load_pem_x509_certificate(pki.pair("apiserver", "serving").certificate)
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = names.get_values_for_type(x509.DNSName)
    assert {"kubernetes", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost"} <= set(dns)
    addresses = {str(each) for each in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "::1", "192.0.2.7", "10.96.0.1"}


def test_identities_are_those_that_the_default_roles_expect() -> None:
    users = {each.user: each.groups for each in certificates(SETTINGS)}
    assert users["system:node:one"] == ("system:nodes",)
    assert users["kubernetes-admin"] == ("system:masters",)
    assert {"system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"} <= set(users)


def test_good_ones_stay_and_old_ones_are_renewed_by_the_same_authority(tmp_path: Path) -> None:
    pki = Pki(Home(tmp_path), SETTINGS)
    pki.issue(NOW)
    first, authority = pki.pair("admin", "admin"), pki.trusted("admin")
    token_key = pki.signing_key()
    pki.issue(NOW + 0.5 * YEAR)
    assert pki.pair("admin", "admin") == first
    pki.issue(NOW + 0.9 * YEAR)
    assert pki.pair("admin", "admin") != first
    assert pki.trusted("admin") == authority
    assert pki.signing_key() == token_key
    assert min(pki.expiries().values()) > NOW + 1.8 * YEAR


def test_a_node_has_the_certificate_that_it_renewed(tmp_path: Path) -> None:
    pki = Pki(Home(tmp_path), SETTINGS)
    pki.issue(NOW)
    name, later = "node/kubelet.crt", Authority.create("other", NOW).issue("n", usage=Usage.CLIENT, now=NOW + YEAR)
    assert pki.expiries()[name] == NOW + YEAR
    pki.renewed.mkdir(parents=True)
    (pki.renewed / "kubelet-client-current.pem").write_bytes(later.certificate + later.key)
    assert pki.expiries()[name] == NOW + 2 * YEAR
    pki.issue(NOW + 1.5 * YEAR)
    assert pki.expiries()[name] == NOW + 2.5 * YEAR


def test_a_machine_that_moved_gets_certificates_for_its_new_address(tmp_path: Path) -> None:
    home = Home(tmp_path)
    Pki(home, SETTINGS).issue(NOW)
    moved = Pki(home, replace(SETTINGS, advertise="192.0.2.99"))
    admin = moved.pair("admin", "admin")
    moved.issue(NOW)
    assert "192.0.2.99" in shown_names(moved.pair("apiserver", "serving").certificate)
    assert moved.pair("admin", "admin") == admin


def test_a_pair_torn_by_a_crash_is_issued_anew(tmp_path: Path) -> None:
    home = Home(tmp_path)
    pki = Pki(home, SETTINGS)
    pki.issue(NOW)
    (home.role("proxy") / "proxy.key").unlink()
    pki.issue(NOW)
    client_context(pki.trusted("proxy"), pki.pair("proxy", "proxy"))


def test_the_control_loops_have_the_authoritys_key_and_no_other_role_has(tmp_path: Path) -> None:
    home = Home(tmp_path)
    pki = Pki(home, SETTINGS)
    pki.issue(NOW)
    key = (home.authority / "ca.key").read_bytes()
    holders = [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == key]
    assert {*holders} == {home.authority / "ca.key", home.role("control") / "signing.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in holders} == {0o600}
    assert pki.signing_pair() == KeyPair(pki.trusted("control"), key)
    signed = Authority.load(*astuple(pki.signing_pair())).issue("ann", usage=Usage.CLIENT, now=NOW)
    client_context(pki.trusted("apiserver"), signed)


@pytest.mark.parametrize("before", [b"of another authority", None], ids=["that was another's", "of before it had one"])
def test_a_home_gets_the_key_that_signs(tmp_path: Path, before: bytes | None) -> None:
    home = Home(tmp_path)
    pki = Pki(home, SETTINGS)
    pki.issue(NOW)
    first, path = pki.signing_pair(), home.role("control") / "signing.key"
    path.unlink() if before is None else path.write_bytes(before)
    pki.issue(NOW)
    assert pki.signing_pair() == first
    written = path.stat()
    pki.issue(NOW)
    assert path.stat() == written


def test_a_control_plane_alone_has_no_identities_of_nodes() -> None:
    roles = {each.role for each in certificates(Settings(node=False))}
    assert roles == {"apiserver", "control", "admin"}


def test_the_kubeconfig_stands_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    Pki(home, SETTINGS).issue(NOW)
    document = yaml.safe_load(render(home, SETTINGS))
    assert document["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert str(tmp_path) not in str(document)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")
def test_each_role_owns_its_own(tmp_path: Path) -> None:
    home, settings = Home(tmp_path), Settings(node_name="one", unprivileged=65532)
    Pki(home, settings).issue(NOW)
    assert home.role("apiserver").stat().st_uid == 65532
    assert (home.role("apiserver") / "serving.key").stat().st_uid == 65532
    assert (home.role("control") / "signing.key").stat().st_uid == 65532
    assert home.role("node").stat().st_uid == 0
    assert home.authority.stat().st_uid == 0
