"""Kubeconfig: where the API server is and who we are, as kubectl's configuration file says it.

Source: the "Organizing Cluster Access Using kubeconfig Files" page and the v1 Config reference. Data in the file wins
over the name of a file; names are relative to the file that holds them.
"""

import base64
import ssl
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pilothouse.client.transport import HttpTransport
from pilothouse.runtime.clock import Clock


class KubeconfigError(Exception):
    """The file cannot be used; the text says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster and an identity in it."""

    server: str
    namespace: str = "default"
    authorities: bytes = b""
    """PEM of the CAs that sign the server's certificate; empty for the machine's own."""
    certificate: bytes = b""
    key: bytes = b""
    token: str = ""
    token_file: Path | None = None
    server_name: str = ""
    insecure: bool = False

    def transport(self, clock: Clock, *, timeout: float = 60.0) -> HttpTransport:
        """A transport to this server with this identity."""
        token: Callable[[], str] | None = None
        if self.token_file is not None:
            file = self.token_file
            token = lambda: file.read_text(encoding="ascii").strip()  # noqa: E731 - read anew: it is rotated
        elif self.token:
            token = lambda: self.token  # noqa: E731
        return HttpTransport(
            self.server, clock, tls=self._tls(), server_name=self.server_name, token=token, timeout=timeout
        )

    def _tls(self) -> ssl.SSLContext:
        tls = ssl.create_default_context(cadata=self.authorities.decode("ascii") if self.authorities else None)
        if self.insecure:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        if self.certificate:
            with tempfile.NamedTemporaryFile(suffix=".pem") as pair:  # mode 0600; ssl reads from files only
                pair.write(self.certificate + b"\n" + self.key)
                pair.flush()
                tls.load_cert_chain(pair.name)
        return tls


def load(path: Path, *, context: str = "") -> Access:
    """Read the context called `context`, or the current one. Raises KubeconfigError."""
    try:
        config = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - it is
    except OSError as error:
        raise KubeconfigError(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise KubeconfigError(f"{path} is not YAML: {error}") from error
    if not isinstance(config, Mapping):
        raise KubeconfigError(f"{path} is not a kubeconfig file")
    wanted = context or config.get("current-context") or ""
    chosen = _named(config, "contexts", "context", wanted, path)
    cluster = _named(config, "clusters", "cluster", chosen.get("cluster") or "", path)
    user = _named(config, "users", "user", chosen["user"], path) if chosen.get("user") else {}
    if unsupported := [name for name in ("exec", "auth-provider", "username") if user.get(name)]:
        raise KubeconfigError(f"{path}: cannot log in by {unsupported[0]}; use a certificate or a token")
    if not cluster.get("server"):
        raise KubeconfigError(f"{path}: cluster {chosen.get('cluster')} names no server")
    token_file = user.get("tokenFile")
    return Access(
        server=cluster["server"],
        namespace=chosen.get("namespace") or "default",
        authorities=_bytes(cluster, "certificate-authority", path),
        certificate=_bytes(user, "client-certificate", path),
        key=_bytes(user, "client-key", path),
        token=user.get("token") or "",
        token_file=path.parent / token_file if token_file else None,
        server_name=cluster.get("tls-server-name") or "",
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
    )


def in_cluster(directory: Path, host: str, port: str) -> Access:
    """The identity of a pod: the mounted service account in `directory`, the server at `host` and `port`."""
    shown = f"[{host}]" if ":" in host else host
    try:
        return Access(
            server=f"https://{shown}:{port}",
            namespace=(directory / "namespace").read_text(encoding="ascii").strip(),
            authorities=(directory / "ca.crt").read_bytes(),
            token_file=directory / "token",
        )
    except OSError as error:
        raise KubeconfigError(f"no service account is mounted at {directory}: {error.strerror}") from error


def _named(config: Mapping[str, Any], many: str, one: str, name: str, path: Path) -> Mapping[str, Any]:
    entries: Sequence[Mapping[str, Any]] = config.get(many) or ()
    for entry in entries:
        if entry.get("name") == name:
            return entry.get(one) or {}
    raise KubeconfigError(f'{path}: no {one} is called "{name}"')


def _bytes(section: Mapping[str, Any], name: str, path: Path) -> bytes:
    data = section.get(f"{name}-data")
    if data:
        try:
            return base64.b64decode(data, validate=True)
        except ValueError as error:
            raise KubeconfigError(f"{path}: {name}-data is not base64") from error
    file = section.get(name)
    if not file:
        return b""
    try:
        return path.parent.joinpath(str(file)).read_bytes()
    except OSError as error:
        raise KubeconfigError(f"{path}: cannot read {file}: {error.strerror}") from error
