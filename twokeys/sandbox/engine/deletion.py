"""What goes: what the program no longer registers, what a replacement takes with it, and in which order."""

from __future__ import annotations

from dataclasses import replace

from twokeys.sandbox.engine.books import Books
from twokeys.sandbox.engine.control import Control, Stopped
from twokeys.sandbox.engine.events import Diagnostic, Op, Severity, Step
from twokeys.sandbox.engine.handles import Handles
from twokeys.sandbox.engine.marks import with_replace_on_changes
from twokeys.sandbox.engine.resource import Resource, provider_urn
from twokeys.sandbox.engine.values import UNKNOWN, plain


class Deletion:
    """Deletes old objects, each once, and keeps the state true meanwhile."""

    def __init__(self, books: Books, handles: Handles, control: Control) -> None:
        self._books = books
        self._handles = handles
        self._control = control

    def adopt_pending(self) -> None:
        """Take over what a killed run made and the program no longer asks for, to delete it with the rest."""
        if self._control.settings.dry_run:
            return
        for urn, left in list(self._books.left_pending.items()):
            found = self._handles.of(left.provider).provider.find(left.type, urn, plain(left.inputs))
            with self._books.lock:
                del self._books.left_pending[urn]
                if found is not None:
                    self._books.olds[max(self._books.olds, default=0) + 1] = replace(
                        left, id=found[0], outputs=found[1]
                    )
                self._books.persist()

    def rest(self) -> None:
        """Delete what no registration took over, in reverse order of dependency; nothing if any of it is protected."""
        left = [
            (position, one)
            for position, one in self._books.olds.items()
            if not (one.pending_replacement and not one.delete)
        ]
        if not self._control.settings.ignore_protect:
            protected = [one for _, one in left if one.protect and not one.delete]
            for one in protected:
                self._control.refuse(
                    f'resource "{one.urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, '
                    "remove the `protect` flag from it in your program and update, then delete it; `twokeys sandbox "
                    "destroy --force-unprotect` deletes protected resources too",
                    one.urn,
                    fatal=False,
                )
            if protected and not self._control.settings.dry_run:
                raise Stopped
        going = frozenset(one.urn for _, one in left)
        for position, one in reversed(list(self._books.olds.items())):
            self._control.go_on()
            if one.pending_replacement and not one.delete:
                self._books.forget(position)
                continue
            op = Op.DISCARD if one.external else Op.DELETE_REPLACED if one.delete else Op.DELETE
            with self._control.stepping(Step(op, one.urn, one.type, one.id, old=one.inputs)):
                self._remove_object(one, going)
                self._books.forget(position)

    def replaced_with(self, root: Resource) -> list[int]:
        """The old resources that its replacement replaces too and that must go first, in order of dependency."""
        condemned = {root.urn}
        found = []
        for position, one in sorted(self._books.olds.items()):
            unseen = one.custom and not one.external and not one.delete and one.urn not in self._books.claimed
            if unseen and self._must_go(one, condemned):
                condemned.add(one.urn)
                found.append(position)
        return found

    def for_replacement(self, positions: list[int]) -> None:
        """Delete objects that are replaced, in this order, before their new ones are made."""
        going = frozenset(self._books.olds[position].urn for position in positions)
        for position in positions:
            self._one_for_replacement(position, going)

    def _one_for_replacement(self, position: int, going: frozenset[str]) -> None:
        old = self._books.olds[position]
        if old.pending_replacement:
            return
        if old.protect and not self._control.settings.ignore_protect and old.urn not in self._books.claimed:
            self._control.refuse(
                f'unable to replace resource "{old.urn}" as part of a replacement that it depends on, as it is '
                "currently marked for protection. Remove the `protect` flag from it in your program and update first",
                old.urn,
            )
        with self._control.stepping(Step(Op.DELETE_REPLACED, old.urn, old.type, old.id, old=old.inputs)):
            self._remove_object(old, going)
            with self._books.lock:
                self._books.olds[position] = replace(old, pending_replacement=True)
                self._books.persist()

    def _must_go(self, one: Resource, condemned: set[str]) -> bool:
        if provider_urn(one.provider) in condemned or one.deleted_with in condemned:
            return True
        touched = {key for key, urns in one.property_dependencies.items() if condemned.intersection(urns)}
        if not touched or one.is_provider:
            return False
        inputs = plain(one.inputs)
        unknown = {key: UNKNOWN if key in touched else value for key, value in inputs.items()}
        plugin = self._handles.of(one.provider).plugin
        diff = plugin.diff(one.type, one.urn, one.id, inputs, plain(one.outputs), unknown, one.ignore_changes)
        return bool(with_replace_on_changes(diff, one.replace_on_changes, inputs, unknown).replaces)

    def _remove_object(self, one: Resource, going: frozenset[str]) -> None:
        if one.retain_on_delete:
            self._control.report(Diagnostic(Severity.INFO, f"{one.id} is only forgotten, it is not deleted", one.urn))
        leave = one.external or one.retain_on_delete or one.deleted_with in going or one.is_provider or not one.custom
        if self._control.settings.dry_run or leave:
            return
        provider = self._handles.of(one.provider).provider
        arguments = (one.type, one.urn, one.id, plain(one.inputs), plain(one.outputs))
        self._control.limited(one.custom_timeouts.get("delete"), one.urn, "delete", lambda: provider.delete(*arguments))
