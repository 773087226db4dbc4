"""Volumes of files: of what ConfigMaps and Secrets hold, and of what is known of a pod; each alone or projected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.api import Json


@dataclass(frozen=True)
class Source:
    """What the files are made of."""

    kind: str
    projected: bool = False

    @property
    def title(self) -> str:
        """How upstream's tests call it."""
        return (
            f"Projected {self._field}" if self.projected else {"ConfigMap": "ConfigMap", "Secret": "Secrets"}[self.kind]
        )

    @property
    def name(self) -> str:
        """A word for it in names."""
        return f"{self.kind}-{self.projected}".lower()

    @property
    def _field(self) -> str:
        return {"ConfigMap": "configMap", "Secret": "secret"}[self.kind]

    def object(self, name: str, **data: str) -> Json:
        """An object with such data."""
        return {"metadata": {"name": name}, "data" if self.kind == "ConfigMap" else "stringData": data}

    def volume(self, volume: str, name: str, mode: int | None = None, **more: Any) -> Json:
        """A volume of the files of that object."""
        named = {"name" if self.projected or self.kind == "ConfigMap" else "secretName": name, **more}
        projected: Json = {"projected": {"sources": [{self._field: named}]}}
        whole = projected if self.projected else {self._field: named}
        (settings,) = whole.values()
        settings.update({"defaultMode": mode} if mode is not None else {})
        return {"name": volume, **whole}


CONFIG_MAP, SECRET = Source("ConfigMap"), Source("Secret")
PROJECTED_CONFIG_MAP, PROJECTED_SECRET = Source("ConfigMap", projected=True), Source("Secret", projected=True)
SOURCES = (CONFIG_MAP, SECRET, PROJECTED_CONFIG_MAP, PROJECTED_SECRET)


def facts(volume: str, files: Mapping[str, Json], mode: int | None = None, *, projected: bool = False) -> Json:
    """A volume of what is known of the pod: by path, which field or resource, and a mode where the file has its own."""
    items: Sequence[Json] = [{"path": path, **what} for path, what in files.items()]
    given = {"defaultMode": mode} if mode is not None else {}
    if projected:
        return {"name": volume, "projected": {"sources": [{"downwardAPI": {"items": items}}], **given}}
    return {"name": volume, "downwardAPI": {"items": items, **given}}
