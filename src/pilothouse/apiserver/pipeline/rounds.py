"""A second round: when a policy or webhook has changed the object, all that mutates may have another look, once.

In the second round plugins of the server run again, and of policies and webhooks those that asked for it (IfNeeded)
and after whom something has changed. Source: apiserver/pkg/admission/reinvocation.go;
plugin/policy/mutating/reinvocationcontext.go, plugin/webhook/mutating/reinvocationcontext.go.
"""

import orjson

from pilothouse.api.machinery.view import JsonObject


class Previous:
    """What one plugin of users' hooks remembers of the first round."""

    def __init__(self) -> None:
        self._asked: dict[object, None] = {}
        """Those who ran, and want to again if something changes."""
        self._again: dict[object, None] = {}
        self._output = b""

    def change(self) -> None:
        """The object is another: who has run and wants to, shall again."""
        self._again.update(self._asked)
        self._asked.clear()

    def ran(self, hook: object) -> None:
        """Remember one who wants to run again if something changes."""
        self._asked[hook] = None

    def shall_run(self, hook: object) -> bool:
        """Whether it has a second turn."""
        return hook in self._again

    def leave(self, obj: JsonObject | None) -> None:
        """Remember how the plugin left the object."""
        self._output = _text(obj)

    def has_changed(self, obj: JsonObject | None) -> bool:
        """Whether others have changed the object since."""
        return self._output != _text(obj)


class Rounds:
    """Of one request: which round it is, and whether there is to be another."""

    def __init__(self) -> None:
        self.second = False
        self.wanted = False
        self._previous: dict[str, Previous] = {}

    def of(self, plugin: str) -> Previous:
        """What a plugin remembers."""
        return self._previous.setdefault(plugin, Previous())


def _text(obj: JsonObject | None) -> bytes:
    return orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
