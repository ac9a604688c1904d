"""The list of public programs: a run has to fetch the same ones wherever and whenever it is made."""

import re
from collections import Counter

from tests.pack.corpus.run import programs


def test_each_program_is_listed_once_at_a_whole_commit_in_a_language_that_the_run_knows() -> None:
    listed = programs()
    assert [
        place for place, times in Counter((one.repository, one.folder) for one in listed).items() if times > 1
    ] == []
    assert [one.folder for one in listed if not re.fullmatch("[0-9a-f]{40}", one.commit)] == []
    assert {one.language for one in listed} == {"python", "nodejs", "yaml"}
    assert [setting for one in listed for setting in one.config if not re.fullmatch(r"[\w.-]+:\w+=.*", setting)] == []
