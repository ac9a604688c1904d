"""Our block in somebody's config file: every other byte stays, and botocore reads what we wrote.

Format: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
"""

from pathlib import Path
from typing import Any

import pytest
from botocore.configloader import load_config
from hypothesis import given
from hypothesis import strategies as st

from twokeys.errors import Refusal
from twokeys.profiles.awsconfig import Section, by_hand, profiles_in, rewrite, sso_sessions_in

# The examples of the page above, with comments, nested settings and every kind of section.
DOCUMENTED = """\
# mine
[default]
region = us-west-2
output = json

[profile user1]
region=us-east-1
s3 =
  max_concurrent_requests = 20
  max_queue_size = 10000
; another comment

[sso-session my-sso]
sso_region = us-east-1
sso_start_url = https://my-sso-portal.awsapps.com/start

[services testing-s3]
s3 =
  endpoint_url = http://localhost:4567

[plugins]
cli_legacy_plugin_path = /x
"""


def profile(name: str, role: str = "reader") -> Section:
    return Section(
        "profile", name, (("role_arn", f"arn:aws:iam::222222222222:role/{role}"), ("source_profile", "default"))
    )


def parsed(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "config"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    return dict(load_config(str(file)))


def put(text: str, *sections: Section, block: str = "doors") -> str:
    return rewrite(text, block, sections, "config").text


def test_botocore_reads_our_profiles_and_everything_that_was_there(tmp_path: Path) -> None:
    before, after = parsed(tmp_path, DOCUMENTED), parsed(tmp_path, put(DOCUMENTED, profile("stage"), profile("prod")))
    ours = {"role_arn": "arn:aws:iam::222222222222:role/reader", "source_profile": "default"}
    assert after["profiles"] == {**before["profiles"], "stage": ours, "prod": ours}
    assert {key: after[key] for key in before if key != "profiles"} == {
        key: before[key] for key in before if key != "profiles"
    }


def test_every_byte_outside_of_the_block_stays_and_taking_the_block_away_gives_the_file_back() -> None:
    written = put(DOCUMENTED, profile("stage"))
    assert written.startswith(f"{DOCUMENTED}\n# >>> twokeys")  # an empty line before it, which goes with it
    assert put(written) == DOCUMENTED
    assert put(written, profile("stage")) == written


def test_a_block_in_the_middle_stays_in_its_place() -> None:
    written = put(DOCUMENTED, profile("stage")) + "\n[profile later]\nregion = eu-west-1\n"
    again = put(written, profile("prod"))
    assert again.endswith("\n[profile later]\nregion = eu-west-1\n")
    assert again.startswith(DOCUMENTED)
    assert put(again) == DOCUMENTED + "\n[profile later]\nregion = eu-west-1\n"


def test_profiles_stand_in_the_order_of_their_names() -> None:
    text = put("", profile("b"), profile("a"))
    assert text.index("[profile a]") < text.index("[profile b]")


def test_two_blocks_do_not_touch_each_other() -> None:
    both = put(put("", profile("a"), block="one"), profile("b"), block="two")
    assert put(both, block="two") == put("", profile("a"), block="one")
    assert put(both, block="one") == "\n" + put("", profile("b"), block="two")  # its empty line is its own


def test_a_file_with_windows_line_ends_keeps_them() -> None:
    text = DOCUMENTED.replace("\n", "\r\n")
    written = put(text, profile("stage"))
    assert "\n" not in written.replace("\r\n", "")
    assert put(written) == text


def test_a_last_line_without_its_end_gets_one_so_that_the_block_stands_alone(tmp_path: Path) -> None:
    written = put("[default]\nregion = us-west-2", profile("stage"))
    assert written.startswith("[default]\nregion = us-west-2\n\n#")
    assert parsed(tmp_path, written)["profiles"]["default"] == {"region": "us-west-2"}


def test_a_profile_of_the_same_name_that_is_not_ours_is_refused() -> None:
    for header in ("[profile stage]", '[profile "stage"]', "[profile   stage]"):
        with pytest.raises(Refusal) as refused:
            put(f"{header}\nregion = us-west-2\n", profile("stage"))
        assert (refused.value.what, refused.value.where) == ("profile stage is already there", "config")
        assert "--prefix" in refused.value.next_step
    with pytest.raises(Refusal, match="profile a and sso-session b are already there"):
        put("[profile a]\n[sso-session b]\n", profile("a"), Section("sso-session", "b", ()), profile("c"))
    with pytest.raises(Refusal, match="already there"):
        put(put("", profile("a"), block="one"), profile("a"), block="two")


def test_an_sso_session_that_the_file_has_is_found_and_not_written_twice() -> None:
    ours = Section("sso-session", "twokeys", (("sso_region", "us-east-1"),))
    written = put(DOCUMENTED, ours)
    assert sso_sessions_in(written, "config").keys() == {"my-sso", "twokeys"}
    assert sso_sessions_in(by_hand(written), "config").keys() == {"my-sso"}
    with pytest.raises(Refusal, match="sso-session my-sso is already there"):
        put(DOCUMENTED, Section("sso-session", "my-sso", (("sso_region", "us-east-1"),)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[profile a]\nx = 1\n[profile a]\n", r"line 3 begins \[profile a\] a second time"),
        ("[profile a]\nx = 1\nx = 2\n", r"line 3 sets x of \[profile a\] a second time"),
        ("region = us-west-2\n", "line 1 belongs to no section"),
        ("[profile a]\naws_secret_access_key\n", "line 2 is not a setting"),
        ("[profile a]\naws_secret_access_key = caf\udce9\n", "line 2 is not UTF-8"),
        ("\ufeff[default]\n", "line 1 belongs to no section: it begins with a byte order mark"),
    ],
)
def test_a_file_that_the_aws_cli_cannot_read_is_refused_without_showing_its_lines(text: str, why: str) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        put(text, profile("stage"))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "# >>> twokeys doors >>>\n[profile a]\n",
        "# <<< twokeys doors <<<\n",
        "# >>> twokeys doors >>>\n# >>> twokeys doors >>>\n# <<< twokeys doors <<<\n",
        "# >>> twokeys doors >>>\n# <<< twokeys other <<<\n# <<< twokeys doors <<<\n",
        "# >>> twokeys doors >>>\n# <<< twokeys doors <<<\n" * 2,
    ],
)
def test_markers_that_do_not_pair_are_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(Refusal, match=r"block|marker"):
        put(text, profile("stage"))


def test_settings_below_the_block_that_would_belong_to_it_are_refused() -> None:
    written = put("[default]\n", profile("stage")) + "region = us-west-2\n"
    for sections in ((), (profile("stage"),), (profile("other"),)):
        with pytest.raises(Refusal, match="follow our block"):
            put(written, *sections)


@pytest.mark.parametrize("value", ["two words", "x\n[profile evil]", "x\rregion = y", "", "ü", "a\u2028b", "a # b"])
def test_a_value_that_could_be_more_than_a_value_is_refused(value: str) -> None:
    with pytest.raises(Refusal, match="one word of printable ASCII"):
        put("", Section("profile", "a", (("external_id", value),)))


@pytest.mark.parametrize("name", ["default", "two words", "x]\n[profile evil", 'a"b', "", "ü"])
def test_a_name_that_not_every_parser_reads_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="cannot name"):
        put("", profile(name))


# Whatever stands in a file, as long as the AWS CLI can read it: comments, odd separators, blank and continued lines.
_lines = st.sampled_from(
    ["", "# c", "; c", "  ", "\t", "x = 1", "y=2", "z : 3", "s3 =", "  k = v", "[profile {}]", "[default]", "[DEFAULT]",
     "# >>> not ours >>>", "w = \x0b\x1c\u2028 q", "[sso-session {}]"]
)  # fmt: skip


@given(lines=st.lists(_lines, max_size=12), end=st.sampled_from(["\n", "\r\n"]), closed=st.booleans())
def test_any_readable_file_is_given_back_byte_for_byte(lines: list[str], end: str, closed: bool) -> None:
    text = end.join(line.format(index) for index, line in enumerate(lines)) + (end if closed else "")
    try:
        before = profiles_in(text, "config")
        written = put(text, profile("ours"), profile("theirs"))
    except Refusal:
        return
    assert written.startswith(text)
    assert {name: settings for name, settings in profiles_in(written, "config").items() if name in before} == before
    assert put(written) in (text, text + "\n", text + "\r\n")
    assert put(written, profile("ours"), profile("theirs")) == written
