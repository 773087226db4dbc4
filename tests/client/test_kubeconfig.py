import base64
import datetime as dt
import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pilothouse.client.kubeconfig import Access, KubeconfigError, in_cluster, load
from pilothouse.runtime.clock import SystemClock


def _pair() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admin")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=3650)).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), pem


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _write(directory: Path, cluster: dict[str, Any], user: dict[str, Any], **context: str) -> Path:
    path = directory / "config"
    path.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "main",
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443", **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u", **context}},
                     {"name": "nobody", "context": {"cluster": "c"}}],
    }))  # fmt: skip
    return path


def test_data_and_files_give_the_same(tmp_path: Path) -> None:
    certificate, key = _pair()
    (tmp_path / "ca.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    by_data = load(_write(tmp_path, {"certificate-authority-data": _encode(certificate)},
                          {"client-certificate-data": _encode(certificate),
                           "client-key-data": _encode(key)}))  # fmt: skip
    by_file = load(_write(tmp_path, {"certificate-authority": "ca.pem"},
                          {"client-certificate": "ca.pem", "client-key": "key.pem"}))  # fmt: skip
    assert by_data == by_file
    assert by_data == Access("https://10.0.0.1:6443", "default", certificate, certificate, key)
    tls = by_data._tls()
    assert tls.check_hostname
    assert tls.verify_mode is ssl.CERT_REQUIRED
    by_data.transport(SystemClock())


def test_tokens_contexts_and_options(tmp_path: Path) -> None:
    path = _write(tmp_path, {"insecure-skip-tls-verify": True, "tls-server-name": "kubernetes"},
                  {"token": "secret"}, namespace="web")  # fmt: skip
    access = load(path)
    assert (access.token, access.namespace, access.server_name) == ("secret", "web", "kubernetes")
    assert access._tls().verify_mode is ssl.CERT_NONE
    assert load(path, context="nobody").token == ""


def test_a_token_file_is_read_for_every_request(tmp_path: Path) -> None:
    path = _write(tmp_path, {}, {"tokenFile": "token"})
    transport = load(path).transport(SystemClock())
    for token in ("one", "two"):
        (tmp_path / "token").write_text(f"{token}\n")
        assert f"Authorization: Bearer {token}\r\n".encode() in transport._head("GET", "/", {}, 0)


_USERS = "{contexts: [{name: x, context: {cluster: y, user: z}}], users: [{name: z, user: {exec: {command: a}}}], "
_CLUSTER = "{contexts: [{name: x, context: {cluster: y}}], clusters: [{name: y, cluster: {server: s, "


@pytest.mark.parametrize(
    ("text", "context", "message"),
    [
        (None, "", "cannot read"),
        ("{", "", "is not YAML"),
        ("[]", "", "is not a kubeconfig file"),
        ("current-context: x", "", 'no context is called "x"'),
        ("contexts: [{name: x, context: {cluster: y}}]", "x", 'no cluster is called "y"'),
        ("{contexts: [{name: x, context: {cluster: y}}], clusters: [{name: y}]}", "x", "names no server"),
        (_USERS + "clusters: [{name: y, cluster: {server: s}}]}", "x", "cannot log in by exec"),
        (_CLUSTER + "certificate-authority-data: '%'}}]}", "x", "is not base64"),
        (_CLUSTER + "certificate-authority: nowhere}}]}", "x", "cannot read nowhere"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str | None, context: str, message: str) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(KubeconfigError, match=message):
        load(path, context=context)


def test_a_pods_own_identity(tmp_path: Path) -> None:
    for name, text in (("namespace", "web\n"), ("ca.crt", "pem"), ("token", "secret")):
        (tmp_path / name).write_text(text)
    access = in_cluster(tmp_path, "fd00::1", "443")
    assert (access.server, access.namespace, access.authorities) == ("https://[fd00::1]:443", "web", b"pem")
    with pytest.raises(KubeconfigError, match="no service account is mounted"):
        in_cluster(tmp_path / "nowhere", "10.0.0.1", "443")
