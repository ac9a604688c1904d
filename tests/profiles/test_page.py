"""The page of links: one link per door of a person, self-contained, and nothing in it can be anything but text.

What the console takes: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
from click.testing import CliRunner

from tests.profiles.doors import MANAGEMENT, PROD, STAGE, door, outputs, write
from tests.profiles.test_ways import identity_center
from twokeys.access.graph import build
from twokeys.access.reading.snapshot import Snapshot
from twokeys.access.reading.state import read_state
from twokeys.answers.published import published
from twokeys.answers.reading import read
from twokeys.errors import Refusal
from twokeys.exports import read_exports
from twokeys.iam.leaves import texts
from twokeys.profiles.commands import profiles


class _Page(HTMLParser):
    """What a browser would see: tags with their attributes, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        links = [str(each["href"]) for tag, each in self.tags if tag == "a"]
        self.sign_in = [each for each in links if each.endswith("/console")]
        self.links = [each for each in links if each not in self.sign_in]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(folder: Path, content: dict[str, Any], *arguments: str, person: str = "ada") -> _Page:
    file, state = folder / "ways.html", write(folder, "s.json", content)
    given = ("--person", person, "--page", str(file), "--state", state, *arguments)
    CliRunner().invoke(profiles, given, standalone_mode=False, catch_exceptions=False)
    return _Page(file.read_text())


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "signin.aws.amazon.com"),
        ("aws-cn", "signin.amazonaws.cn"),
        ("aws-us-gov", "signin.amazonaws-us-gov.com"),
    ],
)
def test_each_door_has_a_link_to_the_switch_role_page_of_its_partition(
    tmp_path: Path, config: Path, partition: str, host: str
) -> None:
    long = "d" * 70  # the display name has at most 64 characters
    found = page(tmp_path, outputs(door(long, role="ops/admin", target=PROD, partition=partition)))
    (link,) = map(urlsplit, found.links)
    assert (link.scheme, link.netloc, link.path) == ("https", host, "/switchrole")
    query = {"account": [PROD], "roleName": ["ops/admin"], "displayName": [long[:64]], "color": ["F2B0A9"]}
    assert parse_qs(link.query) == query
    assert not config.exists()


def test_the_colours_are_those_of_the_links_that_the_stacks_export_also_from_a_file_of_doors(
    tmp_path: Path, project_root: Path
) -> None:
    states = [project_root / "tests/map/states" / f"{name}.json" for name in ("management", "stage", "prod")]
    exported = {
        (query["account"][0], query["roleName"][0]): query["color"]
        for state in states[1:]
        for url in texts(read_exports(str(state)).outputs["switch_role_urls"])
        for query in [parse_qs(urlsplit(url).query)]
    }
    file = tmp_path / "doors.html"
    doors = write(
        tmp_path, "doors.json", published(read(build(Snapshot.together(list(map(read_state, states)), "three"))))
    )
    for given in (["--from", doors], [part for state in states for part in ("--state", str(state))]):
        arguments = ["--person", "alice", "--page", str(file), *given]
        CliRunner().invoke(profiles, arguments, standalone_mode=False, catch_exceptions=False)
        shown = _Page(file.read_text())
        assert "The doors are as of " in shown.text
        assert shown.text.count("permits: read") == 2
        queries = [parse_qs(urlsplit(link).query) for link in shown.links]
        linked = {(query["account"][0], query["roleName"][0]): query["color"] for query in queries}
        assert linked.keys() & exported.keys()
        assert linked.items() >= {key: exported[key] for key in linked.keys() & exported.keys()}.items()


def test_an_account_s_own_environment_colours_it_whatever_its_name(tmp_path: Path) -> None:
    told = {"member_account_ids": {"payments": STAGE}, "member_account_environments": {"payments": "prod"}}
    assert parse_qs(urlsplit(page(tmp_path, outputs(door("a")) | told).links[0]).query)["color"] == ["F2B0A9"]


def test_a_door_behind_a_role_is_there_without_a_link(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html (original credentials)"""
    behind = door("b", kind="role", names=("reader",), target=PROD)
    behind["door"]["source"]["account"] = STAGE
    found = page(tmp_path, outputs(door("a"), behind))
    assert len(found.links) == 1
    assert "behind a: twokeys console b" in found.text
    written = (tmp_path / "ways.html").read_text()
    assert "<code><span>twokeys</span> <span>console</span> <span>b</span></code>" in written  # each word stays whole
    assert "amazon.<wbr>com/<wbr>console</a>" in written  # an address is parted where a name may be
    assert [tag for tag, _ in found.tags].count("code") == 1


def test_a_role_whose_path_and_name_are_longer_than_the_console_takes_has_no_link(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage.html (64 characters, with the path)"""
    longest = f"{'p' * 50}/{'r' * 12}"
    found = page(tmp_path, outputs(door("a", role=longest), door("b", role=f"{longest}r"), door("c", role="r" * 64)))
    assert [parse_qs(urlsplit(link).query)["roleName"] for link in found.links] == [[longest], ["r" * 64]]
    assert "its role is longer than such a link takes: twokeys console b" in found.text


def test_a_file_that_is_no_such_page_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "ways.html").write_text("[default]\n")
    with pytest.raises(Refusal, match="is no page of ways in"):
        page(tmp_path, outputs(door("a")))
    (tmp_path / "ways.html").unlink()
    assert page(tmp_path, outputs(door("a"))).tags == page(tmp_path, outputs(door("a"))).tags


def test_what_a_door_asks_of_where_a_session_is_and_the_pause_it_is_in_stand_on_its_card(tmp_path: Path) -> None:
    office = {"mfa": False, "externalId": False, "conditions": ["aws:SourceIp IpAddress 203.0.113.0/24"]}
    pauses = [["2021-01-01T00:00:00Z", "2999-01-01T00:00:00Z"]]
    found = page(tmp_path, outputs(door("a", requires=office), door("b", role="b", pauses=pauses)))
    assert len(found.links) == 1
    assert "only from 203.0.113.0/24" in found.text
    assert "opens 2999-01-01" in found.text


def test_a_permission_set_leads_to_the_access_portal_and_to_nothing_that_is_no_web_page(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/createshortcutlink.html"""
    link = f"/#/console?account_id={STAGE}&role_name=ReadOnly"
    assert page(tmp_path, identity_center()).links == [f"https://d-1234567890.awsapps.com/start{link}"]
    assert "Sign in to the AWS console first" not in page(tmp_path, identity_center()).text
    for portal in ("https://acme.awsapps.com/start", "https://acme.awsapps.com/start/#/"):
        shown = page(tmp_path, identity_center(), "--sso-start-url", portal)
        assert shown.links == [f"https://acme.awsapps.com/start{link}"]
    assert page(tmp_path, identity_center(), "--sso-start-url", "javascript:alert(1)").links == []


def test_a_page_takes_no_option_of_profiles(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="leave out --prefix and --dry-run"):
        page(tmp_path, outputs(door("a")), "--dry-run", "--prefix", "x-")
    state = write(tmp_path, "s.json", outputs(door("a", kind="role", names=("ci",))))
    done = CliRunner().invoke(profiles, ["--role", "ci", "--page", str(tmp_path / "p.html"), "--state", state])
    assert (done.exit_code, "leave out --role" in done.output) == (2, True)


def test_whatever_an_export_says_stays_text_and_the_page_loads_nothing(tmp_path: Path) -> None:
    evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&lt;"
    exported = outputs(
        door(evil, names=(evil,), reason=evil, owner=evil, trusted=[f"arn:aws:iam::{MANAGEMENT}:root"]),
        member_account_ids={evil: STAGE},
        member_account_environments={evil: evil},
    )
    found = page(tmp_path, exported, person=evil)
    assert {tag for tag, _ in found.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "h1"),
        *("p", "ul", "li", "a", "div", "strong", "span", "wbr"),
    }
    names = {name for _, attributes in found.tags for name in attributes}
    assert not names & {"src", "srcset", "data"}
    assert not any(name.startswith("on") for name in names)
    assert found.text.count(evil) >= 3  # the account, the reason and the owner
    policy = next(each["content"] for tag, each in found.tags if each.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'")
    assert "url(" not in (tmp_path / "ways.html").read_text()


def test_a_page_says_of_when_it_is_and_what_is_closed_and_can_be_printed(tmp_path: Path) -> None:
    shut = door("b", role="b", expires="2026-01-31T15:00Z", owner="platform")
    later = door("d", role="d", opens="2999-01-31T15:00Z")
    told = outputs(
        door("a", permits="read", mfa=True),
        shut,
        later,
        door("c", names=("bob",)),
        door("e", role="e", external_id="x-1", mfa=True),
        as_of="2026-11-28T06:30:12+00:00",
        group_members={"g": ["eve"]},
    )
    given = ["--from", write(tmp_path, "doors.json", told), "--page"]
    done = CliRunner().invoke(profiles, ["--person", "ada", *given, str(tmp_path / "p.html")])
    assert done.stdout == f"{tmp_path / 'p.html'}: 1 link to doors of ada; 3 without one say why\n"
    assert "doors.json is as of 2026-11-28 06:30 UTC" in done.stderr
    printed = CliRunner().invoke(profiles, ["--person", "ada", *given, "-"]).stdout
    assert printed == (tmp_path / "p.html").read_text()
    assert "The doors are as of 2026-11-28 06:30 UTC." in _Page(printed).text
    said = (
        "permits: read",
        "sign in to the console with MFA",
        "console e --external-id",
        "with MFA, with an external ID",
        "closed since 2026-01-31 15:00 UTC: ask its owner (platform)",
        "opens 2999-01-31 15:00 UTC",
    )
    assert [each for each in said if each not in _Page(printed).text] == []
    assert "until 2026" not in _Page(printed).text
    assert not re.search(r"code \{[^}]*display: block", printed), "a command in a sentence begins no new line"
    assert _Page(printed).text.count("sign in to the console with MFA") == 1, "where no link leads there, one does not"
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_sign-in.html
    assert _Page(printed).sign_in == [f"https://{MANAGEMENT}.signin.aws.amazon.com/console"]
    nobody = CliRunner().invoke(profiles, ["--person", "eve", *given, str(tmp_path / "p.html")])
    assert "0 links to doors of eve\n" in nobody.stdout
    helps = "here is no door of theirs in this file: ask whoever runs the stacks for one"
    assert helps in nobody.stderr
    assert helps in _Page((tmp_path / "p.html").read_text()).text
    while_it_is_open = outputs(door("a", expires="2999-01-31T15:00Z"))
    assert "until 2999-01-31 15:00 UTC" in page(tmp_path, while_it_is_open).text


def test_json_says_what_was_written_of_one_person_s_doors(tmp_path: Path) -> None:
    state, file = write(tmp_path, "s.json", outputs(door("a"), door("b", names=("bob",)))), str(tmp_path / "p.html")
    result = CliRunner().invoke(profiles, ["--person", "ada", "--page", file, "--state", state, "--json"])
    told = json.loads(result.stdout)
    assert (told["file"], [way["declared"]["name"] for way in told["ways"]]) == (file, ["a"])
    assert len(_Page(Path(file).read_text()).links) == 1
