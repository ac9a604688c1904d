"""Hermetic by default: no home directory, no credentials, no network but loopback."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import HealthCheck, settings

from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_box import place_plugins

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_ENGINE = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Tests marked `engine` get a pulumi CLI and its plugins on PATH; without a CLI the run ends here, and loudly."""
    chosen = str(config.option.markexpr)
    if "engine" not in chosen or "not engine" in chosen:
        return
    pulumi = find_pulumi()
    if pulumi is None:
        raise pytest.UsageError("-m engine needs the pulumi CLI: `twokeys sandbox get-pulumi`, then this again")
    folder = tempfile.TemporaryDirectory(prefix="plugins-")
    config.stash[_ENGINE] = folder
    path = os.pathsep.join((str(pulumi.parent), os.environ.get("PATH", os.defpath)))
    place_plugins(Path(folder.name), pulumi, path)
    os.environ["PATH"] = os.pathsep.join((folder.name, path))


_LONG_FILES = (
    "fleet/test_engine.py",
    "engine/test_single_changes.py",
    "pack/test_attacks.py",
    "fleet/test_recovery.py",
    "map/test_page.py",
    "iam/test_properties.py",
    "sandbox/test_commands.py",
    "sandbox/test_attacks.py",
    "sandbox/aws/test_local_aws.py",
    "organization/test_taking_over.py",
    "components/test_program.py",
    "fleet/test_executors.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first: one worker takes a whole file, and the last one should not wait for it alone."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(_LONG_FILES))


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_ENGINE, None)
    if folder is not None:
        folder.cleanup()


# No test is timed, and none hangs on chance: the same examples each time. `--hypothesis-profile=search` draws others.
_PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("search", deadline=None, suppress_health_check=_PATIENT, max_examples=5000)
settings.register_profile("repeatable", deadline=None, suppress_health_check=_PATIENT, derandomize=True)
settings.load_profile("repeatable")

os.environ.pop("COLUMNS", None)  # pytest-xdist sets it in its workers, and fixtures of a module copy what they see

_CLOUD_VARIABLES = ("AWS_", "PULUMI_", "TWOKEYS_")


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder for each test; pytest's own `mktemp` lists all that there are to number the next."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _no_home_no_cloud(monkeypatch: pytest.MonkeyPatch, _homes: Iterator[Path]) -> None:
    for name in list(os.environ):
        if name.startswith(_CLOUD_VARIABLES):
            monkeypatch.delenv(name)
    home = next(_homes)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SHELL", "/bin/sh")  # which a next step is written for
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "no-credentials"))
    # The session that boto3 keeps for everybody holds the credentials of whichever test asked first.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """A run in the background inherits an ignored Ctrl-C, and with it every process that a test starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}: tests talk to loopback only")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_BROWSER_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real browser for the pages that we write."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # a busy machine is no reason to fail; 5 s by default
    program = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.fail("the page is tested in a real browser and none is here: on Debian, `apt-get install chromium`")
    environment: dict[str, str | float | bool] = {
        "HOME": str(tmp_path_factory.mktemp("browser")),
        "PATH": "/usr/bin:/bin",
    }
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=_BROWSER_FLAGS, env=environment)
        yield running
        running.close()


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout that the tests run in."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def programs_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of stacks run in this process, where a test is not about their own."""
    from tests import in_process
    from twokeys.preview import program
    from twokeys.sandbox import up

    for module in (program, up):
        monkeypatch.setattr(module, "run_in_process", in_process.run_in_process)
