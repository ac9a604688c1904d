"""The page of links: one link per door, by person, self-contained, and nothing in it can be anything but text."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
from click.testing import CliRunner

from tests.profiles.doors import MANAGEMENT, PROD, STAGE, door, outputs, write
from tests.profiles.test_ways import identity_center
from twokeys.errors import Refusal
from twokeys.profiles.commands import profiles


class _Page(HTMLParser):
    """What a browser would see: tags with their attributes, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> list[str]:
        return [str(each["href"]) for tag, each in self.tags if tag == "a" and not str(each["href"]).startswith("#")]


def page(tmp_path: Path, *contents: dict[str, Any], arguments: tuple[str, ...] = ()) -> _Page:
    file = tmp_path / "ways.html"
    states = [part for i, each in enumerate(contents) for part in ("--state", write(tmp_path, f"{i}.json", each))]
    result = CliRunner().invoke(profiles, ["page", str(file), *states, *arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return _Page(file.read_text())


def test_each_door_has_a_link_to_the_console_s_switch_role_page(tmp_path: Path) -> None:
    link = f"https://signin.aws.amazon.com/switchrole?account={STAGE}&roleName=reader&displayName=stage&color=FAD791"
    exported = outputs(door("stage-reader"), door("prod-admin", role="ops/admin", target=PROD), switch_role_urls=[link])
    found = page(tmp_path, exported)
    assert link in found.links
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_permissions-to-switch.html
    other = next(each for each in found.links if each != link)
    assert urlsplit(other).path == "/switchrole"
    assert parse_qs(urlsplit(other).query) == {
        "account": [PROD],
        "roleName": ["ops/admin"],
        "displayName": ["prod-admin"],
    }
    assert ("li", {"style": "--door: #FAD791"}) in found.tags


def test_a_door_that_the_console_cannot_take_has_no_link_and_says_why(tmp_path: Path) -> None:
    closed = {"expires": "2026-01-31T15:00Z"}
    found = page(tmp_path, outputs(door("a", external_id="x-1", **closed), door("b", kind="role", names=("ci",))))
    assert found.links == []
    assert "external ID" in found.text
    assert "closed since 2026-01-31 15:00 UTC" in found.text
    assert f"arn:aws:iam::{STAGE}:role/reader" in found.text


def test_identity_center_doors_lead_to_its_start_page(tmp_path: Path) -> None:
    assert page(tmp_path, identity_center()).links == ["https://d-1234567890.awsapps.com/start"] * 2


def test_one_person_s_page_has_only_their_doors(tmp_path: Path) -> None:
    exported = outputs(door("a"), door("b", names=("bob",), target=PROD))
    found = page(tmp_path, exported, arguments=("--person", "bob"))
    assert len(found.links) == 1
    assert PROD in found.links[0]
    with pytest.raises(Refusal, match=r"no user is called eve.*the users there are ada, bob"):
        page(tmp_path, exported, arguments=("--person", "eve"))
    with pytest.raises(click.UsageError, match="person is empty"):
        page(tmp_path, exported, arguments=("--person", ""))


def test_whatever_an_export_says_stays_text(tmp_path: Path) -> None:
    evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&lt;"
    exported = outputs(
        door(evil, names=(evil,), reason=evil, owner=evil),
        member_account_ids={evil: STAGE},
        switch_role_urls={
            evil: f"https://signin.aws.amazon.com/switchrole?account={STAGE}&roleName=reader&color={evil}"
        },
    )
    found = page(tmp_path, exported, arguments=("--title", evil))
    assert {tag for tag, _ in found.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "small"),
        *("nav", "p", "section", "ul", "li", "a", "div", "strong", "wbr"),
    }
    assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)
    assert found.text.count(evil) >= 5


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    found = page(tmp_path, outputs(door("a")))
    assert not any(
        attributes.keys() & {"src", "srcset", "data"} or tag in ("link", "script") for tag, attributes in found.tags
    )
    policy = next(each["content"] for tag, each in found.tags if each.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'")
    assert "url(" not in (tmp_path / "ways.html").read_text()


def test_json_says_what_was_written(tmp_path: Path) -> None:
    state = write(tmp_path, "s.json", outputs(door("a"), door("b", names=("bob",))))
    result = CliRunner().invoke(profiles, ["page", str(tmp_path / "p.html"), "--state", state, "--json"])
    assert json.loads(result.output) == {"file": str(tmp_path / "p.html"), "bearers": 2, "doors": 2}


def test_group_members_who_are_known_have_a_heading_each(tmp_path: Path) -> None:
    users = [f"arn:aws:iam::{MANAGEMENT}:user/{name}" for name in ("ada", "bob")]
    found = page(tmp_path, outputs(door("a", kind="group", names=("developers",), trusted=users)))
    assert len([tag for tag, _ in found.tags if tag == "h2"]) == 2
