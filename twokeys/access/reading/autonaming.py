"""What a provider calls a resource that the program gives no name, as the config of the stack says.

https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming-configuration
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

KEY: Final = "pulumi:autonaming"
_DRAWN: Final = re.compile(r"\$\{(?:hex|alphanum|string|num)\((\d+)\)\}")
_BY_CONFIG: Final = re.compile(r"\$\{config\.([^}]+)\}")
_UUID: Final = "????????-????-????-????-????????????"


class Autonaming:
    """The names of one stack. What the engine refuses says nothing here, nor does a path in `${config.a.b}`."""

    def __init__(
        self, config: Mapping[str, str] | None = None, *, organization: str = "", project: str = "", stack: str = ""
    ) -> None:
        self._config = config or {}
        self._words = {"organization": organization, "project": project, "stack": stack}
        try:
            self._given = _section(json.loads(self._config.get(KEY, "{}")))
        except ValueError:
            self._given = {}

    def __call__(self, type: str, name: str) -> str | None:
        """The name of a resource, with `?` for each sign that is drawn anew.

        None where it is Pulumi's default, and where nothing in it tells the resource from another one (`disabled`).
        """
        of_package = _section(_section(self._given.get("providers")).get(type.partition(":")[0]))
        of_type = _section(_section(of_package.get("resources")).get(type))
        for section in (of_type, of_package, self._given):
            if isinstance(pattern := section.get("pattern"), str):
                return self._filled(pattern, name)
            if isinstance(mode := section.get("mode"), str):
                return name if mode == "verbatim" else None
        return None

    def _filled(self, pattern: str, name: str) -> str | None:
        for word, value in self._words.items():
            pattern = pattern.replace(f"${{{word}}}", value)
        own = f"{self._words['project']}:"
        pattern = _BY_CONFIG.sub(lambda found: self._config.get(own + found[1], found[0]), pattern)
        if _BY_CONFIG.search(pattern) or "${name}" not in pattern:
            return None
        return _DRAWN.sub(lambda found: "?" * int(found[1]), pattern.replace("${name}", name)).replace("${uuid}", _UUID)


def _section(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, dict) else {}
