"""Pulumi's own component analyzer takes every component, so that each can be published for other languages.

https://www.pulumi.com/docs/iac/guides/building-extending/components/build-a-component/
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from components.account_baseline import AccountBaseline
from components.account_budget import AccountBudget
from components.audit_trail import AuditTrail
from components.bill import Bill
from components.break_glass import BreakGlass
from components.cross_account_access import CrossAccountAccess
from components.delegation import Delegation
from components.identity_center import IdentityCenter
from components.identity_center_access import IdentityCenterAccess
from components.member_account import MemberAccount
from components.organization import Organization
from components.organization_grant import OrganizationGrant
from components.other_stack import OtherStack
from components.people import People
from components.private_bucket import PrivateBucket

# The analyzer reads the plugin's version from a file that it leaves open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file.*pulumi-plugin.json:ResourceWarning")

COMPONENTS: list[type[pulumi.ComponentResource]] = [
    AccountBaseline,
    AccountBudget,
    AuditTrail,
    Bill,
    BreakGlass,
    CrossAccountAccess,
    Delegation,
    IdentityCenter,
    IdentityCenterAccess,
    MemberAccount,
    Organization,
    OrganizationGrant,
    OtherStack,
    People,
    PrivateBucket,
]


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


def test_no_component_was_forgotten(project_root: Path) -> None:
    made = set()
    for file in (project_root / "components").glob("*.py"):
        for _, each in inspect.getmembers(importlib.import_module(f"components.{file.stem}"), inspect.isclass):
            if issubclass(each, pulumi.ComponentResource) and each.__module__.startswith("components."):
                made.add(each)
    assert made == set(COMPONENTS)
    assert all(len(inspect.signature(each.__init__).parameters) == 4 for each in COMPONENTS)
