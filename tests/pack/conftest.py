"""The pack looks in the working directory's project for the state before."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _in_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(os.environ["HOME"])
