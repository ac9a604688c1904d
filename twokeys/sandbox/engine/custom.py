"""One custom resource brought to its goal: made, changed, replaced, imported or left as it is."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace

from twokeys.sandbox.engine.books import Books, Work
from twokeys.sandbox.engine.control import Control
from twokeys.sandbox.engine.deletion import Deletion
from twokeys.sandbox.engine.events import Diagnostic, Op, Severity, Step
from twokeys.sandbox.engine.handles import Handles
from twokeys.sandbox.engine.marks import (
    changed_keys,
    existing,
    marked,
    refuse_invalid,
    remarked,
    resource_of,
    stamped,
    with_replace_on_changes,
)
from twokeys.sandbox.engine.paths import kept, parse_path
from twokeys.sandbox.engine.plugin import CheckFailure, Diff, ProviderError
from twokeys.sandbox.engine.policing import Policing
from twokeys.sandbox.engine.providers import EngineError, Handle
from twokeys.sandbox.engine.resource import Goal, Resource, provider_urn
from twokeys.sandbox.engine.values import Properties, plain


class CustomResources:
    """Decides what happens to each custom resource, and does it."""

    def __init__(
        self, books: Books, handles: Handles, policing: Policing, deletion: Deletion, control: Control
    ) -> None:
        self._books = books
        self._handles = handles
        self._policing = policing
        self._deletion = deletion
        self._control = control

    def register(self, goal: Goal, reference: str, position: int | None) -> Resource:
        """Bring it to its goal through the provider of that reference; `position` is where the state has it."""
        handle = self._handles.of(reference)
        old = self._books.old(position)
        gone = old is not None and (old.external or old.pending_replacement)
        left = self._books.left_pending.get(goal.urn)
        known_inputs = old.inputs if old and not gone else left.inputs if left else Properties()
        seed = secrets.token_bytes(32)
        checked, failures = self._check(handle, goal, known_inputs, seed)
        new = self._policing.analyze(
            resource_of(goal, reference, checked), goal, self._books.news.get(provider_urn(reference))
        )
        refuse_invalid(goal, failures)
        work = Work(handle, goal, new, seed, position, old)
        if goal.import_id and (old is None or old.id != goal.import_id):
            return self._import(work)
        if old is None or gone:
            return self._create(work, work.step(Op.REPLACE if old else Op.CREATE))
        return self._bring(work, old)

    def _bring(self, work: Work, old: Resource, *, imported: bool = False) -> Resource:
        """Bring what exists to its goal; an import that needs no change is settled with its import."""
        diff = self._diff(work, old)
        if diff.replaces:
            return self._replace(work, old, diff)
        if diff.changed:
            return self._update(work, old, diff)
        same = replace(work.new, id=old.id, outputs=old.outputs, created=old.created, modified=old.modified)
        if imported:
            self._books.settle(same, work.position)
            return same
        with self._control.stepping(work.step(Op.SAME)):
            self._books.settle(same, work.position)
        return same

    def _create(self, work: Work, step: Step, *, mark_old: bool = False) -> Resource:
        with self._control.stepping(step):
            if self._control.settings.dry_run:
                made = replace(work.new, outputs=self._previewed(work, None))
                self._books.absent.add(work.goal.urn)
            else:
                made = self._make(work)
            self._books.settle(stamped(made, Op.CREATE), work.position, mark_deleted=mark_old)
        return made

    def _previewed(self, work: Work, old_outputs: Properties | None) -> Properties:
        """What is known of the outputs beforehand: nothing through a provider that is not configured yet."""
        if not work.handle.known:
            return {}
        goal = work.goal
        return marked(work.handle.plugin.preview(goal.type, goal.urn, plain(work.new.inputs), old_outputs), goal)

    def _make(self, work: Work) -> Resource:
        goal, provider = work.goal, work.handle.provider
        with self._books.lock:
            left = self._books.left_pending.get(goal.urn)
            self._books.pending[goal.urn] = work.new
            self._books.persist()
        inputs = plain(work.new.inputs)
        try:
            found = provider.find(goal.type, goal.urn, inputs) if left else None
            if found is not None:
                self._control.report(
                    Diagnostic(Severity.INFO, f"found {found[0]}, which an interrupted run had made", goal.urn)
                )
            id, outputs = found or self._control.timed(
                goal, "create", lambda: provider.create(goal.type, goal.urn, inputs)
            )
        except ProviderError as error:
            if not error.uncertain:
                with self._books.lock:
                    del self._books.pending[goal.urn]
                    self._books.left_pending.pop(goal.urn, None)
                    self._books.persist()
            raise
        return replace(work.new, id=id, outputs=marked(outputs, goal))

    def _update(self, work: Work, old: Resource, diff: Diff) -> Resource:
        goal = work.goal
        with self._control.stepping(work.step(Op.UPDATE, diff)):
            if self._control.settings.dry_run:
                outputs = self._previewed(work, plain(old.outputs))
            else:
                olds = (old.id, plain(old.inputs), plain(old.outputs))
                provider, inputs = work.handle.provider, plain(work.new.inputs)
                updated = self._control.timed(
                    goal, "update", lambda: provider.update(goal.type, goal.urn, *olds, inputs)
                )
                outputs = marked(updated, goal)
            new = stamped(replace(work.new, id=old.id, outputs=outputs, created=old.created), Op.UPDATE)
            self._books.settle(new, work.position)
        return new

    def _replace(self, work: Work, old: Resource, diff: Diff) -> Resource:
        goal, position = work.goal, work.position
        assert position is not None  # noqa: S101 - there is an old resource
        if goal.protect and old.protect and not self._control.settings.ignore_protect:
            self._control.refuse(
                f'unable to replace resource "{goal.urn}"\nas it is currently marked for protection (what changed: '
                f"{', '.join(diff.replaces)}). To unprotect the resource, remove the `protect` flag from the resource "
                "in your program and update; or take the change back",
                goal.urn,
            )
        if goal.import_id:
            self._control.refuse(
                "previously-imported resources that still specify an ID may not be replaced; "
                "remove the `import` declaration from your program",
                goal.urn,
            )
        self._books.replaced.add(goal.urn)
        inputs, failures = self._check(work.handle, goal, {}, work.seed)
        refuse_invalid(goal, failures)
        work = replace(work, new=replace(work.new, inputs=inputs))
        before = diff.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
        if before:
            self._deletion.for_replacement([*reversed(self._deletion.replaced_with(old)), position])
        return self._create(work, work.step(Op.REPLACE, diff), mark_old=not before)

    def _import(self, work: Work) -> Resource:
        """Take over an object that exists, then change it where the program wants it otherwise."""
        goal, handle = work.goal, work.handle
        new = replace(work.new, import_id=goal.import_id)
        with self._control.stepping(work.step(Op.IMPORT)):
            if not handle.known:
                self._books.absent.add(goal.urn)
                self._books.settle(stamped(new, Op.CREATE), work.position)
                return new
            found = handle.provider.read(goal.type, goal.urn, goal.import_id, {}, {})
            if found is None:
                raise EngineError(f"resource '{goal.import_id}' does not exist")
            id, inputs, outputs = found
            imported = stamped(replace(new, id=id, inputs=inputs, outputs=marked(outputs, goal)), Op.CREATE)
        return self._bring(replace(work, new=new), imported, imported=True)

    def _check(
        self, handle: Handle, goal: Goal, olds: Properties, seed: bytes
    ) -> tuple[Properties, tuple[CheckFailure, ...]]:
        inputs = goal.inputs
        for text in goal.ignore_changes if olds else ():
            with suppress(ValueError):  # Pulumi passes over what is no path
                inputs = kept(parse_path(text), olds, inputs)
        checked, failures = handle.plugin.check(goal.type, goal.urn, plain(olds), plain(inputs), seed)
        # Pulumi does not ask a provider that is not configured yet, so a policy sees no defaults; we ask for failures.
        return (remarked(existing(checked), inputs) if handle.known else inputs), failures

    def _diff(self, work: Work, old: Resource) -> Diff:
        handle, goal, new = work.handle, work.goal, work.new
        if any(urn in self._books.replaced for urn in goal.replace_with):
            return Diff((), ("replaceWith",))
        if goal.deleted_with in self._books.replaced:
            return Diff((), ("deletedWith",))
        if not handle.known:
            message = (
                "The provider for this resource has inputs that are not known during preview.\n"
                "This preview may not correctly represent the changes that will be applied during an update."
            )
            self._control.report(Diagnostic(Severity.WARNING, message, goal.urn))
            return Diff(changed_keys(old.inputs, new.inputs) or ("provider",))
        inputs = (plain(old.inputs), plain(old.outputs), plain(new.inputs))
        diff = handle.plugin.diff(goal.type, goal.urn, old.id, *inputs, goal.ignore_changes)
        return with_replace_on_changes(diff, goal.replace_on_changes, inputs[0], inputs[2])
