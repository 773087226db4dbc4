"""Certificates of a cluster: one authority, and for every role the identities it acts under, each in its own directory.

Names and groups are those of kubeadm, so that RBAC's default bindings fit. A role that shows a certificate gets that
pair alone. The authority's key is there twice: in its own directory, and as `signing.key` in that of the control
loops, which answer requests for certificates; every `up` writes it anew where it is another. "PKI certificates and
requirements" in the Kubernetes documentation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pilothouse.client.kubeconfig import Access
from pilothouse.cluster.home import Home, private_directory, write_private
from pilothouse.cluster.settings import Settings
from pilothouse.net.pki import YEAR, Authority, KeyPair, SigningKey, Usage, expiry, new_signing_key, shown_names
from pilothouse.runtime.clock import Instant

_RENEW_BEFORE = YEAR / 3
LOCAL = "127.0.0.1"
_SIGNER = "control"
"""The role that signs what is asked for while the cluster runs."""
SIMULATED = "pilothouse:simulated-nodes"
"""Plays every simulated node at once, so it is no single one of them; `addons` says what it may."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One pair to be issued."""

    role: str
    """Whose directory it lies in."""
    file: str
    user: str
    """Common name."""
    groups: tuple[str, ...] = ()
    """Organizations."""
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    usage: Usage = Usage.CLIENT
    root: bool = False
    """Whether it belongs to root also where the control plane does not."""


def certificates(settings: Settings) -> Iterator[Certificate]:
    """Every pair that a cluster with these settings needs."""
    domain = settings.cluster_domain
    yield Certificate(
        "apiserver", "serving", "kube-apiserver", usage=Usage.SERVER,
        names=("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{domain}",
               "localhost", *([settings.node_name] if settings.node_name else [])),
        addresses=tuple(dict.fromkeys((LOCAL, "::1", settings.advertise, settings.service_address))),
    )  # fmt: skip
    yield Certificate("apiserver", "kubelet-client", "kube-apiserver-kubelet-client")
    yield Certificate("control", "controller-manager", "system:kube-controller-manager")
    yield Certificate("control", "scheduler", "system:kube-scheduler")
    yield Certificate("admin", "admin", "kubernetes-admin", ("system:masters",), root=True)
    if settings.node:
        name = settings.node_name
        yield Certificate("node", "kubelet", f"system:node:{name}", ("system:nodes",), root=True)
        yield Certificate(
            "node", "serving", f"system:node:{name}", ("system:nodes",), (name, "localhost"),
            tuple(dict.fromkeys((settings.advertise, LOCAL))), Usage.SERVER, root=True,
        )  # fmt: skip
        yield Certificate("proxy", "proxy", "system:kube-proxy", root=True)
        yield Certificate("dns", "dns", "system:coredns")
    if settings.simulated_nodes:
        yield Certificate("simulated", "simulated", SIMULATED)


class Pki:
    """The pairs on disk."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings

    def issue(self, now: Instant) -> None:
        """Have an authority, and every pair with enough life left. What is there and good stays."""
        authority = self._authority(now)
        for each in certificates(self._settings):
            owner = -1 if each.root else self._settings.unprivileged
            directory = private_directory(self._home.role(each.role), owner)
            if not _is_good(directory / f"{each.file}.crt", each, now):
                pair = authority.issue(
                    each.user, each.groups, each.names, each.addresses, usage=each.usage, now=now
                )  # fmt: skip
                write_private(directory / f"{each.file}.key", pair.key, owner)
                write_private(directory / f"{each.file}.crt", pair.certificate, owner)
            if (directory / "ca.crt").exists() is False:
                write_private(directory / "ca.crt", authority.certificate, owner)
        self._give_key(authority)
        signer = self._home.role("apiserver") / "service-account.key"
        if not signer.exists():
            made = new_signing_key()
            write_private(signer.with_suffix(".pub"), made.public, self._settings.unprivileged)
            write_private(signer, made.private, self._settings.unprivileged)

    def _give_key(self, authority: Authority) -> None:
        """Let the control loops have the authority's key, and nobody else."""
        path = self._home.role(_SIGNER) / "signing.key"
        if not path.exists() or path.read_bytes() != authority.key:
            write_private(path, authority.key, self._settings.unprivileged)

    def _authority(self, now: Instant) -> Authority:
        directory = private_directory(self._home.authority)
        certificate, key = directory / "ca.crt", directory / "ca.key"
        if certificate.exists():
            return Authority.load(certificate.read_bytes(), key.read_bytes())
        made = Authority.create("kubernetes", now)
        write_private(key, made.key)
        write_private(certificate, made.certificate)
        return made

    def pair(self, role: str, file: str) -> KeyPair:
        """A pair that was issued."""
        directory = self._home.role(role)
        return KeyPair((directory / f"{file}.crt").read_bytes(), (directory / f"{file}.key").read_bytes())

    def trusted(self, role: str) -> bytes:
        """The authority's certificate, as the role has it."""
        return (self._home.role(role) / "ca.crt").read_bytes()

    def signing_key(self) -> SigningKey:
        """What service-account tokens are signed with."""
        directory = self._home.role("apiserver")
        return SigningKey(
            (directory / "service-account.key").read_bytes(), (directory / "service-account.pub").read_bytes()
        )

    def signing_pair(self) -> KeyPair:
        """The authority, as the control loops sign with it."""
        return KeyPair(self.trusted(_SIGNER), (self._home.role(_SIGNER) / "signing.key").read_bytes())

    @property
    def server(self) -> str:
        """The API server's address, for processes of this machine."""
        return f"https://{LOCAL}:{self._settings.port}"

    def access(self, role: str, file: str) -> Access:
        """How a role reaches the API server."""
        pair = self.pair(role, file)
        return Access(
            server=self.server, authorities=self.trusted(role),
            certificate=pair.certificate, key=pair.key,
        )  # fmt: skip

    def anonymous(self, role: str) -> Access:
        """The API server without an identity, for requests that carry a token."""
        return Access(server=self.server, authorities=self.trusted(role))

    def expiries(self) -> dict[str, Instant]:
        """When each certificate ends, by its path below the home."""
        found = {"authority/ca.crt": self._home.authority / "ca.crt"}
        for each in certificates(self._settings):
            found[f"{each.role}/{each.file}.crt"] = self._home.role(each.role) / f"{each.file}.crt"
        ends = {name: expiry(path.read_bytes()) for name, path in found.items() if path.exists()}
        if (renewed := self.renewed / "kubelet-client-current.pem").exists():
            ends["node/kubelet.crt"] = max(ends["node/kubelet.crt"], expiry(renewed.read_bytes()))
        return ends

    @property
    def renewed(self) -> Path:
        """Where the kubelet keeps what it got instead of its pair."""
        return self._home.node / "kubelet" / "pki"


def _is_good(path: Path, wanted: Certificate, now: Instant) -> bool:
    if not path.exists() or not path.with_suffix(".key").exists():
        return False
    pem = path.read_bytes()
    return expiry(pem) - now > _RENEW_BEFORE and shown_names(pem) == {*wanted.names, *wanted.addresses}
