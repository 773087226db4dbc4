"""`httpGet`: a status from 200 to 399 is a success; one of 3xx is left where a redirect led elsewhere."""

from typing import ClassVar

from pilothouse.kubelet.http_fetch import url_of
from pilothouse.kubelet.probes.handler import Answer, Handler, Outcome, Target

_LATE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


class HttpGetHandler(Handler):
    """Asks by HTTP."""

    field: ClassVar[str] = "httpGet"

    async def ask(self, target: Target) -> Answer:
        """GET, and judge the status."""
        action = target.probe.httpGet
        host, port = action.host or target.address, target.port(action.port)
        try:
            async with self._means.clock.timeout(target.timeout):
                status, body = await self._means.fetch(action, host, port)
        except TimeoutError:
            return Answer(Outcome.FAILURE, f'Get "{url_of(action, host, port)}": {_LATE}')
        except OSError as error:
            return Answer(Outcome.FAILURE, str(error))
        if not 200 <= status < 400:
            return Answer(Outcome.FAILURE, f"HTTP probe failed with statuscode: {status}")
        if status >= 300:
            return Answer(Outcome.WARNING, f"Probe terminated redirects, Response body: {body}")
        return Answer(Outcome.SUCCESS, body)
