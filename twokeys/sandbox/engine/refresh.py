"""A refresh: every object of a state is read again, and the state is brought to what is there.

What is read and what becomes of it is Pulumi's own (`pulumi refresh`,
https://www.pulumi.com/docs/iac/cli/commands/pulumi_refresh/): the program is not run; components and providers stay as
they are; an object that is gone leaves the state, and so do the references to it; an object that cannot be read stays
as it was, and fails the run once everything else is read. `ignoreChanges` keeps a change from being reported as one,
not from the state.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from twokeys.sandbox.engine.books import Settings
from twokeys.sandbox.engine.builtins import STACK_REFERENCE, Builtins
from twokeys.sandbox.engine.events import Diagnostic, Op, Severity, Step, StepDone, StepStarted
from twokeys.sandbox.engine.marks import changed_keys, existing, marked, remarked, stamped
from twokeys.sandbox.engine.plugin import ProviderError, Reader
from twokeys.sandbox.engine.providers import EngineError, Handle
from twokeys.sandbox.engine.resource import STACK_TYPE, Resource, package_of
from twokeys.sandbox.engine.state import Snapshot
from twokeys.sandbox.engine.surroundings import Surroundings
from twokeys.sandbox.engine.values import Properties, plain


class Refresh:
    """One refresh of one stack.

    A create that a killed run had begun is looked for as the next update would: what it made is taken into the state
    (and completed, where it takes several calls), what it did not make is forgotten.

    Args:
        prior: the state before it.
        targets: URNs of the only resources to read; all of them when there are none.
    """

    def __init__(
        self, settings: Settings, prior: Snapshot, around: Surroundings, targets: tuple[str, ...] = ()
    ) -> None:
        self.failed = False
        self.error: BaseException | None = None
        self._settings = settings
        self._plugins = around.plugins
        self._save = around.save
        self._report = around.report
        self._targets = frozenset(targets)
        self._state: list[Resource | None] = list(prior.resources)
        self._pending = {one.urn: one for one in prior.pending}
        self._handles: dict[str, Handle] = {}
        self._builtins = Builtins(around.stack_outputs, lambda _: None)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ended = threading.Event()

    def run(self) -> None:
        """Read everything. What could not be read was reported, and `failed` says so."""
        try:
            known = {one.urn for one in self._state if one is not None}
            for urn in sorted(self._targets - known):
                self._fail(f"no resource named '{urn}' found")
            if self.failed:
                return
            with ThreadPoolExecutor(self._settings.parallel) as pool:
                list(pool.map(lambda position: self._guarded(lambda: self._one(position)), range(len(self._state))))
                if not self._targets:
                    list(pool.map(lambda urn: self._guarded(lambda: self._resolve(urn)), list(self._pending)))
            self._guarded(self._persist)
        finally:
            self._ended.set()

    def stop(self) -> None:
        """Read nothing more; what is being read is waited for by `settle`."""
        self._stop.set()

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is being read any more; False when something still is after that time."""
        return self._ended.wait(seconds)

    @property
    def outputs(self) -> Properties:
        """The outputs of the stack, which a refresh leaves as they are."""
        return next((one.outputs for one in self.resources if one.type == STACK_TYPE), {})

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All resources as the refresh left them."""
        return without_dangling(one for one in self._state if one is not None)

    def _guarded(self, work: Callable[[], None]) -> None:
        """One failed read fails the run and no other read; anything that no provider said stops it."""
        if self._stop.is_set():
            return
        try:
            work()
        except BaseException as error:  # raised again by whoever waits for the run
            self.failed = True
            self.error = self.error or error
            self.stop()

    def _one(self, position: int) -> None:
        old = self._state[position]
        assert old is not None  # noqa: S101 - each is visited once
        if self._targets and old.urn not in self._targets:
            return
        began = time.monotonic()
        self._report(StepStarted(Step(Op.READ, old.urn, old.type, old.id, old=old.inputs)))
        try:
            new, changed = self._read(old)
        except (ProviderError, EngineError) as error:
            self._fail(str(error), old.urn)
            return
        op = Op.DELETE if new is None else Op.UPDATE if changed else Op.SAME
        if new != old:
            self._settle(position, new)
        step = Step(op, old.urn, old.type, old.id, changed=changed, old=old.inputs, new=new.inputs if new else None)
        self._report(StepDone(step, time.monotonic() - began))
        if new is not None and op is Op.SAME and (ignored := changed_keys(old.inputs, new.inputs)):
            message = f"the state has taken over {', '.join(ignored)}, which ignoreChanges keeps from being reported"
            self._report(Diagnostic(Severity.INFO, message, old.urn))

    def _read(self, old: Resource) -> tuple[Resource | None, tuple[str, ...]]:
        """The resource as it is now, None when it is gone, and what an update would change back."""
        if not old.custom or old.is_provider or old.pending_replacement:
            return old, ()
        builtin = old.type == STACK_REFERENCE
        reader: Reader = self._builtins if builtin else self._handle(old.provider).provider
        found = reader.read(old.type, old.urn, old.id, plain(old.inputs), plain(old.outputs))
        if found is None:
            return None, ()
        id, inputs, outputs = found
        new = replace(
            old,
            id=id,
            inputs=remarked(existing(inputs), old.inputs),
            outputs=remarked(marked(outputs, old), old.outputs),
        )
        if new.inputs != old.inputs or new.outputs != old.outputs:
            new = stamped(new, Op.UPDATE)
        if old.external:
            return new, changed_keys(old.outputs, new.outputs)
        as_now, as_declared = (plain(new.inputs), plain(new.outputs)), plain(old.inputs)
        diff = self._handle(old.provider).plugin.diff(old.type, old.urn, id, *as_now, as_declared, old.ignore_changes)
        return new, diff.changed

    def _resolve(self, urn: str) -> None:
        """Find out what became of a create that a killed run had begun."""
        left = self._pending[urn]
        if any(one is not None and one.urn == urn and not one.delete for one in self._state):
            message = "an interrupted replacement is left as it is; the next update goes on with it"
            self._report(Diagnostic(Severity.WARNING, message, urn))
            return
        if self._settings.dry_run:
            message = "an interrupted run had begun to create it; the refresh finds out whether it did"
            self._report(Diagnostic(Severity.INFO, message, urn))
            return
        began = time.monotonic()
        step = Step(Op.IMPORT, urn, left.type, new=left.inputs)
        self._report(StepStarted(step))
        try:
            found = self._handle(left.provider).provider.find(left.type, urn, plain(left.inputs))
        except (ProviderError, EngineError) as error:
            self._fail(str(error), urn)
            return
        with self._lock:
            del self._pending[urn]
            if found is not None:
                self._state.append(stamped(replace(left, id=found[0], outputs=marked(found[1], left)), Op.CREATE))
            self._persist()
        if found is None:
            self._report(Diagnostic(Severity.INFO, "an interrupted run had begun to create it and did not", urn))
        else:
            self._report(StepDone(replace(step, id=found[0]), time.monotonic() - began))

    def _settle(self, position: int, new: Resource | None) -> None:
        with self._lock:
            self._state[position] = new
            self._persist()

    def _persist(self) -> None:
        if not self._settings.dry_run:
            self._save(Snapshot(self.resources, tuple(self._pending.values())))

    def _handle(self, reference: str) -> Handle:
        """The provider that made an object, with the configuration that the state has of it."""
        with self._lock:
            if reference not in self._handles:
                named = (one for one in self._state if one is not None and f"{one.urn}::{one.id}" == reference)
                provider = next(named, None)
                if provider is None or package_of(provider.type) not in self._plugins:
                    raise EngineError(f"unknown provider '{reference}'")
                plugin = self._plugins[package_of(provider.type)]
                self._handles[reference] = Handle(plugin, provider.urn, provider.inputs)
            return self._handles[reference]

    def _fail(self, message: str, urn: str = "") -> None:
        self.failed = True
        self._report(Diagnostic(Severity.ERROR, message, urn))


def without_dangling(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The resources without references to what does not stand before them.

    A child whose parent is gone has none from then on, as Pulumi leaves it; the next update gives it back.
    """
    known: set[str] = set()
    kept = []
    for one in resources:
        depends = {key: tuple(known.intersection(urns)) for key, urns in one.property_dependencies.items()}
        kept.append(
            replace(
                one,
                parent=one.parent if one.parent in known else "",
                dependencies=tuple(urn for urn in one.dependencies if urn in known),
                property_dependencies={key: urns for key, urns in depends.items() if urns},
                deleted_with=one.deleted_with if one.deleted_with in known else "",
                replace_with=tuple(urn for urn in one.replace_with if urn in known),
            )
        )
        known.add(one.urn)
    return tuple(kept)
