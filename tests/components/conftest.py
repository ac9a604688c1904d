"""Components run on the SDK's mock monitor, where every access role can be assumed at once unless a test says so."""

import pytest

from components import readiness
from components.readiness import AccessRole


@pytest.fixture(autouse=True)
def tried_roles(monkeypatch: pytest.MonkeyPatch) -> list[AccessRole]:
    """The access roles that were tried, all of them assumable."""
    tried: list[AccessRole] = []

    async def assumable(role: AccessRole) -> None:
        tried.append(role)

    monkeypatch.setattr(readiness, "assume", assumable)
    return tried
