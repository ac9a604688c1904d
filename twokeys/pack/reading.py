"""Turns what the engine shows a policy into plain resources.

The protocol is Pulumi's `Analyzer` (https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto). Values
are read from it once, whatever the number of rules, and one that is not known yet becomes `twokeys.iam.UNKNOWN` instead
of an error.
"""

import ast
import base64
import pickletools
import re
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from twokeys.access.model.makes_iam import CODE_BY_VALUE
from twokeys.access.model.not_read import PROVIDER_CODE
from twokeys.access.reading.autonaming import Autonaming
from twokeys.access.reading.snapshot import STACK_REFERENCE, Resource, is_stack_reference
from twokeys.access.reading.wire import properties, secrets
from twokeys.doors import OTHER_STACK

_CALLS_OUT = re.compile(rb"\bboto|\bsubprocess\b|\bos\.system\b")


def asked_for(request: Any, naming: Autonaming) -> Resource:  # noqa: ANN401 - AnalyzeRequest
    """A resource in the resource phase: what the program asks for, after the provider has checked it."""
    options, given = request.options, MessageToDict(request.properties)
    return Resource(
        urn=request.urn,
        type=request.type,
        name=request.name,
        inputs=properties(given),
        provider=request.provider.urn or None,
        parent=options.parent or None,
        # What a property is made from is told in the stack phase only, which judges whether another stack says so.
        property_dependencies={"outputs": (f"::{STACK_REFERENCE}::",)} if request.type == OTHER_STACK else {},
        protect=options.protect,
        secrets=secrets(given.items()),
        autoname=naming(request.type, request.name),
    )


def dynamic_code(request: Any) -> dict[str, object]:  # noqa: ANN401 - AnalyzeRequest
    """The code of a dynamic provider, as an input: the engine shows it where it asks for remediation, and nowhere else.

    The engine runs a pack in the program's folder. Other resources have no such input.
    """
    shown = PROVIDER_CODE in request.properties.fields
    return whole_code(properties(MessageToDict(request.properties))[PROVIDER_CODE], Path()) if shown else {}


def whole_code(code: object, folder: Path) -> dict[str, object]:
    """The code of a dynamic provider with that of its modules, as an input; nothing where it is no code.

    Python's SDK only names what is not in the program's main file: a class's module is read from that folder, and what
    that imports of the program and calls AWS or runs commands.
    """
    if not isinstance(code, str):
        return {}
    try:
        pickled = base64.b64decode(code, validate=True)
        named = [text for _, text, _ in pickletools.genops(pickled) if isinstance(text, str)]
    except ValueError:  # JavaScript
        return {PROVIDER_CODE: code}
    by_value = CODE_BY_VALUE in pickled
    waiting = [file for name in (named if by_value else named[:1]) for file in _files(name, folder)]
    own, read = set() if by_value else {*waiting}, set()
    while waiting:
        file = waiting.pop()
        text = file.read_bytes()
        pickled += text if file in own or _CALLS_OUT.search(text) else b""
        read.add(file)
        waiting += {*_imported(text, file, folder)} - read
    return {PROVIDER_CODE: base64.b64encode(pickled).decode()}


def _files(module: str, folder: Path) -> list[Path]:
    """The file of a module in a folder, if it is there."""
    path = folder.joinpath(*module.split("."))
    return [file for file in (path.parent / f"{path.name}.py", path / "__init__.py") if file.is_file()]


def _imported(text: bytes, file: Path, folder: Path) -> Iterator[Path]:
    """The files of the program that one of them imports."""
    try:
        parsed = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):  # it cannot be imported either
        return
    for node in parsed:
        if isinstance(node, ast.Import):
            yield from (found for one in node.names for found in _files(one.name, folder))
        elif isinstance(node, ast.ImportFrom):
            base = file.parents[min(node.level, len(file.parents)) - 1] if node.level else folder
            module = node.module or ""
            names = [module, *(f"{module}.{one.name}".strip(".") for one in node.names)]
            yield from (found for name in filter(None, names) for found in _files(name, base))


def settled(found: Any, asked: Resource | None, shown: Set[str], naming: Autonaming) -> Resource:  # noqa: ANN401 - AnalyzerResource
    """A resource in the stack phase: what came of it, and what was asked for where this operation showed that.

    `shown` are the URNs of all resources that the engine shows. What the program only reads is not among them, but
    for that it is named as what a property depends on; a stack reference is read by what repeats it.
    """
    behind = {key: tuple(one.urns) for key, one in found.propertyDependencies.items()}
    came = MessageToDict(found.properties)
    return Resource(
        urn=found.urn,
        type=found.type,
        name=found.name,
        inputs=asked.inputs if asked else None,
        outputs=properties(came),
        provider=found.provider.urn or None,
        parent=found.parent or None,
        dependencies=tuple(found.dependencies),
        property_dependencies=behind,
        protect=found.options.protect,
        secrets=secrets(came.items()) | (asked.secrets if asked else frozenset()),
        made_from_hidden=frozenset(
            key for key, urns in behind.items() if any(urn not in shown and not is_stack_reference(urn) for urn in urns)
        ),
        autoname=naming(found.type, found.name),
    )


def provider_of(request: Any) -> Resource | None:  # noqa: ANN401 - AnalyzeRequest or AnalyzerResource
    """The provider that a resource is made with: the engine tells it beside the resource."""
    if not request.HasField("provider"):
        return None
    provider = request.provider
    return Resource(provider.urn, provider.type, provider.name, inputs=properties(MessageToDict(provider.properties)))


def is_left_out(message: Any, asked: Resource | None) -> bool:  # noqa: ANN401 - either of the two messages
    """Whether a resource is neither made by this operation nor there: `--target` and `--exclude` leave it out.

    The engine then has nothing to show of it, while every resource that a provider makes has some input.
    """
    return message.HasField("provider") and not message.properties.fields and not (asked and asked.inputs)
