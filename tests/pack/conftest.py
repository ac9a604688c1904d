"""The pack looks in the working directory's project for the state before."""

import os

import pytest


@pytest.fixture(autouse=True)
def _in_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(os.environ["HOME"])
