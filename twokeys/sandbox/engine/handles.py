"""The configured providers of a run: those that it registers, and those of the state, to delete what they made."""

from __future__ import annotations

from collections.abc import Mapping

from twokeys.sandbox.engine.books import Books
from twokeys.sandbox.engine.plugin import Plugin
from twokeys.sandbox.engine.providers import EngineError, Handle
from twokeys.sandbox.engine.resource import package_of, provider_urn
from twokeys.sandbox.engine.values import Properties


class Handles:
    """Each provider resource of a run, by its URN.

    Args:
        plugins: package name to plugin.
    """

    def __init__(self, plugins: Mapping[str, Plugin], books: Books) -> None:
        self._plugins = plugins
        self._books = books
        self._handles: dict[str, Handle] = {}

    def open(self, urn: str, package: str, inputs: Properties) -> None:
        """A provider that the program registers."""
        self._handles[urn] = Handle(self.plugin(package), urn, inputs)

    def plugin(self, package: str) -> Plugin:
        """The plugin of a package; EngineError where there is none."""
        if package not in self._plugins:
            raise EngineError(
                f"the sandbox has no package '{package}'; it has {', '.join(sorted(self._plugins))}. "
                "Use --engine pulumi for the others"
            )
        return self._plugins[package]

    def of(self, reference: str) -> Handle:
        """The provider of this run under that reference, or the one of the state, to delete what it made."""
        urn = provider_urn(reference)
        with self._books.lock:
            if urn not in self._handles:
                olds = [one for one in self._books.olds.values() if one.urn == urn]
                if not olds:
                    raise EngineError(f"unknown provider '{reference}'")
                self._handles[urn] = Handle(self.plugin(package_of(olds[0].type)), urn, olds[0].inputs)
            return self._handles[urn]
