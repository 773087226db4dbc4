"""How a machine comes into a cluster: with a bootstrap token it asks for a certificate, and with that it is a node.

Over TLS, for what is signed must do for whoever verifies it.
"""

import asyncio
import base64
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from controllers.certificates.asking import KEY, manifest
from fakes.served_cluster import Keys
from pilothouse.api.catalogue import builtin
from pilothouse.api.types.authentication_v1 import SelfSubjectReview
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.api.types.core_v1 import Secret
from pilothouse.api.types.rbac_v1 import ClusterRoleBinding
from pilothouse.apiserver.config import ApiServerConfig
from pilothouse.apiserver.flags import with_flags
from pilothouse.apiserver.main import run as run_server
from pilothouse.client.client import Client
from pilothouse.client.kubeconfig import Access
from pilothouse.client.memo import Memo
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.main import run as run_controllers
from pilothouse.net.pki import KeyPair
from pilothouse.net.server import Listening
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

ROLES = (
    "system:node-bootstrapper",
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
)
"""What kubeadm binds to the bootstrappers."""


async def _prepare(admin: Client) -> None:
    data = {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
    }
    name = {"name": "bootstrap-token-abcdef", "namespace": "kube-system"}
    await admin.create(Secret, {"metadata": name, "type": "bootstrap.kubernetes.io/token", "stringData": data})
    api = {"apiGroup": "rbac.authorization.k8s.io"}
    for number, role in enumerate(ROLES):
        binding = {
            "metadata": {"name": f"test-{number}"},
            "roleRef": {**api, "kind": "ClusterRole", "name": role},
            "subjects": [{**api, "kind": "Group", "name": "system:bootstrappers"}],
        }
        await admin.create(ClusterRoleBinding, binding)


async def _certificate(machine: Client, clock: SystemClock) -> bytes:
    """Ask, and wait for what comes of it."""
    await machine.create(CertificateSigningRequest, manifest("joins"))
    async with clock.timeout(30):
        while not (found := (await machine.get(CertificateSigningRequest, "joins")).status.certificate):
            await clock.sleep(0.05)
    return base64.b64decode(found)


async def _join(config: ApiServerConfig, keys: Keys) -> None:
    clock, chance = SystemClock(), Chance()
    opened: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()

    def client(certificate: bytes = b"", key: bytes = b"", token: str = "") -> Client:
        server = f"https://127.0.0.1:{opened.result().port}"
        access = Access(server, "", keys.authority.certificate, certificate, key, token)
        return Client(access.transport(clock), builtin(), clock, agent="test", memo=Memo())

    async with Tasks() as tasks:
        tasks.spawn(run_server(config, clock, chance, opened.set_result), name="server")
        await opened
        pair = keys.client("kubernetes-admin", "system:masters")
        admin = client(pair.certificate, pair.key)
        await _prepare(admin)
        work = ControllersConfig(
            controllers=tuple(f"certificatesigningrequest-{name}-controller" for name in ("approving", "signing")),
            signing=KeyPair(keys.authority.certificate, keys.authority.key),
            leader_elect=False,
        )
        tasks.spawn(run_controllers(work, admin, clock, chance), name="controllers")
        signed = await _certificate(client(token="abcdef.0123456789abcdef"), clock)
        key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        user = (await client(signed, key).create(SelfSubjectReview, {})).raw["status"]["userInfo"]
        assert (user["username"], user["groups"]) == ("system:node:one", ["system:nodes", "system:authenticated"])
        tasks.cancel_all()


def test_a_machine_becomes_a_node(tmp_path: Path) -> None:
    keys = Keys.new()
    config = with_flags(keys.config(tmp_path), {"enable-bootstrap-token-auth": "true"})
    asyncio.run(_join(config, keys))
