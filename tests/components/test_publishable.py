"""Pulumi's own component analyzer takes every component, so that each can be published for other languages.

https://www.pulumi.com/docs/iac/guides/building-extending/components/build-a-component/
"""

from __future__ import annotations

import inspect

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from components.cross_account_access import CrossAccountAccess
from components.member_account import MemberAccount
from components.organization import Organization
from components.people import People

# The analyzer reads the plugin's version from a file that it leaves open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file.*pulumi-plugin.json:ResourceWarning")

COMPONENTS: list[type[pulumi.ComponentResource]] = [CrossAccountAccess, MemberAccount, Organization, People]


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_analyzer_accepts_the_component_and_finds_its_words(component: type[pulumi.ComponentResource]) -> None:
    found = Analyzer("twokeys").analyze([component])["component_definitions"][component.__name__]
    assert found.description
    assert found.outputs
    undescribed = [name for name, each in {**found.inputs, **found.outputs}.items() if not each.description]
    assert undescribed == []


def test_all_components_together_are_one_package() -> None:
    found = Analyzer("twokeys").analyze(COMPONENTS)
    assert set(found["component_definitions"]) == {each.__name__ for each in COMPONENTS}


def test_no_component_was_forgotten() -> None:
    from components import accounts

    used = {each for _, each in inspect.getmembers(accounts, inspect.isclass)}
    components = {each for each in used if issubclass(each, pulumi.ComponentResource)}
    assert components <= set(COMPONENTS)
    assert all(len(inspect.signature(each.__init__).parameters) == 4 for each in COMPONENTS)
