"""Serves the pack to the engine: it reads a port from the first line of output, and asks there."""

# ruff: noqa: PLC0415 - what is imported late is imported without the SDK around it

import os
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor

from twokeys.extras import install
from twokeys.sdk import leave_out_the_sdk

_MAX_MESSAGE = 400 * 1024 * 1024
"""As the SDKs have it: a whole stack is one message."""
_SECONDS_BETWEEN_LOOKS = 2


def _option() -> str:
    """What gives the pack to a command of the CLI; nothing where the environment or Pulumi Cloud does.

    The engine runs a pack in the program's folder, with its path first, and keeps what Pulumi Cloud sends in a folder
    of that name (CLI 3.274.1).
    """
    given = "PULUMI_OPTION_POLICY_PACK" in os.environ or "pulumi-analyzer-policy-" in sys.argv[0]
    return "" if given else f"--policy-pack {shlex.quote(os.path.relpath(sys.argv[0]))} "


def serve() -> None:
    """Answer the engine until it ends this process, or has ended itself."""
    leave_out_the_sdk()
    try:
        import grpc
        from pulumi.runtime.proto import analyzer_pb2_grpc

        from twokeys.pack.analyzer import Analyzer
    except ModuleNotFoundError as error:
        sys.exit(f"Refused: the policy pack cannot start: {error}. Next step: {install('policies')}")

    server = grpc.server(ThreadPoolExecutor(max_workers=4), options=[("grpc.max_receive_message_length", _MAX_MESSAGE)])
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(option=_option()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    engine = os.getppid()
    try:
        while os.getppid() == engine:
            server.wait_for_termination(timeout=_SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:  # the engine gets the same signal, and finishes what it is doing
        server.stop(grace=None)
