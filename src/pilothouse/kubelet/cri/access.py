"""Where the container runtime is, and how long it may take."""

from dataclasses import dataclass

from pilothouse.kubelet.cri.deadlines import REQUEST

_UNIX = "unix"


class EndpointError(ValueError):
    """An endpoint that no runtime can be behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeAccess:
    """Upstream: containerRuntimeEndpoint, imageServiceEndpoint and runtimeRequestTimeout of KubeletConfiguration."""

    endpoint: str = ""
    """Such as `unix:///run/containerd/containerd.sock`; empty: whoever runs the kubelet knows."""
    image_endpoint: str = ""
    """Whom to ask about images; empty: the same."""
    request_timeout: float = REQUEST
    """Seconds for an ordinary call."""

    def __post_init__(self) -> None:
        for endpoint in (self.endpoint, self.image_endpoint):
            if endpoint:
                socket_of(endpoint)


def socket_of(endpoint: str) -> str:
    """The path of an endpoint's socket. Raises EndpointError in upstream's words."""
    scheme, colon, path = endpoint.partition("://")
    if not colon:
        scheme, path = _UNIX, endpoint  # deprecated there, and taken all the same
    if scheme == "tcp":
        raise EndpointError("only support unix socket endpoint")
    if scheme != _UNIX:
        raise EndpointError(f'protocol "{scheme}" not supported')
    if not path.startswith("/"):
        raise EndpointError(f'the endpoint "{endpoint}" names no absolute path')
    return path
