"""A snapshot from a state (what `pulumi stack export` prints, a deployment file, a local checkpoint), or from a plan.

Format: https://www.pulumi.com/docs/iac/concepts/state-and-backends/; the engine writes deployments of version 3, and of
version 4 where one uses a feature that older engines do not have (`sdk/go/common/apitype/core.go`).
"""

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from twokeys.access.reading.since import NOT_KNOWN, Since
from twokeys.access.reading.snapshot import (
    PROVIDER,
    STACK,
    Evidence,
    Pending,
    Resource,
    Snapshot,
    mapping,
    project_of,
    stack_of,
)
from twokeys.access.reading.type_names import ACCOUNT, ROLE
from twokeys.access.reading.wire import properties, secrets
from twokeys.errors import Refusal

_VERSIONS = (3, 4)
_PARTS_OF_A_URN = 3
_GZIP = b"\x1f\x8b"
"""How a compressed checkpoint begins (PULUMI_DIY_BACKEND_GZIP): https://www.pulumi.com/docs/iac/cli/environment-variables/"""
_CLOCKS = timedelta(hours=1)
"""How far the clocks of two machines may lie apart."""
_DATES = ("created", "modified")
_AWS_DATES = {ROLE: "createDate", ACCOUNT: "joinedTimestamp"}
_MAKING = timedelta(hours=1)
"""How long after AWS made something the engine may date it that made it, with its retries."""
_SHOWS_NOTHING = frozenset({STACK, PROVIDER})


def read_state(path: Path, *, may_be_empty: bool = False) -> Snapshot:
    """The snapshot of a state file.

    Raises Refusal when the file cannot be read, is no state, or shows no resource at all: from a state of nothing,
    everything would seem closed. `may_be_empty` is for those who do not ask that, as of a stack's very first update.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == _GZIP else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        not_utf8 = "it is not text in UTF-8; `>` in Windows PowerShell writes UTF-16"
        raise Refusal(
            "the state cannot be read",
            where=str(path),
            why=not_utf8 if isinstance(error, UnicodeDecodeError) else str(error),
            next_step="name a file that `pulumi stack export --file FILE` wrote",
        ) from error
    snapshot = parse_state(text, origin=str(path))
    (read,) = snapshot.evidence
    if read.moment and read.moment > datetime.now(UTC) + _CLOCKS:
        raise Refusal(
            "this state is of the future",
            where=str(path),
            why=f"its manifest says that it was written at {read.time}, so nothing tells of when it is",
            next_step="set the clock of the machine that runs the updates, refresh the stack, and export it again",
        )
    read = replace(read, name=path.name, sha256=hashlib.sha256(data).hexdigest())
    snapshot = replace(snapshot, evidence=(read,))
    if may_be_empty or snapshot.pending or any(one.type not in _SHOWS_NOTHING for one in snapshot.resources):
        return snapshot
    raise Refusal(
        "this state shows nothing",
        where=str(path),
        why="it holds no resource, so nothing can be shown to be closed by it: an update is under way or was stopped,"
        " or the stack is empty",
        next_step="wait for the update to end, export the state of the stack you mean with `pulumi stack export --stack"
        " STACK --file FILE`, or leave this file out if its stack really is empty",
    )


def parse_state(text: str, origin: str = "this state") -> Snapshot:
    """The snapshot of a state given as JSON text.

    A resource that waits to be deleted (`delete`) is there still, also beside the one that replaces it; one that was
    deleted to be replaced (`pendingReplacement`) is not. What an operation was creating or updating when the engine was
    stopped is `pending`. Secrets are UNKNOWN unless the state shows them in plain text (`--show-secrets`).
    Raises Refusal when the text is no state.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_state(origin, f"it is not JSON: {error}") from error
    if isinstance(document, dict) and "terraform_version" in document:
        raise Refusal(
            "this is a Terraform state",
            where=origin,
            why="only states of Pulumi are read here",
            next_step="read what is in AWS instead with `twokeys access check --live`, or name a file that"
            " `pulumi stack export --file FILE` wrote",
        )
    if not isinstance(document, dict) or "version" not in document or not {"deployment", "checkpoint"} & set(document):
        raise _no_state(origin, "it has no `version` beside a `deployment` or a `checkpoint`")
    version = document["version"]
    try:
        deployment = document["deployment"] if "deployment" in document else document["checkpoint"].get("latest")
        deployment = deployment or {}
        if version in _VERSIONS and not isinstance(version, bool):
            resources = tuple(_resources(deployment.get("resources") or []))
            operations = deployment.get("pending_operations") or []
            pending = tuple(_pending(operations))
            unfinished = tuple(dict.fromkeys(str(stack_of(one["resource"]["urn"])) for one in operations))
            written = mapping(deployment.get("manifest")).get("time")
            stack = project_of(resources[0].urn) if resources else None
            read = Evidence(origin, written if isinstance(written, str) else None, stack=stack)
            return Snapshot(resources, origin, pending, is_state=True, evidence=(read,), unfinished=unfinished)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_state(origin, f"one of its resources is not as the engine writes it: {error}") from error
    raise Refusal(
        "this state cannot be read",
        where=origin,
        why=f"it is a deployment of version {version!r}; {' and '.join(map(str, _VERSIONS))} are known here",
        next_step="export it with the pulumi CLI that this version of TwoKeys names, or use a newer TwoKeys",
    )


def _no_state(origin: str, why: str) -> Refusal:
    next_step = "export the state again with `pulumi stack export --file FILE`"
    return Refusal("this is no state", where=origin, why=why, next_step=next_step)


def _resources(resources: Sequence[Mapping[str, Any]]) -> Iterator[Resource]:
    """Every resource that is there. Replaced ones share the URN of what replaces them, so theirs is marked.

    A resource names its provider with its id: one that a replaced provider made is in that one's account.
    """
    earlier: Counter[str] = Counter()
    replaced: dict[str, str] = {}
    unmarked = [found for found in resources if _is_older(found) and not found.get("importID")]
    imported = max(filter(None, (_moment(found.get("created")) for found in unmarked)), default=None)
    for found in resources:
        if found.get("pendingReplacement"):
            continue
        urn = str(found["urn"])
        if found.get("delete"):
            earlier[urn] += 1
            urn += f"#waits-to-be-deleted-{earlier[urn]}"
            replaced[f"{found['urn']}::{found.get('id')}"] = urn
        yield _resource(found, urn, replaced, imported)


def _pending(operations: Iterable[Mapping[str, Any]]) -> Iterator[Pending]:
    """A resource that is being deleted stands among the others still, and one that is being read changes nothing."""
    for operation in operations:
        resource = _resource(operation["resource"], operation["resource"]["urn"])
        kind = operation["type"]
        if kind in ("creating", "updating", "importing"):
            yield Pending(kind, resource)
        elif kind not in ("deleting", "reading"):
            raise ValueError(f"{kind!r} is no known operation")


def _resource(
    found: Mapping[str, Any],
    urn: str,
    replaced: Mapping[str, str] = MappingProxyType({}),
    imported: datetime | None = None,
) -> Resource:
    _check_shape(found)
    provider = found.get("provider") or ""
    inputs, outputs = found.get("inputs") or {}, found.get("outputs") or {}
    id = {"id": found["id"]} if found.get("id") and found["type"].startswith("aws:") else {}
    return Resource(
        urn=urn,
        type=found["type"],
        name=found["urn"].rpartition("::")[2],
        inputs=properties(inputs),
        outputs=properties(id | outputs),
        provider=replaced.get(provider) or provider.rpartition("::")[0] or None,
        parent=found.get("parent") or None,
        property_dependencies={
            key: tuple(urns) for key, urns in (found.get("propertyDependencies") or {}).items() if urns
        },
        protect=bool(found.get("protect")),
        stays=bool(found.get("external") or found.get("retainOnDelete")),
        source=_file_and_line(found.get("sourcePosition")),
        since=_since(found, imported),
        secrets=secrets((*inputs.items(), *outputs.items())),
        made_by=found["urn"] if urn != found["urn"] else None,
    )


def _check_shape(found: Mapping[str, Any]) -> None:
    """Raises TypeError or ValueError where a resource is not as `ResourceV3` says."""
    behind = (found.get("propertyDependencies") or {}).values()
    texts = [found["urn"], found["type"], *(urn for urns in behind for urn in urns or ())]
    texts += [found.get(key) or "" for key in ("parent", *_DATES)]
    if not all(isinstance(one, str) for one in texts) or found["urn"].count("::") < _PARTS_OF_A_URN:
        raise TypeError(f"a resource has no URN, or what should be text is none: {str(found['urn'])[:100]}")


def _since(found: Mapping[str, Any], imported: datetime | None) -> Since:
    """Since when it is as the state has it; `modified` is also that of a tag, and of a refresh that saw a change.

    `created` is when it came into the state, which of what was imported tells nothing of AWS. `pulumi import` leaves no
    mark: until a moment after `imported` that is how anything may have come that AWS does not date.
    https://github.com/pulumi/pulumi/blob/v3.274.1/sdk/go/common/apitype/core.go (ResourceV3) and
    https://github.com/pulumi/pulumi/blob/v3.274.1/pkg/resource/deploy/step.go (CreateStep, ImportStep, RefreshStep)
    """
    created, modified = map(_moment, map(found.get, _DATES))
    made, last = _made_at_aws(found), modified or created
    if found["type"] == ACCOUNT:  # its name and its tags open nothing
        last = modified = made or created
    among = created is not None and imported is not None and created - imported < _MAKING
    if _is_older(found) or (made is None and (among or found.get("importID"))):
        return Since(made, last)
    first = made or created
    if first is None or last is None:
        return Since(first, last)
    return Since(first, first if modified in (None, created) else max(first, last))


def _made_at_aws(found: Mapping[str, Any]) -> datetime | None:
    """When AWS made it, of the few things of which AWS's provider says so."""
    said = mapping(found.get("outputs")).get(_AWS_DATES.get(found.get("type", ""), ""))
    try:
        return _moment(said) if isinstance(said, str) else None
    except ValueError:  # what only the provider writes
        return None


def _is_older(found: Mapping[str, Any]) -> bool:
    """Whether it was in AWS before it came into the state: it was imported."""
    made, created = _made_at_aws(found), _moment(found.get("created"))
    return made is not None and created is not None and created - made > _MAKING


def _moment(time: str | None) -> datetime | None:
    """A time of the engine's. Raises ValueError where it is none, or does not tell its zone."""
    moment = datetime.fromisoformat(time) if time else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError(f"{time!r} is no time with its zone")
    return moment


def _file_and_line(position: str | None) -> str | None:
    """`project:///__main__.py#12,3` as `__main__.py:12`."""
    if not position:
        return None
    file, _, line = position.removeprefix("project:///").partition("#")
    return f"{file}:{line.partition(',')[0]}" if line else file


def read_plan(path: Path, before: Snapshot) -> Snapshot:
    """The snapshot that a plan leads to.

    A plan holds what changes of each resource's inputs, and the outputs that the preview expects; the rest is in the
    state `before`. Raises Refusal when the file is no plan.
    """
    try:
        data = path.read_bytes()
        document = json.loads(data.decode())
        resources = tuple(_planned(document["resourcePlans"], before))
        written = mapping(document.get("manifest")).get("time")
        time = written if isinstance(written, str) else None
        read = Evidence(path.name, time, hashlib.sha256(data).hexdigest())
        return Snapshot(resources, origin=f"plan {path}", evidence=(*before.evidence, read))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal(
            "this is no update plan",
            where=str(path),
            why=str(error) if isinstance(error, OSError | ValueError) else "it has no resourcePlans that can be read",
            next_step="write one with `pulumi preview --save-plan FILE`",
        ) from error


def _planned(plans: Mapping[str, Any], before: Snapshot) -> Iterator[Resource]:
    for urn, plan in plans.items():
        goal = plan.get("goal")
        if goal is None:
            continue
        old = before.by_urn.get(urn)
        change = goal.get("inputDiff") or {}
        inputs = dict(old.inputs or {}) if old else {}
        for key in change.get("deletes") or ():
            inputs.pop(key, None)
        inputs |= properties({**(change.get("adds") or {}), **(change.get("updates") or {})})
        yield Resource(
            urn=urn,
            type=goal["type"],
            name=goal["name"],
            inputs=inputs,
            outputs=properties(plan.get("state") or {}),
            provider=(goal.get("provider") or "").rpartition("::")[0] or None,
            parent=goal.get("parent") or None,
            property_dependencies={
                key: tuple(urns) for key, urns in (goal.get("propertyDependencies") or {}).items() if urns
            },
            protect=bool(goal.get("protect")),
            since=old.since if old and plan.get("steps") == ["same"] else NOT_KNOWN,
        )
