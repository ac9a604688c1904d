"""Run a module as `python -m` does, in a process that ends when its parent does, however the parent ended.

`python -m twokeys.sandbox.engine.supervised MODULE ARGUMENTS...`
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time
from typing import Final

_CHECK_SECONDS: Final = 0.3


def end_with_parent() -> None:
    """From now on, leave as soon as the process that started this one is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
