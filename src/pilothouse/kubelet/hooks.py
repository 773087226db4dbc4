"""Lifecycle hooks, postStart and preStop: a command, an HTTP request or a wait. Page: "Container Lifecycle Hooks"."""

import asyncio
from typing import Protocol

from pilothouse.api.types.core_v1 import Container, HTTPGetAction, LifecycleHandler
from pilothouse.kubelet.cri.interface import Cri, CriError
from pilothouse.kubelet.probes.ports import named_port
from pilothouse.runtime.clock import Clock


class HookError(Exception):
    """The hook failed; the text says how."""


class Fetch(Protocol):
    """One HTTP request: status and the beginning of the body. Raises OSError."""

    async def __call__(self, action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
        """Ask once."""
        ...


class Hooks:
    """Runs hooks."""

    def __init__(self, cri: Cri, fetch: Fetch, clock: Clock) -> None:
        self._cri = cri
        self._fetch = fetch
        self._clock = clock

    async def run(self, container: Container, hook: LifecycleHandler, container_id: str, pod_ip: str) -> None:
        """Run one hook to its end. Raises HookError."""
        if hook.exec:
            await self._exec(hook, container_id)
        elif hook.httpGet:
            await self._http(container, hook.httpGet, pod_ip)
        elif hook.sleep:
            await self._clock.sleep(float(hook.sleep.seconds))
        else:
            raise HookError("invalid handler: cannot find any supported hook")

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
        try:
            status, _ = await self._fetch(action, action.host or pod_ip, named_port(container, action.port))
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            raise HookError(str(error)) from error
        if status >= 400:
            raise HookError(f"HTTP hook answered with status {status}")
