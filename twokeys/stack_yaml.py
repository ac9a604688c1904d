"""YAML as people keep stack files: in the order given, no key twice, with ids that stay text for every reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

# libyaml where PyYAML was built with it: ten times as fast, and an environment of 1,000 accounts is a megabyte of YAML.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_MERGE = "tag:yaml.org,2002:merge"


class Loader(_LOADER):  # type: ignore[misc] # which base it is depends on libyaml
    """Safe, and no key twice in a mapping: PyYAML would drop the first, an account, say; the pulumi CLI refuses it."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: ANN401 - PyYAML's signature
        """The mapping. Raises ConstructorError, a YAMLError, when a key stands in it twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != _MERGE and isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"the key {key.value!r} stands twice in one mapping"
                    raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def loaded(text: str) -> Any:  # noqa: ANN401 - any YAML
    """What a YAML text says. Raises yaml.YAMLError for what is no YAML, and for a key that stands twice."""
    return yaml.load(text, Loader=Loader)  # noqa: S506 - it is a safe loader


class _Dumper(_BASE):  # type: ignore[misc] # which base it is depends on libyaml
    """No anchors: what stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's signature
        return True


def _text(dumper: Any, text: str) -> yaml.ScalarNode:  # noqa: ANN401 - as above
    # Whatever might be a number to some reader of YAML is none: an account's id may begin with zeros.
    style = '"' if text[:1].isdigit() else None
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


_Dumper.add_representer(str, _text)


def dumped(value: Mapping[str, Any], *, width: int = 120) -> str:
    """The YAML of a mapping, with lines of about that width."""
    text: str = yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)
    return text
