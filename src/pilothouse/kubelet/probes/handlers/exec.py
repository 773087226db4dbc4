"""`exec`: a command in the container that ends with 0 is a success; one that takes too long is a failure."""

from typing import ClassVar

from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.probes.handler import Answer, Handler, Outcome, ProbeError, Target
from pilothouse.kubelet.runtime_config import expand
from pilothouse.runtime.durations import go_duration

OUTPUT_LIMIT = 10 * 1024


class ExecHandler(Handler):
    """Asks by running a command."""

    field: ClassVar[str] = "exec"

    async def ask(self, target: Target) -> Answer:
        """Run the command, its `$(NAME)` filled in from values that stand in the spec."""
        values = {variable.name: variable.value for variable in target.container.env}
        command = [expand(word, values) for word in target.probe.exec.command]
        try:
            result = await self._means.cri.exec_sync(target.container_id, command, target.timeout)
        except CriError as error:
            if error.code == "DEADLINE_EXCEEDED":
                after = go_duration(target.timeout)
                return Answer(Outcome.FAILURE, f'command timed out: "{" ".join(command)}" timed out after {after}')
            raise ProbeError(str(error)) from error
        output = (result.stdout + result.stderr)[:OUTPUT_LIMIT].decode(errors="replace")
        return Answer(Outcome.FAILURE if result.exit_code else Outcome.SUCCESS, output)
