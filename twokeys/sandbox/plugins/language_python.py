"""`pulumi-language-python`: runs Python programs and policy packs for the pulumi CLI where the vendor's is not there.

The protocol is https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto: the CLI starts this process,
reads a port from the first line of its output, and asks it to run the program or a pack. Both run in the interpreter
that `runtime.options.virtualenv` names, or of the nearest `.venv`, or in this one. Nothing is installed here and no
package is announced: a program's resources name their plugins themselves.
"""

# ruff: noqa: N802, ANN401, ARG002 - the names and signatures are gRPC's, which ships no types for them

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Final

from twokeys.sandbox.plugins.serving import serve
from twokeys.sdk import leave_out_the_sdk

if __name__ == "__main__":  # the CLI starts one for the program and one for the pack, at every command
    leave_out_the_sdk()

from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

_PROGRAM_RUNNER: Final = Path(__file__).with_name("program.py")
_REPORTED: Final = 32
"""The exit code of a program that has said its error to the engine itself."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """What the CLI asks; the names are the protocol's."""

    def __init__(self, engine: str) -> None:
        """`engine` is where the CLI is found, HOST:PORT."""
        self._engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:
        """The CLI says where it is found; older ones say it on the command line only."""
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of the SDK that programs run on."""
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """None: each resource names its package and version when it is registered."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """None are listed; only `pulumi about` shows them."""
        return language_pb2.GetProgramDependenciesResponse()

    def About(self, request: Any, context: Any) -> Any:
        """The interpreter, for `pulumi about`."""
        return language_pb2.AboutResponse(executable=interpreter(request.info), version=sys.version.split()[0])

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """Nothing is installed: whoever runs this has the environment already."""
        yield language_pb2.InstallDependenciesResponse(stdout=b"Dependencies are left as they are.\n")

    def Run(self, request: Any, context: Any) -> Any:
        """Run the program once, for a preview or an update; what it prints goes through to the CLI."""
        options = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "parallel": request.parallel,
            "dry_run": str(request.dryRun).lower(),
        }
        configuration = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        program = Path(request.info.program_directory, request.info.entry_point or ".").resolve()
        child = subprocess.Popen(  # noqa: S603 - the user's own program
            [
                interpreter(request.info),
                str(_PROGRAM_RUNNER),
                str(program),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            cwd=request.pwd or None,
            env={**os.environ, **configuration},
        )
        context.add_callback(child.kill)
        code = child.wait()
        said_nothing = code not in (0, _REPORTED)
        error = f"the program ended with code {code} before it said why" if said_nothing else ""
        return language_pb2.RunResponse(error=error, bail=code == _REPORTED)

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a policy pack, or a provider written in Python, and pass on what it prints until it ends."""
        location = request.info.program_directory
        # The SDK's runner of packs takes the engine's address, then the pack.
        pack = request.kind == "analyzer"
        arguments = ["-m", "pulumi.policy", *request.args, location] if pack else [location, *request.args]
        child = subprocess.Popen(  # noqa: S603 - the user's own pack
            [interpreter(request.info), "-u", *arguments],
            cwd=request.pwd or None,
            env=dict(item.split("=", 1) for item in request.env) or None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        context.add_callback(child.kill)
        said: SimpleQueue[Any] = SimpleQueue()
        answer = language_pb2.RunPluginResponse
        for stream, message in (
            (child.stdout, lambda text: answer(stdout=text)),
            (child.stderr, lambda text: answer(stderr=text)),
        ):
            threading.Thread(target=_pass_on, args=(stream, message, said), daemon=True).start()
        for _ in ("stdout", "stderr"):
            yield from iter(said.get, None)
        yield language_pb2.RunPluginResponse(exitcode=child.wait())


def interpreter(info: Any) -> str:
    """The Python of a program or pack: the `virtualenv` of its options, else of the nearest `.venv`, else this one.

    `info` is the protocol's ProgramInfo; its `virtualenv` is relative to the folder of Pulumi.yaml.
    """
    root = Path(info.root_directory or info.program_directory)
    named = info.options.fields["virtualenv"].string_value if "virtualenv" in info.options.fields else ""
    places = [root / named] if named else [folder / ".venv" for folder in (root, *root.parents)]
    candidates = [place / "bin" / "python" for place in places]
    return next((str(python) for python in candidates if python.exists()), sys.executable)


def _pass_on(stream: IO[bytes], message: Callable[[bytes], Any], said: SimpleQueue[Any]) -> None:
    while chunk := os.read(stream.fileno(), 1 << 16):
        said.put(message(chunk))
    said.put(None)


if __name__ == "__main__":
    host = LanguageHost(sys.argv[-1])
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server))
