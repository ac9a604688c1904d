"""One run over one stack: what to do with each registration, doing it, and keeping the state true at every moment.

The decisions are Pulumi's (https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/): unchanged, create, update,
replace (the new object first, unless asked otherwise), and at the end the deletion of what the program no longer
registers. Everything here is called from many threads at once, one a registration; `_lock` guards the bookkeeping, and
provider calls are made outside it.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as CallTimeout
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from twokeys.sandbox.engine.books import Books, Policies, Registered, Settings, Subject, Work
from twokeys.sandbox.engine.builtins import STACK_REFERENCE, Builtins
from twokeys.sandbox.engine.events import Diagnostic, Op, Report, Severity, Step, StepDone, StepStarted, Violation
from twokeys.sandbox.engine.marks import (
    changed_keys,
    checked_path,
    existing,
    marked,
    refuse_invalid,
    remarked,
    resource_of,
    stamped,
    with_replace_on_changes,
)
from twokeys.sandbox.engine.paths import kept
from twokeys.sandbox.engine.plugin import CheckFailure, Diff, Plugin, ProviderError, Reader
from twokeys.sandbox.engine.providers import (
    DeniedProviderError,
    EngineError,
    Handle,
    default_provider_denied,
    denied_message,
)
from twokeys.sandbox.engine.resource import (
    PROVIDER_PREFIX,
    STACK_TYPE,
    UNKNOWN_ID,
    Goal,
    Resource,
    make_urn,
    package_of,
    provider_urn,
)
from twokeys.sandbox.engine.state import Snapshot
from twokeys.sandbox.engine.values import UNKNOWN, Properties, PropertyValue, plain

_Answer = TypeVar("_Answer")


class Stopped(Exception):  # noqa: N818 - not an error of its own: what stopped the run was reported
    """The run was stopped by an error or by the user; nothing new is begun."""


class Deployment:
    """A preview, an update or a destruction of one stack.

    Args:
        prior: the state before the run.
        plugins: package name to plugin.
        policies: None when no policy pack is used.
        save: called with the whole state whenever it changed; never in a preview.
        stack_outputs: the outputs of another stack by its full name, None for an unknown one.
        report: called for every event, from any thread.
    """

    def __init__(  # noqa: PLR0913 - the collaborators of a run, all by name
        self,
        settings: Settings,
        *,
        prior: Snapshot,
        plugins: Mapping[str, Plugin],
        save: Callable[[Snapshot], None],
        report: Report,
        stack_outputs: Callable[[str], Properties | None],
        policies: Policies | None = None,
    ) -> None:
        self.settings = settings
        self.failed = False
        self.error: BaseException | None = None
        self._plugins = plugins
        self._policies = policies
        self._save = save
        self.report = report
        self._books = Books(dict(enumerate(prior.resources)), {one.urn: one for one in prior.pending})
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._slots = threading.BoundedSemaphore(settings.parallel)
        self._stop = threading.Event()
        self._handles: dict[str, Handle] = {}
        self._builtins = Builtins(stack_outputs, self._books.news.get)
        self._stack_outputs: tuple[str, Properties] | None = None
        self._default_lock = threading.Lock()

    # --- what the program asks for -----------------------------------------------------------------------------------

    def urn(self, parent: str, type: str, name: str) -> str:
        """The URN of a resource in this stack."""
        return make_urn(self.settings.stack, self.settings.project, parent, type, name)

    def register(self, goal: Goal) -> Registered:
        """Bring one resource to what the program wants, and say what is known of it afterwards.

        Raises:
            Stopped: it failed (the reason was reported), or the run was stopped before.
        """
        with self._guarded(goal.urn):
            position = self._claim(goal)
            if goal.type.startswith(PROVIDER_PREFIX):
                new = self._register_provider(goal, position)
            elif goal.custom:
                new = self._register_custom(goal, position)
            else:
                new = self._register_component(goal, position)
            return Registered(new.urn, new.id, new.outputs if goal.custom else {})

    def read(self, goal: Goal, id: PropertyValue) -> Registered:
        """Look up an object that the stack does not own (`.get`, a stack reference).

        Raises:
            Stopped: as `register`; also when there is no such object.
        """
        with self._guarded(goal.urn):
            position = self._claim(goal)
            old = self._books.olds.get(position) if position is not None else None
            reference = goal.provider or self._default_provider(goal)
            step = Step(Op.READ, goal.urn, goal.type, id="" if id is UNKNOWN else str(id), new=goal.inputs)
            with self._stepping(step):
                found_id, outputs = str(id), Properties()
                if id is UNKNOWN:
                    found_id = UNKNOWN_ID
                elif goal.type == STACK_REFERENCE or self._handle(reference).known:
                    reader: Reader = self._builtins
                    if goal.type != STACK_REFERENCE:
                        reader = self._handle(reference).provider
                    inputs = plain(goal.inputs)
                    found = reader.read(goal.type, goal.urn, str(id), inputs, inputs)
                    if found is None:
                        raise EngineError(f"resource '{id}' does not exist")
                    found_id, _, outputs = found
                new = replace(
                    resource_of(goal, reference, goal.inputs),
                    id=found_id,
                    external=True,
                    outputs=marked(outputs, goal),
                    created=old.created if old else "",
                    modified=old.modified if old else "",
                )
                owned_before = old is not None and not old.external and old.id != new.id
                self._settle(new, position, mark_deleted=owned_before)
            return Registered(new.urn, "" if id is UNKNOWN else new.id, new.outputs)

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Set the outputs of a component. Those of the stack take effect when the run ends.

        Raises:
            Stopped: the run was stopped.
        """
        with self._guarded(urn):
            if urn not in self._books.news:
                raise EngineError(f"outputs were registered for {urn}, which is not registered")
            if self._books.news[urn].type == STACK_TYPE:
                self._stack_outputs = (urn, outputs)
                return
            with self._lock:
                self._books.news[urn] = replace(self._books.news[urn], outputs=outputs)
                self._persist()

    def invoke(
        self, token: str, args: Properties, *, provider: str, version: str, depends_on: tuple[str, ...]
    ) -> Properties | None:
        """Answer a look-up; None when what it depends on does not exist yet, so that nothing of the answer is known.

        Through a provider that is not configured yet the answer is empty, as the engine gives it.

        Raises:
            ProviderError, EngineError: the look-up failed; the program sees the reason.
            Stopped: the run was stopped.
        """
        self._go_on()
        package = package_of(token)
        if package == "pulumi":
            return self._builtins.invoke(token, plain(args))
        if not provider and default_provider_denied(self.settings.config, package):
            raise DeniedProviderError(f"Invoke: {denied_message(package, token)}")
        if any(self._is_absent(urn) for urn in depends_on):
            return None
        reference = provider or self._default_provider(_bare_goal(self, package, version))
        handle = self._handle(reference)
        return handle.provider.invoke(token, plain(args)) if handle.known else {}

    def goal(self, urn: str) -> Goal | None:
        """What the program registered under that URN in this run."""
        return self._books.goals.get(urn)

    # --- the end of a run --------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """After the program ended well: delete what it no longer registers, set the stack's outputs, check the stack.

        Raises:
            Stopped: something failed and was reported.
        """
        with self._guarded(""):
            self._adopt_pending()
            self._delete_rest()
            self._set_stack_outputs()
            self._check_stack()

    def destroy(self) -> None:
        """Delete every resource of the stack, in reverse order of dependency.

        Raises:
            Stopped: something failed and was reported.
        """
        with self._guarded(""):
            self._adopt_pending()
            self._delete_rest()

    def stop(self) -> None:
        """Begin nothing new; what is running is finished or abandoned by `settle`."""
        self._stop.set()

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is running any more; False when something still is after that time.

        After a stop the stack keeps the outputs that it had, with the new ones that are known.
        """
        with self._idle:
            done = self._idle.wait_for(lambda: self._books.in_flight == 0, seconds)
            if self.failed or self._stop.is_set():
                self._set_stack_outputs(merge=True)
            return done

    @property
    def stopped(self) -> bool:
        """Whether nothing new is begun any more."""
        return self._stop.is_set()

    @property
    def outputs(self) -> Properties:
        """The outputs of the stack."""
        for one in (*self._books.news.values(), *self._books.olds.values()):
            if one.type == STACK_TYPE:
                return one.outputs
        return {}

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All resources as the run left them."""
        return self._books.snapshot().resources

    # --- registrations -----------------------------------------------------------------------------------------------

    def _register_component(self, goal: Goal, position: int | None) -> Resource:
        old = self._old(position)
        new = resource_of(goal, goal.provider, goal.inputs)
        if old is not None:
            new = replace(new, outputs=old.outputs, created=old.created, modified=old.modified)
        new = self._analyze(new, goal, None)
        changed = changed_keys(old.inputs, new.inputs) if old else ()
        op = Op.CREATE if old is None else Op.UPDATE if changed else Op.SAME
        with self._stepping(
            Step(op, goal.urn, goal.type, changed=changed, old=old.inputs if old else None, new=new.inputs)
        ):
            self._settle(stamped(new, op), position)
        return new

    def _register_provider(self, goal: Goal, position: int | None) -> Resource:
        package = package_of(goal.type)
        old = self._old(position)
        inputs = goal.inputs
        if package != "pulumi":
            plugin = self._plugin(package)
            given = {key: value for key, value in goal.inputs.items() if key != "version"}
            checked, failures = plugin.check_config(goal.urn, plain(given))
            refuse_invalid(goal, failures)
            inputs = remarked(existing(checked), given)
            version = goal.version or goal.inputs.get("version")
            if version:
                inputs["version"] = version
            self._handles[goal.urn] = Handle(plugin, goal.urn, inputs)
        new = self._analyze(replace(resource_of(goal, "", inputs), outputs=inputs), goal, None)
        changed = changed_keys(old.inputs, new.inputs) if old else ()
        op = Op.CREATE if old is None else Op.UPDATE if changed else Op.SAME
        if old is None:
            new = replace(new, id=UNKNOWN_ID if self.settings.dry_run else str(uuid.uuid4()))
        else:
            new = replace(new, id=old.id, created=old.created, modified=old.modified)
        step = Step(
            op, goal.urn, goal.type, id=new.id, changed=changed, old=old.inputs if old else None, new=new.inputs
        )
        with self._stepping(step):
            self._settle(stamped(new, op), position)
        return new

    def _register_custom(self, goal: Goal, position: int | None) -> Resource:
        reference = goal.provider or self._default_provider(goal)
        handle = self._handle(reference)
        old = self._old(position)
        gone = old is not None and (old.external or old.pending_replacement)
        left = self._books.left_pending.get(goal.urn)
        known_inputs = old.inputs if old and not gone else left.inputs if left else Properties()
        seed = secrets.token_bytes(32)
        checked, failures = self._check(handle, goal, known_inputs, seed)
        new = self._analyze(resource_of(goal, reference, checked), goal, self._books.news.get(provider_urn(reference)))
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
            self._settle(same, work.position)
            return same
        with self._stepping(work.step(Op.SAME)):
            self._settle(same, work.position)
        return same

    def _create(self, work: Work, step: Step, *, mark_old: bool = False) -> Resource:
        with self._stepping(step):
            if self.settings.dry_run:
                made = replace(work.new, outputs=self._previewed(work, None))
                self._books.absent.add(work.goal.urn)
            else:
                made = self._make(work)
            self._settle(stamped(made, Op.CREATE), work.position, mark_deleted=mark_old)
        return made

    def _previewed(self, work: Work, old_outputs: Properties | None) -> Properties:
        """What is known of the outputs beforehand: nothing through a provider that is not configured yet."""
        if not work.handle.known:
            return {}
        goal = work.goal
        return marked(work.handle.plugin.preview(goal.type, goal.urn, plain(work.new.inputs), old_outputs), goal)

    def _make(self, work: Work) -> Resource:
        goal, provider = work.goal, work.handle.provider
        with self._lock:
            left = self._books.left_pending.get(goal.urn)
            self._books.pending[goal.urn] = work.new
            self._persist()
        inputs = plain(work.new.inputs)
        try:
            found = provider.find(goal.type, goal.urn, inputs) if left else None
            if found is not None:
                self.report(Diagnostic(Severity.INFO, f"found {found[0]}, which an interrupted run had made", goal.urn))
            id, outputs = found or self._timed(goal, "create", lambda: provider.create(goal.type, goal.urn, inputs))
        except ProviderError as error:
            if not error.uncertain:
                with self._lock:
                    del self._books.pending[goal.urn]
                    self._books.left_pending.pop(goal.urn, None)
                    self._persist()
            raise
        return replace(work.new, id=id, outputs=marked(outputs, goal))

    def _update(self, work: Work, old: Resource, diff: Diff) -> Resource:
        goal = work.goal
        with self._stepping(work.step(Op.UPDATE, diff)):
            if self.settings.dry_run:
                outputs = self._previewed(work, plain(old.outputs))
            else:
                olds = (old.id, plain(old.inputs), plain(old.outputs))
                provider, inputs = work.handle.provider, plain(work.new.inputs)
                updated = self._timed(goal, "update", lambda: provider.update(goal.type, goal.urn, *olds, inputs))
                outputs = marked(updated, goal)
            new = stamped(replace(work.new, id=old.id, outputs=outputs, created=old.created), Op.UPDATE)
            self._settle(new, work.position)
        return new

    def _replace(self, work: Work, old: Resource, diff: Diff) -> Resource:
        goal, position = work.goal, work.position
        assert position is not None  # noqa: S101 - there is an old resource
        if goal.protect and old.protect and not self.settings.ignore_protect:
            self._refuse(
                f'unable to replace resource "{goal.urn}"\nas it is currently marked for protection (what changed: '
                f"{', '.join(diff.replaces)}). To unprotect the resource, remove the `protect` flag from the resource "
                "in your program and update; or take the change back",
                goal.urn,
            )
        if goal.import_id:
            self._refuse(
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
            for dependent in reversed(self._replaced_with(old)):
                self._delete_for_replacement(dependent)
            self._delete_for_replacement(position)
        return self._create(work, work.step(Op.REPLACE, diff), mark_old=not before)

    def _import(self, work: Work) -> Resource:
        """Take over an object that exists, then change it where the program wants it otherwise."""
        goal, handle = work.goal, work.handle
        new = replace(work.new, import_id=goal.import_id)
        with self._stepping(work.step(Op.IMPORT)):
            if not handle.known:
                self._books.absent.add(goal.urn)
                self._settle(stamped(new, Op.CREATE), work.position)
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
            inputs = kept(checked_path(text), olds, inputs)
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
            self.report(Diagnostic(Severity.WARNING, message, goal.urn))
            return Diff(changed_keys(old.inputs, new.inputs) or ("provider",))
        inputs = (plain(old.inputs), plain(old.outputs), plain(new.inputs))
        diff = handle.plugin.diff(goal.type, goal.urn, old.id, *inputs, goal.ignore_changes)
        return with_replace_on_changes(diff, goal.replace_on_changes, inputs[0], inputs[2])

    # --- replacement and deletion ------------------------------------------------------------------------------------

    def _replaced_with(self, root: Resource) -> list[int]:
        """The old resources that its replacement replaces too and that must go first, in order of dependency."""
        condemned = {root.urn}
        found = []
        for position, one in sorted(self._books.olds.items()):
            unseen = one.custom and not one.external and not one.delete and one.urn not in self._books.claimed
            if unseen and self._must_go(one, condemned):
                condemned.add(one.urn)
                found.append(position)
        return found

    def _must_go(self, one: Resource, condemned: set[str]) -> bool:
        if provider_urn(one.provider) in condemned or one.deleted_with in condemned:
            return True
        touched = {key for key, urns in one.property_dependencies.items() if condemned.intersection(urns)}
        if not touched or one.is_provider:
            return False
        inputs = plain(one.inputs)
        unknown = {key: UNKNOWN if key in touched else value for key, value in inputs.items()}
        plugin = self._handle(one.provider).plugin
        diff = plugin.diff(one.type, one.urn, one.id, inputs, plain(one.outputs), unknown, one.ignore_changes)
        return bool(with_replace_on_changes(diff, one.replace_on_changes, inputs, unknown).replaces)

    def _delete_for_replacement(self, position: int) -> None:
        old = self._books.olds[position]
        if old.pending_replacement:
            return
        if old.protect and not self.settings.ignore_protect and old.urn not in self._books.claimed:
            self._refuse(
                f'unable to replace resource "{old.urn}" as part of a replacement that it depends on, as it is '
                "currently marked for protection. Remove the `protect` flag from it in your program and update first",
                old.urn,
            )
        with self._stepping(Step(Op.DELETE_REPLACED, old.urn, old.type, old.id, old=old.inputs)):
            self._remove_object(old, frozenset())
            with self._lock:
                self._books.olds[position] = replace(old, pending_replacement=True)
                self._persist()

    def _delete_rest(self) -> None:
        rest = [
            (position, one)
            for position, one in self._books.olds.items()
            if not (one.pending_replacement and not one.delete)
        ]
        if not self.settings.ignore_protect:
            protected = [one for _, one in rest if one.protect and not one.delete]
            for one in protected:
                self._refuse(
                    f'resource "{one.urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, '
                    "remove the `protect` flag from it in your program and update, then delete it; `twokeys sandbox "
                    "destroy --force-unprotect` deletes protected resources too",
                    one.urn,
                    fatal=False,
                )
            if protected and not self.settings.dry_run:
                raise Stopped
        going = frozenset(one.urn for _, one in rest)
        for position, one in reversed(list(self._books.olds.items())):
            self._go_on()
            if one.pending_replacement and not one.delete:
                self._forget(position)
                continue
            op = Op.DISCARD if one.external else Op.DELETE_REPLACED if one.delete else Op.DELETE
            with self._stepping(Step(op, one.urn, one.type, one.id, old=one.inputs)):
                self._remove_object(one, going)
                self._forget(position)

    def _remove_object(self, one: Resource, going: frozenset[str]) -> None:
        if one.retain_on_delete:
            self.report(Diagnostic(Severity.INFO, f"{one.id} is only forgotten, it is not deleted", one.urn))
        leave = one.external or one.retain_on_delete or one.deleted_with in going or one.is_provider or not one.custom
        if self.settings.dry_run or leave:
            return
        provider = self._handle(one.provider).provider
        arguments = (one.type, one.urn, one.id, plain(one.inputs), plain(one.outputs))
        self._limited(one.custom_timeouts.get("delete"), one.urn, "delete", lambda: provider.delete(*arguments))

    def _forget(self, position: int) -> None:
        with self._lock:
            del self._books.olds[position]
            self._persist()

    def _adopt_pending(self) -> None:
        """Take over what a killed run made and the program no longer asks for, to delete it with the rest."""
        if self.settings.dry_run:
            return
        for urn, left in list(self._books.left_pending.items()):
            found = self._handle(left.provider).provider.find(left.type, urn, plain(left.inputs))
            with self._lock:
                del self._books.left_pending[urn]
                if found is not None:
                    self._books.olds[max(self._books.olds, default=0) + 1] = replace(
                        left, id=found[0], outputs=found[1]
                    )
                self._persist()

    # --- policies and outputs ----------------------------------------------------------------------------------------

    def _analyze(self, new: Resource, goal: Goal, provider: Resource | None) -> Resource:
        if self._policies is None:
            return new
        remediated, violations = self._policies.analyze(Subject(new, new.inputs, provider, goal))
        self._note(violations)
        if any(violation.mandatory for violation in violations) and not self.settings.dry_run:
            raise EngineError(f"resource {new.urn} breaks a mandatory policy")
        return new if remediated is None else replace(new, inputs=remediated)

    def _check_stack(self) -> None:
        if self._policies is None:
            return
        news = self._books.news
        subjects = (
            Subject(one, one.outputs, news.get(provider_urn(one.provider)), self._books.goals.get(one.urn))
            for one in news.values()
            if not one.external
        )
        self._note(self._policies.analyze_stack(tuple(subjects)))

    def _note(self, violations: tuple[Violation, ...]) -> None:
        for violation in violations:
            self.failed = self.failed or violation.mandatory
            self.report(violation)

    def _set_stack_outputs(self, *, merge: bool = False) -> None:
        if self._stack_outputs is None:
            return
        with self._lock:
            urn, outputs = self._stack_outputs
            stack = self._books.news[urn]
            self._books.news[urn] = replace(stack, outputs={**stack.outputs, **outputs} if merge else outputs)
            self._stack_outputs = None
            self._persist()

    # --- bookkeeping -------------------------------------------------------------------------------------------------

    def _claim(self, goal: Goal) -> int | None:
        """Take the URN for this registration and find the resource that it had in the state."""
        with self._lock:
            if goal.urn in self._books.claimed:
                raise EngineError(f"Duplicate resource URN '{goal.urn}'; try giving it a unique name")
            if goal.parent and goal.parent not in self._books.claimed:
                raise EngineError(f"could not find parent resource {goal.parent}")
            self._books.claimed.add(goal.urn)
            self._books.goals[goal.urn] = goal
            self._books.children.setdefault(goal.parent, []).append(goal.urn)
            for urn in (goal.urn, *goal.aliases):
                for position, one in self._books.olds.items():
                    if one.urn == urn and not one.delete:
                        return position
            return None

    def _old(self, position: int | None) -> Resource | None:
        return None if position is None else self._books.olds[position]

    def _settle(self, new: Resource, position: int | None, *, mark_deleted: bool = False) -> None:
        with self._lock:
            if position is not None:
                old = self._books.olds.pop(position)
                if mark_deleted:
                    self._books.olds[position] = replace(old, delete=True)
            self._books.news[new.urn] = new
            self._books.pending.pop(new.urn, None)
            self._books.left_pending.pop(new.urn, None)
            self._persist()

    def _persist(self) -> None:
        if not self.settings.dry_run:
            self._save(self._books.snapshot())

    def _is_absent(self, urn: str) -> bool:
        found = self._books.news.get(urn)
        if found is None or found.custom:
            return urn in self._books.absent
        return any(self._is_absent(child) for child in self._books.children.get(urn, ()))

    def _plugin(self, package: str) -> Plugin:
        if package not in self._plugins:
            raise EngineError(
                f"the sandbox has no package '{package}'; it has {', '.join(sorted(self._plugins))}. "
                "Use --engine pulumi for the others"
            )
        return self._plugins[package]

    def _handle(self, reference: str) -> Handle:
        """The provider of this run under that reference, or the one of the state, to delete what it made."""
        urn = provider_urn(reference)
        with self._lock:
            if urn not in self._handles:
                olds = [one for one in self._books.olds.values() if one.urn == urn]
                if not olds:
                    raise EngineError(f"unknown provider '{reference}'")
                self._handles[urn] = Handle(self._plugin(package_of(olds[0].type)), urn, olds[0].inputs)
            return self._handles[urn]

    def _default_provider(self, goal: Goal) -> str:
        package = package_of(goal.type)
        if package != "pulumi" and default_provider_denied(self.settings.config, package):
            raise DeniedProviderError(denied_message(package, goal.urn))
        version = goal.version.replace(".", "_")
        type = f"{PROVIDER_PREFIX}{package}"
        urn = self.urn("", type, f"default_{version}" if version else "default")
        with self._default_lock:
            if urn not in self._books.news:
                prefix = f"{package}:"
                inputs = {k.removeprefix(prefix): v for k, v in self.settings.config.items() if k.startswith(prefix)}
                self.register(
                    Goal(urn, type, urn.rpartition("::")[2], custom=True, inputs=inputs, version=goal.version)
                )
        return f"{urn}::{self._books.news[urn].id}"

    # --- control of the run ------------------------------------------------------------------------------------------

    @contextmanager
    def _guarded(self, urn: str) -> Iterator[None]:
        """Count what is running, and let every failure stop the run: reported once, never lost."""
        with self._lock:
            self._go_on()
            self._books.in_flight += 1
        try:
            yield
        except Stopped:
            self.failed = True
            raise
        except (ProviderError, EngineError) as error:
            self._fail(Diagnostic(Severity.ERROR, str(error), urn))
            raise Stopped from error
        except BaseException as error:
            self.failed = True
            self.error = self.error or error
            self.stop()
            raise Stopped from error
        finally:
            with self._idle:
                self._books.in_flight -= 1
                self._idle.notify_all()

    @contextmanager
    def _stepping(self, step: Step) -> Iterator[None]:
        with self._slots:
            self._go_on()
            self.report(StepStarted(step))
            began = time.monotonic()
            yield
            self.report(StepDone(step, time.monotonic() - began))

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _fail(self, diagnostic: Diagnostic) -> None:
        self.failed = True
        self.stop()
        self.report(diagnostic)

    def _refuse(self, message: str, urn: str = "", *, fatal: bool = True) -> None:
        """Fail; a preview goes on, to show everything that is wrong."""
        if fatal and not self.settings.dry_run:
            raise EngineError(message)
        self.failed = True
        self.report(Diagnostic(Severity.ERROR, message, urn))

    def _timed(self, goal: Goal, operation: str, call: Callable[[], _Answer]) -> _Answer:
        return self._limited(goal.timeouts.get(operation), goal.urn, operation, call)

    def _limited(self, seconds: float | None, urn: str, operation: str, call: Callable[[], _Answer]) -> _Answer:
        if seconds is None:
            return call()
        executor = ThreadPoolExecutor(1)
        try:
            return executor.submit(call).result(seconds)
        except CallTimeout as error:
            message = f"the {operation} of {urn} was not done after {seconds:g} s (custom timeout)"
            raise ProviderError(message, uncertain=True) from error
        finally:
            executor.shutdown(wait=False)


def _bare_goal(deployment: Deployment, package: str, version: str) -> Goal:
    type = f"{package}:index:invoke"
    return Goal(deployment.urn("", type, "invoke"), type, "invoke", custom=True, inputs={}, version=version)
