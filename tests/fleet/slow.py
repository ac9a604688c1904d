"""A network between the local AWS and its callers that takes its time, so that a kill finds calls under way."""

import random
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def slow(port: int, longest: float) -> Iterator[str]:
    """The endpoint of a way to a port of this machine on which each request waits, `longest` seconds at most."""

    def pass_on(source: socket.socket, sink: socket.socket, longest: float) -> None:
        with suppress(OSError):  # a caller that was killed
            while data := source.recv(1 << 16):
                time.sleep(longest * random.uniform(0.25, 1))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=pass_on, args=(server, self.request, 0), daemon=True)
                back.start()
                pass_on(self.request, server, longest)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Connection) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
