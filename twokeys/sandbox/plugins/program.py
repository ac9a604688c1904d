"""Runs one Python program on the Pulumi SDK of the interpreter that this is started with; needs nothing else of it."""

import argparse
import asyncio
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import pulumi
import pulumi.runtime

# The error was already said to the engine; nothing more need be printed.
EXIT_REPORTED = 32


def main() -> int:
    """Run the program in a stack and return the exit code of the process."""
    options = _arguments()
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=options.monitor,
            engine=options.engine,
            project=options.project,
            stack=options.stack,
            organization=options.organization,
            parallel=options.parallel,
            dry_run=options.dry_run == "true",
            root_directory=options.root_directory,
        )
    )
    # A run that is stopped leaves futures behind that nobody awaits, and asyncio would complain about each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.argv = [options.program]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max(options.parallel, 1) * 4)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(options.program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return EXIT_REPORTED
    except Exception:
        pulumi.log.error(f"Program failed with an unhandled exception:\n{_users_traceback(options.program)}")
        return EXIT_REPORTED
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("monitor", "engine", "project", "stack", "organization", "root_directory", "dry_run"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--parallel", type=int)
    parser.add_argument("program")
    return parser.parse_args()


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _users_traceback(program: str) -> str:
    """The traceback from the program's own first frame on; the frames before it are ours and the SDK's."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    for index, frame in enumerate(frames):
        if frame.filename.startswith(program):  # "<frozen runpy>" and the SDK come before it
            return traceback.format_exc(limit=index - len(frames))
    return traceback.format_exc()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that wait for an engine that has stopped answering must not keep the process.
    os._exit(code)
