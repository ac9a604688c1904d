"""YAML as people keep stack files: in the order given, without anchors, with ids that stay text for every reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

# libyaml where PyYAML was built with it: ten times as fast, and an environment of 1,000 accounts is a megabyte of YAML.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


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
