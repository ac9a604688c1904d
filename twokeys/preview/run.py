"""One run of a program: what it registered, with the URNs, parents and providers that the engine would give it.

What comes of a resource is decided elsewhere (`Maker`): a preview knows little of it, the sandbox really makes it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from twokeys.access.model.not_read import PROVIDER_CODE
from twokeys.access.reading.autonaming import Autonaming
from twokeys.access.reading.snapshot import STACK, Resource, Snapshot, is_stack_reference
from twokeys.access.reading.wire import secrets
from twokeys.pack.reading import whole_code
from twokeys.preview.values import on_wire, plain

PROVIDERS: Final = "pulumi:providers:"
ELSEWHERE: Final = "is a component of a package that only the engine can run"
_STEPS: Final = re.compile(r'\["([^"]+)"\]|\[(\d+|\*)\]|([^.\[\]]+)')
"""Those of a property's path: `tags.owner`, `inlinePolicies[0].policy`, `tags["a.b"]`."""
_DISABLED: Final = "pulumi:disable-default-providers"


class RefusedRequestError(Exception):
    """A request of the program that is refused, as the program hears it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A resource as the program registers or reads it; `inputs` as on the wire, `provider` as `URN::ID`."""

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    provider: str = ""
    parent: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    import_id: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secret_outputs: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    external: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A resource with what came of it: its id ("" where it is not known) and its outputs, as on the wire."""

    asked: Asked
    id: str
    outputs: Mapping[str, Any]


class Maker(Protocol):
    """Decides what comes of a request. Each may raise RefusedRequestError; all are called from several threads."""

    def show(self, asked: Asked, run: Run) -> None:
        """Take note of a component: there is nothing to make."""
        ...

    def make(self, asked: Asked, run: Run) -> tuple[str, Mapping[str, Any]]:
        """The id and outputs of a registered custom resource."""
        ...

    def read(self, asked: Asked, id: str, run: Run) -> Mapping[str, Any]:
        """The outputs of an object that the program only reads."""
        ...

    def invoke(self, token: str, args: Mapping[str, Any], provider: str, run: Run) -> Mapping[str, Any] | None:
        """The answer to a function call; None while it is not known."""
        ...


class Run:
    """What a program registers, in order.

    `say` gets each message of the program, with its severity ("info", "warning", "error"). `there` is what the state of
    the stack has, by URN.
    """

    def __init__(  # noqa: PLR0913 - what a run is of, and who hears of it
        self,
        project: str,
        stack: str,
        config: Mapping[str, str],
        maker: Maker,
        say: Callable[[str, str], None],
        *,
        there: Mapping[str, Resource] | None = None,
    ) -> None:
        self.project, self.stack, self.config = project, stack, config
        self._scope = f"urn:pulumi:{stack}::{project}::"
        self._maker = maker
        self._say = say
        self.there = there or {}
        self.naming = Autonaming(config, organization="organization", project=project, stack=stack)
        self._made: dict[str, Made] = {}
        self._lock = threading.RLock()
        self.folder = Path()
        """Where the modules of the program are."""
        self.errors: list[str] = []
        self.unanswered: list[str] = []

    @property
    def settings(self) -> dict[str, Any]:
        """What the SDK is told of the stack."""
        return {"project": self.project, "stack": self.stack, "config": dict(self.config)}

    @property
    def made(self) -> tuple[Made, ...]:
        """Everything so far, in the order of registration."""
        with self._lock:
            return tuple(self._made.values())

    def of(self, urn: str) -> Made | None:
        """One of them by its URN."""
        with self._lock:
            return self._made.get(urn)

    def provider_inputs(self, reference: str) -> dict[str, object]:
        """The inputs of the provider that a reference (`URN::ID`) names, as plain data."""
        found = self.of(reference.rpartition("::")[0])
        return plain(found.asked.inputs) if found else {}

    def answer(self, kind: str, what: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one question of the monitor."""
        try:
            return getattr(self, f"_{kind}")(what)  # type: ignore[no-any-return] # the monitor's own kinds
        except RefusedRequestError as error:
            return {"error": str(error)}

    def snapshot(self) -> Snapshot:
        """The stack as the engine shows it to a policy: what is only read is not in it."""
        shown = [one for one in self.made if not one.asked.external]
        urns = {one.asked.urn for one in shown}
        return Snapshot(tuple(resource(one, urns, self) for one in shown))

    def _register(self, what: Mapping[str, Any]) -> dict[str, Any]:
        if what["remote"]:
            raise RefusedRequestError(f"{what['type']} {what['name']} {ELSEWHERE}")
        asked = self._asked(what, custom=what["custom"])
        with self._lock:
            if asked.urn in self._made:
                raise RefusedRequestError(f"Duplicate resource URN '{asked.urn}'; try giving it a unique name")
            self._made[asked.urn] = Made(asked, "", {} if asked.custom else asked.inputs)
        if not asked.custom:
            self._maker.show(asked, self)
        else:
            try:
                id, outputs = self._maker.make(asked, self)
            except BaseException:
                with self._lock:
                    del self._made[asked.urn]
                raise
            with self._lock:
                self._made[asked.urn] = Made(asked, id, outputs)
        made = self._made[asked.urn]
        return {"urn": asked.urn, "id": made.id, "outputs": made.outputs}

    def _read(self, what: Mapping[str, Any]) -> dict[str, Any]:
        asked = self._asked(what, custom=True, external=True)
        outputs = self._maker.read(asked, what["id"], self)
        with self._lock:
            self._made[asked.urn] = Made(asked, what["id"], outputs)
        return {"urn": asked.urn, "id": what["id"], "outputs": outputs}

    def _invoke(self, what: Mapping[str, Any]) -> dict[str, Any]:
        token, args = what["token"], what["args"]
        if token == "pulumi:pulumi:getResource":  # noqa: S105 - a function's name
            found = self.of(args["urn"])
            if found is None:
                raise RefusedRequestError(f"unknown resource {args['urn']}")
            return {"result": {"urn": args["urn"], "id": found.id, "state": dict(found.outputs)}}
        provider = what["provider"]
        if not provider and not token.startswith("pulumi:"):
            provider = self._default_provider(token, what["version"])
        result = self._maker.invoke(token, args, provider, self)
        if result is None:
            self.unanswered.append(token)
        return {} if result is None else {"result": dict(result)}

    def _outputs(self, what: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            before = self._made[what["urn"]]
            self._made[what["urn"]] = Made(before.asked, before.id, what["outputs"])
        return {}

    def _log(self, what: Mapping[str, Any]) -> dict[str, Any]:
        if what["severity"] == "error":
            self.errors.append(what["message"])
        if what["severity"] != "debug":
            self._say(what["severity"], what["message"])
        return {}

    def _asked(self, what: Mapping[str, Any], *, custom: bool, external: bool = False) -> Asked:
        type, provider = what["type"], what["provider"]
        if custom and not provider and not type.startswith("pulumi:"):
            provider = self._default_provider(type, what["version"])
        above = self.of(what["parent"])
        protect, retain = what.get("protect"), what.get("retainOnDelete")
        urn, ignored = self._urn(what["parent"], type, what["name"]), tuple(what.get("ignoreChanges") or ())
        return Asked(
            urn=urn,
            type=type,
            name=what["name"],
            custom=custom,
            inputs=_with_old(what["inputs"], self.there[urn], ignored) if urn in self.there else what["inputs"],
            provider=provider,
            parent=what["parent"],
            protect=protect if protect is not None else bool(above and above.asked.protect),
            retain_on_delete=retain if retain is not None else bool(above and above.asked.retain_on_delete),
            import_id=what.get("importId") or "",
            dependencies=tuple(sorted(what["dependencies"])),
            property_dependencies={
                key: tuple(sorted(urns)) for key, urns in (what.get("propertyDependencies") or {}).items()
            },
            secret_outputs=tuple(what.get("secretOutputs") or ()),
            ignore_changes=ignored,
            external=external,
        )

    def _urn(self, parent: str, type: str, name: str) -> str:
        """With the types of the parents but the stack: https://www.pulumi.com/docs/iac/concepts/resources/names/#urns."""
        above = parent.split("::")[2] if parent else ""
        return f"{self._scope}{type if above in ('', STACK) else f'{above}${type}'}::{name}"

    def _default_provider(self, token: str, version: str) -> str:
        """The reference of the provider that a package has for resources without one; made when it is first needed."""
        package = token.partition(":")[0]
        disabled = self.config.get(_DISABLED, "")
        if f'"{package}"' in disabled or '"*"' in disabled:
            raise RefusedRequestError(
                f"Default provider for '{package}' disabled. '{token}' must use an explicit provider."
            )
        name = f"default_{version.replace('.', '_')}" if version else "default"
        urn = self._urn("", PROVIDERS + package, name)
        with self._lock:
            if urn not in self._made:
                own = f"{package}:"
                inputs = {key.removeprefix(own): text for key, text in self.config.items() if key.startswith(own)}
                asked = Asked(
                    urn, PROVIDERS + package, name, True, {**inputs, **({"version": version} if version else {})}
                )
                self._made[urn] = Made(asked, *self._maker.make(asked, self))
            return f"{urn}::{self._made[urn].id}"


def resource(made: Made, shown: Container[str], run: Run) -> Resource:
    """A resource as the rules read it; `shown` are the URNs that they see, `run` is the program's."""
    asked = made.asked
    inputs = plain(asked.inputs)
    code = whole_code(inputs.get(PROVIDER_CODE), run.folder)
    return Resource(
        urn=asked.urn,
        type=asked.type,
        name=asked.name,
        inputs=inputs | code,
        outputs=plain(made.outputs) | code | ({"id": made.id} if made.id and asked.custom else {}),
        provider=asked.provider.rpartition("::")[0] or None,
        parent=asked.parent or None,
        dependencies=tuple(urn for urn in asked.dependencies if urn in shown),
        property_dependencies={
            key: tuple(urn for urn in urns if urn in shown or is_stack_reference(urn))
            for key, urns in asked.property_dependencies.items()
        },
        protect=asked.protect,
        secrets=secrets((*asked.inputs.items(), *made.outputs.items())),
        autoname=run.naming(asked.type, asked.name),
    )


def _with_old(inputs: Mapping[str, Any], there: Resource, ignored: tuple[str, ...]) -> Mapping[str, Any]:
    """The inputs as the engine hands them on: what `ignoreChanges` names is as the state has it, or not there.

    https://www.pulumi.com/docs/iac/concepts/options/ignorechanges/
    """
    old = on_wire({key: value for key, value in (there.inputs or {}).items() if not key.startswith("__")})
    for path in ignored:
        inputs = _put_back(inputs, old, ["".join(step) for step in _STEPS.findall(path)])
    return inputs


def _put_back(new: Any, old: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 - JSON
    """A value with what lies at a path as it was; `*` stands for each place (seen with CLI 3.274.1).

    https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties_path.go
    """
    first, rest = path[0], path[1:]
    if isinstance(new, list) and isinstance(old, list):
        there = {place for place in range(len(old)) if first in ("*", str(place))}
        return [(_put_back(one, old[n], rest) if rest else old[n]) if n in there else one for n, one in enumerate(new)]
    if not isinstance(new, Mapping) or (first == "*" and not isinstance(old, Mapping)):
        return new
    back, was = dict(new), old if isinstance(old, Mapping) else {}
    for key in (new.keys() | was.keys()) if first == "*" else (first,):
        if rest:
            back |= {key: _put_back(new[key], was.get(key), rest)} if key in new else {}
        elif key in was:
            back[key] = was[key]
        else:
            back.pop(key, None)
    return back
