"""One run over one stack: what to do with each registration, doing it, and keeping the state true at every moment.

The decisions are Pulumi's (https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/): unchanged, create, update,
replace (the new object first, unless asked otherwise), and at the end the deletion of what the program no longer
registers. Everything here is called from many threads at once, one a registration; `Books.lock` guards the bookkeeping,
and provider calls are made outside it.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace

from twokeys.sandbox.engine.books import Books, Policies, Registered, Settings
from twokeys.sandbox.engine.builtins import STACK_REFERENCE, Builtins
from twokeys.sandbox.engine.control import Control
from twokeys.sandbox.engine.custom import CustomResources
from twokeys.sandbox.engine.deletion import Deletion
from twokeys.sandbox.engine.events import Op, Step
from twokeys.sandbox.engine.handles import Handles
from twokeys.sandbox.engine.marks import (
    changed_keys,
    existing,
    marked,
    refuse_invalid,
    remarked,
    resource_of,
    stamped,
)
from twokeys.sandbox.engine.plugin import Reader
from twokeys.sandbox.engine.policing import Policing
from twokeys.sandbox.engine.providers import (
    DeniedProviderError,
    EngineError,
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
)
from twokeys.sandbox.engine.state import Snapshot
from twokeys.sandbox.engine.surroundings import Surroundings
from twokeys.sandbox.engine.values import UNKNOWN, Properties, PropertyValue, plain


class Deployment(Control):
    """A preview, an update or a destruction of one stack.

    Args:
        prior: the state before the run.
        policies: None when no policy pack is used.
    """

    def __init__(
        self, settings: Settings, prior: Snapshot, around: Surroundings, policies: Policies | None = None
    ) -> None:
        super().__init__(settings, around.report)
        self._books = Books(prior, None if settings.dry_run else around.save)
        self._handles = Handles(around.plugins, self._books)
        self._policing = Policing(policies, self._books, self)
        self._deletion = Deletion(self._books, self._handles, self)
        self._custom = CustomResources(self._books, self._handles, self._policing, self._deletion, self)
        self._builtins = Builtins(around.stack_outputs, self._books.news.get)
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
        with self.guarded(goal.urn):
            position = self._books.claim(goal)
            if goal.type.startswith(PROVIDER_PREFIX):
                new = self._register_provider(goal, position)
            elif goal.custom:
                new = self._custom.register(goal, goal.provider or self._default_provider(goal), position)
            else:
                new = self._register_component(goal, position)
            return Registered(new.urn, new.id, new.outputs if goal.custom else {})

    def read(self, goal: Goal, id: PropertyValue) -> Registered:
        """Look up an object that the stack does not own (`.get`, a stack reference).

        Raises:
            Stopped: as `register`; also when there is no such object.
        """
        with self.guarded(goal.urn):
            position = self._books.claim(goal)
            old = self._books.olds.get(position) if position is not None else None
            reference = goal.provider or self._default_provider(goal)
            step = Step(Op.READ, goal.urn, goal.type, id="" if id is UNKNOWN else str(id), new=goal.inputs)
            with self.stepping(step):
                found_id, outputs = str(id), Properties()
                if id is UNKNOWN:
                    found_id = UNKNOWN_ID
                elif goal.type == STACK_REFERENCE or self._handles.of(reference).known:
                    reader: Reader = self._builtins
                    if goal.type != STACK_REFERENCE:
                        reader = self._handles.of(reference).provider
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
                self._books.settle(new, position, mark_deleted=owned_before)
            return Registered(new.urn, "" if id is UNKNOWN else new.id, new.outputs)

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Set the outputs of a component. Those of the stack take effect when the run ends.

        Raises:
            Stopped: the run was stopped.
        """
        with self.guarded(urn):
            if urn not in self._books.news:
                raise EngineError(f"outputs were registered for {urn}, which is not registered")
            if self._books.news[urn].type == STACK_TYPE:
                self._stack_outputs = (urn, outputs)
                return
            with self._books.lock:
                self._books.news[urn] = replace(self._books.news[urn], outputs=outputs)
                self._books.persist()

    def invoke(
        self, token: str, args: Properties, *, provider: str, version: str, depends_on: tuple[str, ...]
    ) -> Properties | None:
        """Answer a look-up; None when what it depends on does not exist yet, so that nothing of the answer is known.

        Through a provider that is not configured yet the answer is empty, as the engine gives it.

        Raises:
            ProviderError, EngineError: the look-up failed; the program sees the reason.
            Stopped: the run was stopped.
        """
        self.go_on()
        package = package_of(token)
        if package == "pulumi":
            return self._builtins.invoke(token, plain(args))
        if not provider and default_provider_denied(self.settings.config, package):
            raise DeniedProviderError(f"Invoke: {denied_message(package, token)}")
        if any(self._books.is_absent(urn) for urn in depends_on):
            return None
        reference = provider or self._default_provider(_bare_goal(self, package, version))
        handle = self._handles.of(reference)
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
        with self.guarded(""):
            self._deletion.adopt_pending()
            self._deletion.rest()
            self._set_stack_outputs()
            self._policing.check_stack()

    def destroy(self) -> None:
        """Delete every resource of the stack, in reverse order of dependency.

        Raises:
            Stopped: something failed and was reported.
        """
        with self.guarded(""):
            self._deletion.adopt_pending()
            self._deletion.rest()

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is running any more; False when something still is after that time.

        After a stop the stack keeps the outputs that it had, with the new ones that are known.
        """
        done = self.wait(seconds)
        if self.failed or self.stopped:
            self._set_stack_outputs(merge=True)
        return done

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

    # --- what has no object in AWS ------------------------------------------------------------------------------------

    def _register_component(self, goal: Goal, position: int | None) -> Resource:
        old = self._books.old(position)
        new = resource_of(goal, goal.provider, goal.inputs)
        if old is not None:
            new = replace(new, outputs=old.outputs, created=old.created, modified=old.modified)
        new = self._policing.analyze(new, goal, None)
        changed = changed_keys(old.inputs, new.inputs) if old else ()
        op = Op.CREATE if old is None else Op.UPDATE if changed else Op.SAME
        with self.stepping(
            Step(op, goal.urn, goal.type, changed=changed, old=old.inputs if old else None, new=new.inputs)
        ):
            self._books.settle(stamped(new, op), position)
        return new

    def _register_provider(self, goal: Goal, position: int | None) -> Resource:
        package = package_of(goal.type)
        old = self._books.old(position)
        inputs = goal.inputs
        if package != "pulumi":
            plugin = self._handles.plugin(package)
            given = {key: value for key, value in goal.inputs.items() if key != "version"}
            checked, failures = plugin.check_config(goal.urn, plain(given))
            refuse_invalid(goal, failures)
            inputs = remarked(existing(checked), given)
            version = goal.version or goal.inputs.get("version")
            if version:
                inputs["version"] = version
            self._handles.open(goal.urn, package, inputs)
        new = self._policing.analyze(replace(resource_of(goal, "", inputs), outputs=inputs), goal, None)
        changed = changed_keys(old.inputs, new.inputs) if old else ()
        op = Op.CREATE if old is None else Op.UPDATE if changed else Op.SAME
        if old is None:
            new = replace(new, id=UNKNOWN_ID if self.settings.dry_run else str(uuid.uuid4()))
        else:
            new = replace(new, id=old.id, created=old.created, modified=old.modified)
        step = Step(
            op, goal.urn, goal.type, id=new.id, changed=changed, old=old.inputs if old else None, new=new.inputs
        )
        with self.stepping(step):
            self._books.settle(stamped(new, op), position)
        return new

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

    def _set_stack_outputs(self, *, merge: bool = False) -> None:
        if self._stack_outputs is None:
            return
        with self._books.lock:
            urn, outputs = self._stack_outputs
            stack = self._books.news[urn]
            self._books.news[urn] = replace(stack, outputs={**stack.outputs, **outputs} if merge else outputs)
            self._stack_outputs = None
            self._books.persist()


def _bare_goal(deployment: Deployment, package: str, version: str) -> Goal:
    type = f"{package}:index:invoke"
    return Goal(deployment.urn("", type, "invoke"), type, "invoke", custom=True, inputs={}, version=version)
