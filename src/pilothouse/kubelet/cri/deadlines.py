"""How long a call may take before we give it up: a runtime that hangs must not take the node's pods along.

Upstream: staging/src/k8s.io/cri-client/pkg/remote_runtime.go and remote_image.go. Those leave pulls, and commands
without a limit of their own, all the time they want; here they have an hour.
"""

REQUEST = 120.0
"""Seconds for an ordinary call: upstream's runtimeRequestTimeout."""
_LONG = 30
"""How many times as much is left to what the network, or a pod's own command, decides."""
_DRAIN = 5.0
"""Seconds after the end of a command's own time. Some runtimes forget theirs while the command's children hold its
output: the two minutes that upstream allows would be two minutes without a probe."""


def deadline(call: str, request: float = REQUEST, within: float = 0.0) -> float:
    """Seconds for `call`, that was told to be done `within` so many (0: as long as it takes)."""
    match call:
        case "RunPodSandbox":
            return 2 * request  # the network plug-ins run inside this call
        case "StopContainer":
            return request + within
        case "CheckpointContainer":
            return max(request, within)
        case "ExecSync" if within:
            return within + min(_DRAIN, request)
        case "ExecSync" | "PullImage":
            return _LONG * request
    return request
