"""How the node's kubelet shall be, as `up` is told: read and checked at once, and kept with the cluster's settings.

Files are read now, not when the kubelet starts: what it starts with is what was checked, however often it starts anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, TypeVar

from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.view import JsonObject
from pilothouse.cluster.errors import ClusterError
from pilothouse.kubelet.configuration.files import ConfigurationError, read_directory, read_file
from pilothouse.kubelet.cri.access import socket_of
from pilothouse.kubelet.registration import parse_labels, parse_taints

T = TypeVar("T")
ENDPOINT, MAX_PODS, TAINTS = "containerRuntimeEndpoint", "maxPods", "registerWithTaints"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletWords:
    """The words of the command line; None where nothing was said, empty where what was said before no longer holds."""

    config: str | None = None
    config_dir: str | None = None
    endpoint: str | None = None
    labels: str | None = None
    taints: str | None = None
    max_pods: int | None = None


def kubelet_options(before: JsonObject, words: KubeletWords) -> JsonObject:
    """What is to be kept, from what was: layers of a KubeletConfiguration and labels. Raises ClusterError."""
    kept = {"file": {}, "further": [], "flags": {}, "labels": {}, **before}
    if words.config is not None:
        kept["file"] = _read(words.config, read_file) if words.config else {}
    if words.config_dir is not None:
        kept["further"] = _read(words.config_dir, read_directory) if words.config_dir else []
    if words.labels is not None:
        kept["labels"] = _flag("node-labels", words.labels, parse_labels)
    flags = dict(kept["flags"])
    if words.endpoint is not None:
        flags[ENDPOINT] = _flag("container-runtime-endpoint", words.endpoint, _endpoint)
    if words.taints is not None:
        flags[TAINTS] = _flag("register-with-taints", words.taints, parse_taints)
    if words.max_pods is not None:
        flags[MAX_PODS] = words.max_pods
    kept["flags"] = {name: value for name, value in flags.items() if value}
    return {name: value for name, value in kept.items() if value}


def _read(word: str, read: Callable[[Path], T]) -> T:
    try:
        return read(Path(word).absolute())
    except ConfigurationError as error:
        raise ClusterError(str(error)) from None


def _flag(name: str, text: str, read: Callable[[str], T]) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise ClusterError(f'invalid argument "{text}" for "--{name}" flag: {error}') from None


def _endpoint(text: str) -> str:
    if text:
        socket_of(text)
    return text


def node_name(text: str) -> str:
    """The node's name as somebody wants it. Raises ClusterError."""
    name = text.strip().lower()
    if not name:
        raise ClusterError("--hostname-override: empty hostname is invalid")
    if problems := dns_subdomain(name):
        raise ClusterError(f'--hostname-override: "{name}" cannot be a node\'s name: {problems[0]}')
    return name


def node_address(text: str, ours: Callable[[str], bool]) -> str:
    """The node's address as somebody wants it: one of this machine. Raises ClusterError, in upstream's words."""
    try:
        address = IPv4Address(text)
    except ValueError:
        raise ClusterError(f'--node-ip: "{text}" is no IPv4 address') from None
    for wrong, kind in (
        (address.is_loopback, "loopback"), (address.is_multicast, "a multicast"),
        (address.is_link_local, "a link-local unicast"), (address.is_unspecified, "an all zeros"),
    ):  # fmt: skip
        if wrong:
            raise ClusterError(f"--node-ip: nodeIP can't be {kind} address")
    if not ours(text):
        raise ClusterError(f'--node-ip: node IP: "{text}" not found in the host\'s network interfaces')
    return str(address)


def labels_of(kept: JsonObject) -> dict[str, Any]:
    """The labels that the node registers with, besides its own."""
    return dict(kept.get("labels") or {})


NOTHING_SAID = KubeletWords()
