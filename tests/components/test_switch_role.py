"""Links for switching roles: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from components.switch_role import switch_role_url


def test_a_link_names_account_role_display_name_and_colour() -> None:
    url = urlsplit(
        switch_role_url("222222222222", "deploy/developer", display_name="stage developer", environment="stage")
    )
    assert (url.scheme, url.netloc, url.path) == ("https", "signin.aws.amazon.com", "/switchrole")
    assert parse_qs(url.query) == {
        "account": ["222222222222"],
        "roleName": ["deploy/developer"],
        "displayName": ["stage developer"],
        "color": ["FAD791"],
    }


@pytest.mark.parametrize(
    ("environment", "colour"),
    [("prod", "F2B0A9"), ("prod-001", "F2B0A9"), ("stage", "FAD791"), ("elsewhere", "99BCE3")],
)
def test_colours_tell_environments_apart(environment: str, colour: str) -> None:
    assert f"color={colour}" in switch_role_url("222222222222", "r", display_name="d", environment=environment)


def test_a_display_name_is_cut_to_the_64_characters_of_the_console() -> None:
    url = switch_role_url("222222222222", "r", display_name="x" * 70, environment="dev")
    assert parse_qs(urlsplit(url).query)["displayName"] == ["x" * 64]


def test_another_partition_has_another_host() -> None:
    url = switch_role_url("222222222222", "r", display_name="d", environment="dev", partition="aws-us-gov")
    assert urlsplit(url).netloc == "signin.amazonaws-us-gov.com"
