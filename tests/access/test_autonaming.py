"""https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming-configuration"""

import json
from typing import Any

import pytest

from tests.access.world import TYPES
from twokeys.access.reading.autonaming import Autonaming

VERBATIM, PATTERN = {"mode": "verbatim"}, {"pattern": "${project}-${stack}-${name}"}


@pytest.mark.parametrize(("given", "name"), [
    ("", None),
    ("[]", None),
    ({"mode": "default"}, None),
    (VERBATIM, "task"),
    ({"mode": "disabled"}, None),
    ({"pattern": "${stack}-${hex(8)}"}, None),
    ({**PATTERN, "enforce": True}, "shop-stage-task"),
    ({"pattern": "${organization}/${name}-${config.team}"}, "acme/task-ops"),
    ({"pattern": "${name}-${config.missing}"}, None),
    ({"pattern": "${hex(2)}${name}-${alphanum(3)}${string(1)}.${num(4)}"}, "??task-????.????"),
    ({"pattern": "${name}-${uuid}"}, "task-????????-????-????-????-????????????"),
    ({**PATTERN, "providers": {"gcp": VERBATIM}}, "shop-stage-task"),
    ({**PATTERN, "providers": {"aws": VERBATIM}}, "task"),
    ({**PATTERN, "providers": {"aws": {"mode": "default"}}}, None),
    ({"providers": {"aws": {**PATTERN, "resources": {TYPES["Role"]: VERBATIM}}}}, "task"),
    ({"providers": {"aws": {**PATTERN, "resources": {TYPES["User"]: VERBATIM}}}}, "shop-stage-task"),
])  # fmt: skip
def test_a_name_is_made_as_the_nearest_section_says(given: Any, name: str | None) -> None:
    """As the engine resolves it: pkg/resource/autonaming/strategy.go of pulumi 3.274.1."""
    config = {"pulumi:autonaming": given if isinstance(given, str) else json.dumps(given), "shop:team": "ops"}
    naming = Autonaming(config, organization="acme", project="shop", stack="stage")
    assert naming(TYPES["Role"], "task") == name
