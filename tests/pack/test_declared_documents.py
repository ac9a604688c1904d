"""`twokeys.declared`: a program of one's own says in preview what its documents will be.

JSON made from a value that is not known is unknown as a whole:
https://www.pulumi.com/docs/iac/concepts/inputs-outputs/all/#outputs-and-json
"""

import re
import textwrap
from pathlib import Path

import pytest

from twokeys.pack.deferral import DEFERRED
from twokeys.preview.program import judge, preview

pytestmark = pytest.mark.usefixtures("programs_in_process")
ATTACKS = Path(__file__).with_name("attacks")


def rules(program: str, monkeypatch: pytest.MonkeyPatch, project_root: Path) -> list[str]:
    """What the first preview of a program finds, on the SDK's mocks."""
    monkeypatch.setenv("PROGRAM", program)
    monkeypatch.setenv("STEP", "1")
    monkeypatch.setenv("PYTHONPATH", str(project_root))
    verdicts = judge(preview(ATTACKS, "dev", project="attacks"))
    return sorted({one.rule for one in (*verdicts.mandatory, *verdicts.advisory)})


@pytest.mark.parametrize(
    ("program", "found"),
    [("fine_late_keys", [DEFERRED]), ("fine_declared_documents", []), ("declared_half", ["door-needs-grant"])],
)
def test_preview_proves_a_declared_document_and_leaves_another_to_the_update(
    program: str, found: list[str], monkeypatch: pytest.MonkeyPatch, project_root: Path
) -> None:
    assert rules(program, monkeypatch, project_root) == found


@pytest.mark.parametrize(("role", "found"), [("deploy", []), ("deployer", ["door-needs-grant", "door-needs-trust"])])
def test_a_new_account_and_the_door_into_it_are_proved_in_one_preview_as_the_docs_write_them(
    role: str, found: list[str], project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (project_root / "docs/declared-documents.md").read_text()
    (program,) = re.findall(r"^  ```python\n(.*?)^  ```", page, re.MULTILINE | re.DOTALL)
    changed = textwrap.dedent(program).replace("account:shop:role/deploy", f"account:shop:role/{role}")
    (tmp_path / "__main__.py").write_text(changed)
    monkeypatch.setenv("PYTHONPATH", str(project_root))
    verdicts = judge(preview(tmp_path, "dev", project="shop"))
    assert sorted(one.rule for one in (*verdicts.mandatory, *verdicts.advisory)) == found


@pytest.mark.parametrize(("program", "found"), [
    ("fine_roles_for_service_accounts", [DEFERRED]),
    ("fine_replication_into_another_account", []),
    pytest.param("fine_function_with_a_queue", [DEFERRED], marks=pytest.mark.long),
    pytest.param("fine_containers", [DEFERRED], marks=pytest.mark.long),
    pytest.param("fine_state_machine", [DEFERRED], marks=pytest.mark.long),
    pytest.param("fine_accepted_third_party", ["third-party-named"], marks=pytest.mark.long),
])  # fmt: skip
def test_an_ordinary_program_is_told_what_is_left_to_the_update_and_no_more(
    program: str, found: list[str], monkeypatch: pytest.MonkeyPatch, project_root: Path
) -> None:
    assert rules(program, monkeypatch, project_root) == found
