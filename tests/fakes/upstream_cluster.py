"""Upstream's own control plane on loopback, with our imagined nodes: what the contract suite is held against in turn.

`PYTHONPATH=tests python -m fakes.upstream_cluster BINARIES` runs kube-apiserver, kube-controller-manager and
kube-scheduler out of that directory on an etcd, tells where the kubeconfig is, and ends them all when interrupted.
Their flags are v1.20's, the newest that was there to try; later ones know no `--port`.
"""

import asyncio
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from fakes.etcd import Etcd, free_ports
from fakes.served_cluster import Keys
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import Namespace
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HttpTransport
from pilothouse.net.pki import KeyPair, new_signing_key
from pilothouse.net.tls import client_context
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing import simulated_node
from pilothouse.testing.simulated_node import SimulatedNodesConfig
from pilothouse.testing.simulated_pod import Pace

_HOST = "127.0.0.1"
_SERVICES, _PODS = "10.96.0.0/16", "10.244.0.0/16"
_PACE = Pace(start=0.05, ready=0.0, run=0.05, stop=0.05)
_PATIENCE = 120


class UpstreamCluster:
    """The files that the processes need, and the processes."""

    def __init__(self, binaries: Path, directory: Path, keys: Keys) -> None:
        self._binaries, self._directory, self._keys = binaries, directory, keys
        self._clock = SystemClock()
        self._port, *self._others = free_ports(3)
        self.kubeconfig = keys.kubeconfig(directory, self._port)
        token = new_signing_key()
        self._write("authority", KeyPair(keys.authority.certificate, keys.authority.key))
        self._write("tokens", KeyPair(token.public, token.private))

    @contextmanager
    def server(self, etcd: str) -> Iterator[None]:
        """The API server, while this lasts."""
        with self._process("kube-apiserver", self._apiserver(etcd)):
            yield

    @contextmanager
    def others(self) -> Iterator[None]:
        """Controllers and scheduler, who wait but ten seconds for the server to be ready."""
        manager = {**self._access("system:kube-controller-manager", self._others[0]), **self._manager()}
        scheduler = self._access("system:kube-scheduler", self._others[1])
        with self._process("kube-controller-manager", manager), self._process("kube-scheduler", scheduler):
            yield

    async def ready(self) -> None:
        """Return once the server knows its administrators. Raises StatusError or OSError when that takes too long."""
        client, end = self._client(), self._clock.monotonic() + _PATIENCE
        while True:
            try:
                await client.get(Namespace, "default")
            except (StatusError, OSError):
                if self._clock.monotonic() > end:
                    raise
                await self._clock.sleep(0.2)
            else:
                return

    async def nodes(self, count: int) -> None:
        """Be so many nodes."""
        await simulated_node.run(SimulatedNodesConfig(count=count, pace=_PACE), self._client(), self._clock, Chance())

    def _client(self) -> Client:
        identity = self._keys.client("test:simulated-nodes", "system:masters")
        tls = client_context(self._keys.authority.certificate, identity)
        transport = HttpTransport(f"https://{_HOST}:{self._port}", self._clock, tls=tls)
        return Client(transport, builtin(), self._clock, agent="simulated-nodes", memo=Memo())

    def _apiserver(self, etcd: str) -> dict[str, str]:
        authority = f"{self._directory}/authority.crt"
        return {
            **self._pair("tls-cert-file", "tls-private-key-file", self._keys.server("kube-apiserver")),
            **self._pair(
                "kubelet-client-certificate", "kubelet-client-key", self._keys.client("kubelets", "system:masters")
            ),
            **self._pair("proxy-client-cert-file", "proxy-client-key-file", self._keys.client("front-proxy-client")),
            "etcd-servers": etcd,
            "bind-address": _HOST,
            "advertise-address": "192.0.2.1",
            "secure-port": str(self._port),
            "client-ca-file": authority,
            "requestheader-client-ca-file": authority,
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": f"{self._directory}/tokens.crt",
            "service-account-signing-key-file": f"{self._directory}/tokens.key",
            "service-cluster-ip-range": _SERVICES,
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "allow-privileged": "true",
        }

    def _manager(self) -> dict[str, str]:
        return {
            "service-account-private-key-file": f"{self._directory}/tokens.key",
            "root-ca-file": f"{self._directory}/authority.crt",
            "cluster-signing-cert-file": f"{self._directory}/authority.crt",
            "cluster-signing-key-file": f"{self._directory}/authority.key",
            "use-service-account-credentials": "true",
            "allocate-node-cidrs": "true",
            "cluster-cidr": _PODS,
            "service-cluster-ip-range": _SERVICES,
        }

    def _access(self, user: str, port: int) -> dict[str, str]:
        """What controller manager and scheduler have in common."""
        place = self._directory / user.rpartition(":")[2]
        place.mkdir()
        kubeconfig = str(self._keys.kubeconfig(place, self._port))
        self._replace(place, self._keys.client(user))
        return {
            **self._pair("tls-cert-file", "tls-private-key-file", self._keys.server(place.name)),
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": _HOST,
            "secure-port": str(port),
            "port": "0",
            "leader-elect": "false",
        }

    @staticmethod
    def _replace(place: Path, identity: KeyPair) -> None:
        (place / "admin.crt").write_bytes(identity.certificate)
        (place / "admin.key").write_bytes(identity.key)

    def _pair(self, certificate: str, key: str, pair: KeyPair) -> dict[str, str]:
        name = f"{certificate}-{len(list(self._directory.iterdir()))}"
        self._write(name, pair)
        return {certificate: f"{self._directory}/{name}.crt", key: f"{self._directory}/{name}.key"}

    def _write(self, name: str, pair: KeyPair) -> None:
        (self._directory / f"{name}.crt").write_bytes(pair.certificate)
        (self._directory / f"{name}.key").write_bytes(pair.key)

    @contextmanager
    def _process(self, name: str, flags: Mapping[str, str]) -> Iterator[None]:
        command = ["setpriv", "--pdeathsig", "KILL", str(self._binaries / name)]
        command += [f"--{flag}={value}" for flag, value in flags.items()]
        with (self._directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        finally:
            process.kill()
            process.wait()


async def _serve(cluster: UpstreamCluster, etcd: str) -> None:
    with cluster.server(etcd):
        await cluster.ready()
        with cluster.others():
            sys.stdout.write(f"--kubeconfig {cluster.kubeconfig}\n")
            sys.stdout.flush()
            await cluster.nodes(2)


def main() -> None:
    """Run it until interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="upstream-") as place, Etcd.running() as etcd, suppress(KeyboardInterrupt):
        cluster = UpstreamCluster(Path(sys.argv[1]).resolve(), Path(place), Keys.new())
        asyncio.run(_serve(cluster, etcd.urls[0]))


if __name__ == "__main__":
    main()
