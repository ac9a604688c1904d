"""The same stacks with the pulumi CLI, through the Automation API, against the same local AWS."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pulumi import automation
from pulumi.automation.errors import CommandError

from twokeys.errors import Refusal
from twokeys.project.config import read_mapping
from twokeys.project.stack_yaml import dumped
from twokeys.sandbox.engine.events import Diagnostic, Event, Op, Report, Severity, Step, StepDone, Violation
from twokeys.sandbox.engine.policy_host import PackChoice
from twokeys.sandbox.engine.resource import PROVIDER_PREFIX, urn_type
from twokeys.sandbox.engine.run import Outcome
from twokeys.sandbox.engine.values import Properties, Secret
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.stack import Sandbox

# One replacement is several steps of the CLI; the one that makes the new object stands for it.
_OPS: Final = {
    "same": Op.SAME,
    "create": Op.CREATE,
    "update": Op.UPDATE,
    "create-replacement": Op.REPLACE,
    "delete-replaced": Op.DELETE_REPLACED,
    "delete": Op.DELETE,
    "read": Op.READ,
    "discard": Op.DISCARD,
    "import": Op.IMPORT,
}
_NOT_MIRRORED: Final = ("Pulumi.yaml", "pyproject.toml", ".venv", ".git", ".twokeys")
_SEVERITIES: Final = {
    "debug": Severity.DEBUG,
    "info": Severity.INFO,
    "info#err": Severity.INFO,
    "warning": Severity.WARNING,
    "error": Severity.ERROR,
}


@dataclass(frozen=True)
class PulumiStack:
    """One stack on the real engine; state and passphrase are the sandbox's own, in its folder."""

    sandbox: Sandbox
    name: str
    aws: LocalAws
    packs: tuple[PackChoice, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    parallel: int = 8

    def preview(self, report: Report) -> Outcome:
        """`pulumi preview`.

        Raises:
            Refusal: the CLI or the aws plugin is not installed.
        """
        with TemporaryDirectory() as folder:
            stack = self._open()
            packs, configs = pack_files(self.packs, Path(folder))
            return ended(
                stack,
                lambda: stack.preview(
                    policy_packs=packs,
                    policy_pack_configs=configs,
                    parallel=self.parallel,
                    on_event=relay(report),
                ),
                report,
            )

    def up(self, report: Report) -> Outcome:
        """`pulumi up`. Raises as `preview`."""
        with TemporaryDirectory() as folder:
            stack = self._open()
            packs, configs = pack_files(self.packs, Path(folder))
            return ended(
                stack,
                lambda: stack.up(
                    policy_packs=packs,
                    policy_pack_configs=configs,
                    parallel=self.parallel,
                    on_event=relay(report),
                ),
                report,
            )

    def destroy(self, report: Report, *, force_unprotect: bool = False) -> Outcome:
        """`pulumi destroy`; with `force_unprotect` after `pulumi state unprotect --all`. Raises as `preview`."""
        stack = self._open()
        if force_unprotect:
            environment = self._environment()
            command = [cli(), "state", "unprotect", "--all", "--yes", "--stack", self.name]
            subprocess.run(command, cwd=self._mirror, env=environment, check=True, capture_output=True)  # noqa: S603
        return ended(
            stack,
            lambda: stack.destroy(parallel=self.parallel, on_event=relay(report)),
            report,
        )

    def refresh(self, report: Report, *, preview: bool = False, targets: tuple[str, ...] = ()) -> Outcome:
        """`pulumi refresh`, or `pulumi refresh --preview-only`. Raises as `preview`."""
        stack = self._open()
        refresh = stack.preview_refresh if preview else stack.refresh
        return ended(
            stack,
            lambda: refresh(target=list(targets) or None, parallel=self.parallel, on_event=relay(report)),
            report,
        )

    def move(self, destination: str, urns: tuple[str, ...]) -> str:
        """`pulumi state move` to another stack, and what it said.

        That command copies providers and takes no name of one, so a provider that is named is deleted from this
        stack's state afterwards, unless something here still needs it.

        Raises:
            Refusal: as `preview`; also when the CLI refuses the move.
        """
        self._open()
        replace(self, name=destination)._open()
        return move_with_cli(self.name, destination, urns, self._mirror, self._environment())

    def _state(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [cli(), "state", *arguments]
        return subprocess.run(  # noqa: S603 - the CLI that the user installed
            command, cwd=self._mirror, env=self._environment(), check=False, capture_output=True, text=True
        )

    @property
    def _backend(self) -> Path:
        return self.sandbox.directory / "pulumi" / "backend"

    @property
    def _mirror(self) -> Path:
        return self.sandbox.directory / "pulumi" / "project"

    def _open(self) -> automation.Stack:
        cli()
        self._backend.mkdir(parents=True, exist_ok=True)
        self._reflect()
        options = automation.LocalWorkspaceOptions(work_dir=str(self._mirror), env_vars=self._environment())
        stack = automation.create_or_select_stack(self.name, work_dir=str(self._mirror), opts=options)
        installed = {plugin.name for plugin in stack.workspace.list_plugins()}
        if "aws" not in installed and shutil.which("pulumi-resource-aws") is None:
            raise missing("the aws plugin", "run `pulumi plugin install resource aws`")
        for key, value in self.overrides.items():
            stack.set_config(key, automation.ConfigValue(value))
        return stack

    def _reflect(self) -> None:
        """Make the mirror: links to everything in the project, but project and stack files of our own.

        The CLI writes into the stack's file, and the salt that it finds there belongs to another passphrase. Without
        pyproject.toml it installs nothing: the program runs in the environment that this command runs in.
        """
        root = self.sandbox.project.root
        self._mirror.mkdir(parents=True, exist_ok=True)
        for path in root.iterdir():
            link = self._mirror / path.name
            if path.name not in _NOT_MIRRORED and path != self.sandbox.directory and not os.path.lexists(link):
                link.symlink_to(path)
        project = read_mapping(root / "Pulumi.yaml")
        project["runtime"] = {"name": "python", "options": {"toolchain": "uv", "virtualenv": sys.prefix}}
        stack_file = self.sandbox.project.stack_file(self.name)
        settings = read_mapping(stack_file)
        self._own("Pulumi.yaml", project)
        self._own(stack_file.name, {key: value for key, value in settings.items() if key == "config"})

    def _own(self, name: str, data: Mapping[str, object]) -> None:
        """A file of the mirror in place of a link; what a link leads to is never written."""
        path = self._mirror / name
        path.unlink(missing_ok=True)
        path.write_text(dumped(data), encoding="utf-8")

    def _environment(self) -> dict[str, str]:
        return {
            **self.sandbox.environment(self.aws),
            "PULUMI_BACKEND_URL": self._backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "sandbox",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }


def pack_files(packs: Iterable[PackChoice], folder: Path) -> tuple[list[str], list[str]]:
    """The packs and their configurations, written into `folder`, as the CLI takes them."""
    chosen, configs = list(packs), []
    for index, pack in enumerate(chosen):
        path = folder / f"{index}.json"
        path.write_text(json.dumps(dict(pack.config)), encoding="utf-8")
        configs.append(str(path))
    return [str(pack.directory) for pack in chosen], configs


def move_with_cli(
    source: str, destination: str, urns: Iterable[str], folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """`pulumi state move`, and what it said; both stacks must exist.

    It copies providers and takes no name of one, so a provider that is named is deleted from the source's state
    afterwards, unless something there still needs it.

    Raises:
        Refusal: the CLI refuses the move.
    """

    def state(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the CLI that the user installed
            [cli(), "state", *arguments], cwd=folder, env=environment, check=False, capture_output=True, text=True
        )

    named = list(urns)
    providers = [urn for urn in named if urn_type(urn).startswith(PROVIDER_PREFIX)]
    others = [urn for urn in named if urn not in providers]
    moved = state("move", "--source", source, "--dest", destination, "--yes", *others)
    if moved.returncode:
        raise Refusal(
            "the resources cannot be moved",
            where=f"stack {source}",
            why=(moved.stderr or moved.stdout).strip(),
            next_step="name URNs as they stand in the state of the source (`pulumi stack --show-urns`)",
        )
    for urn in providers:
        state("delete", urn, "--stack", source, "--yes")
    return moved.stdout.strip()


def ended(stack: automation.Stack, operate: Callable[[], object], report: Report) -> Outcome:
    """What came of an operation of the CLI; that it failed is reported as an event."""
    try:
        operate()
        ok = True
    except CommandError as error:
        ok = False
        report(Diagnostic(Severity.ERROR, f"the pulumi CLI failed: {error}"))
    outputs: Properties = {
        key: Secret(output.value) if output.secret else output.value for key, output in stack.outputs().items()
    }
    return Outcome(ok, outputs, ())


def relay(report: Report) -> Callable[[automation.EngineEvent], None]:
    """Passes events on; the CLI says a component's end twice, when it is registered and when its outputs are."""
    ended: set[tuple[Op, str]] = set()

    def once(event: Event) -> None:
        if isinstance(event, StepDone):
            if (event.step.op, event.step.urn) in ended:
                return
            ended.add((event.step.op, event.step.urn))
        report(event)

    return lambda event: _pass_on(event, once)


def _pass_on(event: automation.EngineEvent, report: Report) -> None:
    """One event of the CLI in the words of ours; what ours has no word for is not shown."""
    if event.diagnostic_event is not None:
        one = event.diagnostic_event
        severity = _SEVERITIES.get(one.severity, Severity.INFO)
        report(Diagnostic(severity, _without_colour(one.message), one.urn or ""))
    elif event.policy_event is not None:
        policy = event.policy_event
        report(
            Violation(
                policy=policy.policy_name,
                pack=policy.policy_pack_name,
                mandatory=policy.enforcement_level == "mandatory",
                message=_without_colour(policy.message),
                urn=policy.resource_urn or "",
            )
        )
    elif event.res_outputs_event is not None:
        metadata = event.res_outputs_event.metadata
        op = _OPS.get(str(getattr(metadata.op, "value", metadata.op)))
        if op is not None:
            old, new = metadata.old, metadata.new
            known = new or old
            step = Step(
                op,
                metadata.urn,
                metadata.type,
                id=known.id if known else "",
                changed=tuple(metadata.diffs or ()),
                replaces=tuple(metadata.keys or ()),
                old=dict(old.inputs or {}) if old else None,
                new=dict(new.inputs or {}) if new else None,
            )
            report(StepDone(step, 0.0))


def _without_colour(text: str) -> str:
    return re.sub(r"<\{%.*?%\}>", "", text).strip()


def cli() -> str:
    """The path of the pulumi CLI. Raises Refusal when it is not installed."""
    path = shutil.which("pulumi")
    if path is None:
        raise missing("the pulumi CLI", "see https://www.pulumi.com/docs/iac/download-install/")
    return path


def missing(what: str, how: str) -> Refusal:
    """The refusal of a stack for which something is not installed."""
    return Refusal(
        "the stack cannot be run with --engine pulumi",
        where="PATH",
        why=f"{what} is not installed",
        next_step=f"{how}; or say --engine sandbox, which needs neither",
    )
