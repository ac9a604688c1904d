"""The process that a Pulumi program runs in: what the Python language host does, with an engine of ours.

Run by `supervised`, with a JSON object of the settings on standard input.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pulumi
import pulumi.runtime

# The error was already said to the engine; nothing more need be printed.
EXIT_REPORTED: Final = 32


def main(settings: dict[str, Any]) -> int:
    """Run `settings["program"]` in a stack and return the exit code of the process."""
    program = os.path.abspath(settings["program"])
    pulumi.runtime.set_all_config(settings["config"], settings["secretKeys"])
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=settings["monitor"],
            engine=settings["engine"],
            project=settings["project"],
            stack=settings["stack"],
            organization=settings["organization"],
            parallel=settings["parallel"],
            dry_run=settings["dryRun"],
            root_directory=os.getcwd(),
        )
    )
    # A run that is stopped leaves futures behind that nobody awaits, and asyncio would complain about each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.argv = [program]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max(settings["parallel"], 1) * 4)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return EXIT_REPORTED
    except Exception:
        pulumi.log.error(f"Program failed with an unhandled exception:\n{_users_traceback(program)}")
        return EXIT_REPORTED
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _users_traceback(program: str) -> str:
    """The traceback from the program's own first frame on; the frames before it are ours and the SDK's."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    for index, frame in enumerate(frames):
        if os.path.abspath(frame.filename) == program:
            return traceback.format_exc(limit=index - len(frames))
    return traceback.format_exc()


if __name__ == "__main__":
    code = main(json.load(sys.stdin))
    sys.stdout.flush()
    # Threads that wait for an engine that has stopped answering must not keep the process.
    os._exit(code)
