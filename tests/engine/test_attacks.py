"""`twokeys preview` refuses the attack programs that the real preview refuses, in the same words."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pack.real_engine import PATH, RealEngine
from tests.pack.test_attacks import IN_PREVIEW, WITH_WHAT_AWS_HAS
from twokeys.preview.program import judge, preview
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.pulumi_events import run

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
ATTACKS = Path(__file__).parents[1] / "pack" / "attacks"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealEngine]:
    folder = tmp_path_factory.mktemp("attacks")
    program = folder / "program"
    shutil.copytree(ATTACKS, program)
    with LocalAws.start(folder / "aws") as aws:
        made = RealEngine(folder, program, aws, PATH)
        made.make_access_roles()
        assert made.run("stack", "init", program="").code == 0
        yield made


ALIKE = {
    "everyone_with_an_external_id",
    "outsider",
    "outsider_among_ours",
    "grant_without_trust",
    "wildcard_grant",
    "wildcard_in_a_managed_policy",
}
"""Documents that the engine shows as it shows those of another program here; they are previewed with `-m long`."""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(one, marks=[pytest.mark.long] if one in ALIKE else [])
        for one in IN_PREVIEW
        if one not in WITH_WHAT_AWS_HAS
    ],
)
def test_both_previews_find_the_same(
    program: str, engine: RealEngine, project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGRAM", program)
    monkeypatch.setenv("STEP", "1")
    monkeypatch.setenv("PYTHONPATH", str(project_root))
    verdicts = judge(preview(ATTACKS, "dev", project="attacks"))
    assert verdicts.mandatory, "this program opens an account"
    pack = str(project_root / "policies")  # given as an option, it would stand in the commands of next steps
    real = run(
        Path(shutil.which("pulumi", path=PATH) or "pulumi"),
        ["preview", "--stack", "dev"],
        engine.folder / "program",
        {**engine.environment, "PROGRAM": program, "STEP": "1", "PULUMI_OPTION_POLICY_PACK": pack},
    )
    assert real.code != 0
    found = {(rule, text.partition("\n")[2]) for rule, level, text in real.violations if level == "mandatory"}
    assert found == {(one.rule, one.text) for one in verdicts.mandatory}
