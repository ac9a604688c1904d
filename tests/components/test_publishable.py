"""Pulumi's own component analyzer takes the components that `components/__main__.py` serves to other languages.

https://www.pulumi.com/docs/iac/guides/building-extending/components/build-a-component/
"""

import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.provider import experimental
from pulumi.provider.experimental.analyzer import Analyzer


# The analyzer reads the plugin's version from a file that it leaves open.
@pytest.mark.filterwarnings("ignore:unclosed file.*pulumi-plugin.json:ResourceWarning")
def test_the_analyzer_accepts_what_is_served_and_finds_its_words(
    project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[type[pulumi.ComponentResource]] = []

    def host(*, name: str, components: Any) -> None:
        assert name == "twokeys"
        served.extend(components)

    monkeypatch.setattr(experimental, "component_provider_host", host)
    runpy.run_path(str(project_root / "components/__main__.py"), run_name="__main__")
    found = Analyzer("twokeys").analyze(served)["component_definitions"]
    assert set(found) == {"CrossAccountAccess", "OtherStack"}
    for name, one in found.items():
        assert one.description
        assert one.outputs
        silent = [each for each, value in {**one.inputs, **one.outputs}.items() if not value.description]
        assert not silent, f"write a docstring under each of {silent} of {name} in components/: other languages show it"
