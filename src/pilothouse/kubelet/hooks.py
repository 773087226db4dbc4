"""Lifecycle hooks, postStart and preStop: a command, an HTTP request or a wait. Page: "Container Lifecycle Hooks"."""

import asyncio
from typing import Protocol

from pilothouse.api.types.core_v1 import Container, HTTPGetAction, LifecycleHandler
from pilothouse.kubelet.counts.hook_counts import HookCounts
from pilothouse.kubelet.cri.interface import Cri, CriError
from pilothouse.kubelet.probes.ports import named_port
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics

_NO_HTTPS = "server gave HTTP response to HTTPS client"


class HookError(Exception):
    """The hook failed; the text says how."""


def name_of(hook: LifecycleHandler) -> str:
    """The hook as messages call it."""
    if hook.exec:
        return f"Exec lifecycle hook ([{' '.join(hook.exec.command)}])"
    if hook.httpGet:
        return f"HTTP lifecycle hook ({hook.httpGet.path})"
    return f"Sleep lifecycle hook ({hook.sleep.seconds or 0})"


class Fetch(Protocol):
    """One HTTP request: status and the beginning of the body. Raises OSError."""

    async def __call__(self, action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
        """Ask once."""
        ...


class Hooks:
    """Runs hooks."""

    def __init__(self, cri: Cri, fetch: Fetch, clock: Clock, counts: HookCounts | None = None) -> None:
        self._cri = cri
        self._fetch = fetch
        self._clock = clock
        self._counts = counts or HookCounts(Metrics())

    async def run(self, container: Container, hook: LifecycleHandler, container_id: str, pod_ip: str) -> None:
        """Run one hook to its end. Raises HookError."""
        if hook.exec:
            await self._exec(hook, container_id)
        elif hook.httpGet:
            await self._http(container, hook.httpGet, pod_ip)
        elif hook.sleep:
            await self._sleep(float(hook.sleep.seconds))
        else:
            raise HookError("invalid handler: cannot find any supported hook")

    async def _sleep(self, seconds: float) -> None:
        try:
            await self._clock.sleep(seconds)
        except asyncio.CancelledError:
            self._counts.cut_sleeps.inc()
            raise

    async def _exec(self, hook: LifecycleHandler, container_id: str) -> None:
        command = list(hook.exec.command)
        try:
            result = await self._cri.exec_sync(container_id, command, 0)
        except CriError as error:
            raise HookError(str(error)) from error
        if result.exit_code:
            shown = (result.stdout + result.stderr).decode(errors="replace")
            raise HookError(f'command "{" ".join(command)}" exited with {result.exit_code}: "{shown}"')

    async def _http(self, container: Container, action: HTTPGetAction, pod_ip: str) -> None:
        """Ask once; any answer will do. A server that has no HTTPS after all is asked again without."""
        try:
            await self._ask(container, action, pod_ip)
        except OSError as error:
            if _NO_HTTPS not in str(error):
                raise HookError(str(error)) from error
            await self._without_tls(container, action, pod_ip, error)
        except ValueError as error:
            raise HookError(str(error)) from error

    async def _ask(self, container: Container, action: HTTPGetAction, pod_ip: str) -> None:
        await self._fetch(action, action.host or pod_ip, named_port(container, action.port))

    async def _without_tls(
        self, container: Container, action: HTTPGetAction, pod_ip: str, first_error: OSError
    ) -> None:  # fmt: skip
        headers = [header.literal() for header in action.httpHeaders if header.name.lower() != "authorization"]
        plain = HTTPGetAction({**action.literal(), "scheme": "HTTP", "httpHeaders": headers})
        try:
            await self._ask(container, plain, pod_ip)
        except OSError:
            raise HookError(str(first_error)) from first_error
        self._counts.without_tls.inc()
