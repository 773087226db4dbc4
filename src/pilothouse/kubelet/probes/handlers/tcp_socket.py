"""`tcpSocket`: a port that can be connected to is a success; nothing is said on the connection."""

from typing import ClassVar

from pilothouse.kubelet.network_errors import dial_failure
from pilothouse.kubelet.probes.handler import Answer, Handler, Outcome, Target
from pilothouse.net.dial import dial


class TcpSocketHandler(Handler):
    """Asks by connecting."""

    field: ClassVar[str] = "tcpSocket"

    async def ask(self, target: Target) -> Answer:
        """Connect, and hang up."""
        action = target.probe.tcpSocket
        host, port = action.host or target.address, target.port(action.port)
        try:
            stream = await dial(host, port, None, self._means.clock, timeout=target.timeout)
        except OSError as error:
            return Answer(Outcome.FAILURE, dial_failure(error, host, port))
        await stream.close()
        return Answer(Outcome.SUCCESS)
