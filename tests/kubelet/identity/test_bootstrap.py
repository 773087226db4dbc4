"""From a token to a node: files, names, and through the real API server."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from fakes.served_cluster import Keys
from kubelet.identity.asking import AUTHORITY, DAY, pair
from kubelet.identity.signing import CONTROLLERS, bind
from kubelet.identity.test_store import store as stored
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.types.authentication_v1 import SelfSubjectReview
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.api.types.core_v1 import Node, Secret
from pilothouse.apiserver.config import ApiServerConfig
from pilothouse.apiserver.main import run as run_server
from pilothouse.client.client import Client
from pilothouse.client.kubeconfig import Access, KubeconfigError, load
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HttpTransport
from pilothouse.cluster.node_bindings import JOINING
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.main import run as run_controllers
from pilothouse.kubelet.identity.bootstrap import begin, digested_name, is_good, obtain, read, write_kubeconfig
from pilothouse.kubelet.identity.rotation import Rotation, Wanted
from pilothouse.kubelet.identity.signing_requests import CLIENT_SIGNER
from pilothouse.kubelet.identity.store import CLIENT, CertificateStore
from pilothouse.kubelet.identity.template import client_template
from pilothouse.net.pki import KeyPair
from pilothouse.net.server import Listening
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import EPOCH

SERVER = Access("https://192.0.2.1:6443", authorities=AUTHORITY.certificate)
TOKEN = "abcdef.0123456789abcdef"


def token_config(path: Path, server: Access) -> Path:
    """A bootstrap kubeconfig, as an administrator writes it."""
    write_kubeconfig(path, server, Path("none"))
    document = yaml.safe_load(path.read_text())
    document["users"][0]["user"] = {"token": TOKEN}
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_kubeconfig_names_the_current_pair(tmp_path: Path) -> None:
    kept, path = stored(tmp_path / "pki"), tmp_path / "etc" / "kubelet.conf"
    write_kubeconfig(path, SERVER, kept.path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert not is_good(path, EPOCH)
    made = pair()
    kept.update(made)
    access = read(path)
    assert (access.server, access.authorities) == (SERVER.server, SERVER.authorities)
    assert (access.certificate.strip(), access.key.strip()) == (made.certificate.strip(), made.key.strip())
    assert is_good(path, EPOCH)
    assert not is_good(path, EPOCH + 101 * DAY)


def test_what_is_no_kubeconfig_or_has_no_certificate_is_not_good(tmp_path: Path) -> None:
    path = tmp_path / "kubelet.conf"
    assert not is_good(path, EPOCH)
    path.write_text("no: kubeconfig")
    assert not is_good(path, EPOCH)
    assert not is_good(token_config(path, SERVER), EPOCH)


def test_who_rotates_begins_with_the_token_or_with_what_there_is(tmp_path: Path) -> None:
    kubeconfig, token = tmp_path / "kubelet.conf", token_config(tmp_path / "bootstrap.conf", SERVER)
    kept = stored(tmp_path / "pki")
    first = begin(kubeconfig, token, kept, EPOCH)
    assert (first.asking.token, first.own.token, first.own.certificate) == (TOKEN, "", b"")
    kept.update(pair())
    again = begin(kubeconfig, tmp_path / "gone", kept, EPOCH)
    assert again.asking == again.own == read(kubeconfig)
    with pytest.raises(KubeconfigError, match="gone"):
        begin(kubeconfig, tmp_path / "gone", kept, EPOCH + 101 * DAY)


def test_a_request_has_the_same_name_as_long_as_the_key_is_the_same() -> None:
    keys = [ec.derive_private_key(number, ec.SECP256R1()) for number in (1, 2)]
    template = client_template("n1")
    names = [digested_name(key, template) for key in (*keys, keys[0])]
    assert names[0] == names[2] != names[1]
    assert digested_name(keys[0], client_template("n2")) != names[0]
    assert (names[0][:9], len(names[0])) == ("node-csr-", 52)


async def _token(admin: Client) -> None:
    data = {
        "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true",
        "auth-extra-groups": JOINING,
    }  # fmt: skip
    name = {"name": "bootstrap-token-abcdef", "namespace": "kube-system"}
    await admin.create(Secret, {"metadata": name, "type": "bootstrap.kubernetes.io/token", "stringData": data})


async def _joins_waiting(directory: Path, token: Path, clock: SystemClock) -> None:
    """Ask first, then be a node; the second time nothing is asked."""
    kept, kubeconfig = CertificateStore(directory / "pki", CLIENT, clock), directory / "kubelet.conf"
    transport = (await obtain(kubeconfig, token, kept, "one", clock)).transport(clock)
    client = Client(transport, builtin(), clock, agent="kubelet", memo=Memo())
    user = (await client.create(SelfSubjectReview, {})).raw["status"]["userInfo"]
    assert (user["username"], user["groups"]) == ("system:node:one", ["system:nodes", "system:authenticated"])
    await client.create(Node, {"metadata": {"name": "one"}})
    asked = (await client.list(CertificateSigningRequest)).items
    assert [one.metadata.name[:9] for one in asked] == ["node-csr-"]
    assert not (directory / "pki" / "kubelet-client.key.tmp").exists()
    assert (await obtain(kubeconfig, token, kept, "one", clock)).certificate == load(kubeconfig).certificate.split(
        b"-----BEGIN EC"
    )[0]
    assert len((await client.list(CertificateSigningRequest)).items) == 1
    await transport.close()


async def _joins_in_the_background(directory: Path, token: Path, clock: SystemClock) -> None:
    """Be nobody at first, and a node once the rotation has got a certificate; watches begun before go on."""
    kept = CertificateStore(directory / "pki", CLIENT, clock)
    beginning = begin(directory / "kubelet.conf", token, kept, clock.now())
    transport, asking = beginning.own.transport(clock), beginning.asking.transport(clock)
    kept.on_change(transport.renew)
    client, newcomer = (Client(each, builtin(), clock, agent="kubelet", memo=Memo()) for each in (transport, asking))
    with pytest.raises(Forbidden, match="system:anonymous"):
        await client.create(Node, {"metadata": {"name": "two"}})
    work = Rotation(
        kept, Wanted(CLIENT_SIGNER, client_template("two")), lambda current: client if current else newcomer,
        _Silent(), clock, Chance(),
    )  # fmt: skip
    assert await work.rotate()
    await client.create(Node, {"metadata": {"name": "two"}})
    async with client.watch(Node, fields="metadata.name=two") as events:
        assert (await anext(events)).type == "ADDED"
        assert await work.rotate()
        await client.patch(Node, "two", "", {"metadata": {"labels": {"a": "b"}}})
        assert (await anext(events)).object.metadata.labels["a"] == "b"
    asked = (await client.list(CertificateSigningRequest)).items
    assert sorted(one.spec.username for one in asked if one.metadata.name.startswith("csr-")) == [
        "system:bootstrap:abcdef", "system:node:two",
    ]  # fmt: skip
    assert is_good(directory / "kubelet.conf", clock.now())
    await transport.close()
    await asking.close()


class _Silent:
    def failed(self) -> None:
        """Of no interest."""

    def rotated(self, age: float) -> None:
        """Of no interest."""


async def _cluster(config: ApiServerConfig, keys: Keys, directory: Path) -> None:
    clock, chance = SystemClock(), Chance()
    opened: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
    async with Tasks() as tasks:
        tasks.spawn(run_server(config, clock, chance, opened.set_result), name="server")
        server = Access(f"https://127.0.0.1:{(await opened).port}", authorities=keys.authority.certificate)
        own = keys.client("kubernetes-admin", "system:masters")
        transport: HttpTransport = replace(server, certificate=own.certificate, key=own.key).transport(clock)
        admin = Client(transport, builtin(), clock, agent="test", memo=Memo())
        await _token(admin)
        await bind(admin)
        signer = KeyPair(keys.authority.certificate, keys.authority.key)
        work = ControllersConfig(controllers=CONTROLLERS, signing=signer, leader_elect=False)
        tasks.spawn(run_controllers(work, admin, clock, chance), name="controllers")
        token = token_config(directory / "bootstrap.conf", server)
        async with clock.timeout(40):
            await _joins_waiting(directory / "one", token, clock)
            await _joins_in_the_background(directory / "two", token, clock)
        tasks.cancel_all()


def test_a_machine_with_a_token_becomes_a_node_and_stays_one(tmp_path: Path) -> None:
    keys = Keys.new()
    (tmp_path / "server").mkdir()
    asyncio.run(_cluster(replace(keys.config(tmp_path / "server"), bootstrap_tokens=True), keys, tmp_path))
