"""Run a module as `python -m` does, in a process that ends when the one that asked for it does, however that ended.

`python -m twokeys.sandbox.engine.supervised PARENT MODULE ARGUMENTS...`, with the pid of the process that asks.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time
from typing import Final

_CHECK_SECONDS: Final = 0.3


def supervised(module: str, *arguments: str) -> list[str]:
    """The command that runs a module in a child of this very process, which it does not outlive."""
    return [sys.executable, "-u", "-m", __name__, str(os.getpid()), module, *arguments]


def _end_with(parent: int) -> None:
    """From now on, leave as soon as that process is not our parent any more.

    The parent says who it is: one that was killed while this process was starting is no longer there to be asked.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


if __name__ == "__main__":
    _end_with(int(sys.argv[1]))
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
