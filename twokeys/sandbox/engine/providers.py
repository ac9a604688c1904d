"""Providers as resources: which one handles a resource, whether it can work yet, and its configured plugin."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping

from twokeys.sandbox.engine.plugin import Plugin, Provider
from twokeys.sandbox.engine.values import Properties, plain


class EngineError(Exception):
    """The program asked for something that cannot be done; the message says what and why."""


class DeniedProviderError(EngineError):
    """A resource or a look-up needs the default provider, which is disabled."""


class Handle:
    """One provider resource during a run: its plugin, its checked inputs, and its credentials once they are needed."""

    def __init__(self, plugin: Plugin, urn: str, inputs: Properties) -> None:
        self.plugin = plugin
        self.urn = urn
        self._inputs: Properties = plain({key: value for key, value in inputs.items() if key != "version"})
        self._configured: Provider | None = None
        self._lock = threading.Lock()

    @property
    def known(self) -> bool:
        """Whether it can get credentials now: not in a preview of the account that it is to enter."""
        return self.plugin.is_configurable(self._inputs)

    @property
    def provider(self) -> Provider:
        """The configured provider; its roles are assumed at the first use.

        Raises:
            ProviderError: a role cannot be assumed, or the account is not an allowed one.
            EngineError: its configuration is not known yet.
        """
        with self._lock:
            if self._configured is None:
                if not self.known:
                    raise EngineError(f"provider {self.urn} cannot be used yet: its configuration is not known")
                self._configured = self.plugin.configure(self._inputs)
            return self._configured


def default_provider_denied(config: Mapping[str, str], package: str) -> bool:
    """Whether `pulumi:disable-default-providers` names the package (or all).

    Raises:
        EngineError: the setting is not a JSON list of strings.
    """
    setting = config.get("pulumi:disable-default-providers", "")
    if not setting:
        return False
    try:
        names = json.loads(setting)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise EngineError(f"pulumi:disable-default-providers must be a list of package names, it is {setting}")
    return any(name.strip() in ("*", package) for name in names)


def denied_message(package: str, subject: str) -> str:
    """What the engine says when a resource or look-up has no provider of its own and the default one is disabled."""
    return f"Default provider for '{package}' disabled. '{subject}' must use an explicit provider."
