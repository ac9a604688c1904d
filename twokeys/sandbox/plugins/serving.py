"""How a plugin of the pulumi CLI serves: a gRPC server on loopback that ends with the CLI."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Final

import grpc

_WORKERS: Final = 64
# The engine's own limit (400 MiB): a program's config and a resource's inputs arrive in one message.
_MAX_MESSAGE: Final = 400 << 20


def serve(add: Callable[[grpc.Server], None]) -> None:
    """Serve what `add` adds, print the port as the CLI expects it, and never outlive the CLI.

    The CLI interrupts a plugin when it is done, and kills it a moment later. A CLI that is killed tells nobody, so the
    parent's death is watched; what this process started is in its process group, which the CLI made for it.
    """
    signal.signal(signal.SIGINT, lambda *_: _end())
    signal.signal(signal.SIGTERM, lambda *_: _end())
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    limits = [("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS), options=limits)
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    _end()


def _end() -> None:
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)
