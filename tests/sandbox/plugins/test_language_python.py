"""The language host serves the CLI's protocol: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto"""

# ruff: noqa: N802, ARG002 - the names and signatures are gRPC's

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

HOST = [sys.executable, "-m", "twokeys.sandbox.plugins.language_python"]


class Engine(engine_pb2_grpc.EngineServicer, resource_pb2_grpc.ResourceMonitorServicer):
    """As much of an engine as a program without resources needs."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.outputs: dict[str, object] = {}

    def Log(self, request, context):
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)
        return empty_pb2.Empty()

    def SupportsFeature(self, request, context):
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id == "secrets")

    def RegisterResource(self, request, context):
        return resource_pb2.RegisterResourceResponse(urn=f"urn:pulumi:t::p::{request.type}::{request.name}")

    def RegisterResourceOutputs(self, request, context):
        self.outputs = dict(request.outputs.items())
        return empty_pb2.Empty()

    def GetDeploymentInfo(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "an older engine")

    def SignalAndWaitForShutdown(self, request, context):
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[tuple[Engine, str]]:
    served = Engine()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    engine_pb2_grpc.add_EngineServicer_to_server(served, server)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(served, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield served, f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.fixture
def host(engine) -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    with subprocess.Popen([*HOST, engine[1]], stdout=subprocess.PIPE, start_new_session=True) as process:
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield language_pb2_grpc.LanguageRuntimeStub(channel)
        process.terminate()


def info(folder: Path, **options: str) -> language_pb2.ProgramInfo:
    told = language_pb2.ProgramInfo(root_directory=str(folder), program_directory=str(folder), entry_point=".")
    told.options.update(options)
    return told


def run(host, engine, folder: Path) -> language_pb2.RunResponse:
    return host.Run(
        language_pb2.RunRequest(
            project="p",
            stack="t",
            organization="organization",
            pwd=str(folder),
            monitor_address=engine[1],
            parallel=4,
            dryRun=True,
            config={"p:team": "platform"},
            info=info(folder),
        )
    )


def test_a_program_gets_its_config_and_its_outputs_reach_the_engine(host, engine, tmp_path):
    tmp_path.joinpath("__main__.py").write_text(
        "import pulumi\n"
        "pulumi.export('team', pulumi.Config().require('team'))\n"
        "pulumi.export('preview', pulumi.runtime.is_dry_run())\n"
    )
    answer = run(host, engine, tmp_path)
    assert (answer.error, answer.bail) == ("", False)
    assert engine[0].outputs == {"team": "platform", "preview": True}


def test_a_program_that_fails_says_where_in_its_own_file_and_nothing_of_ours(host, engine, tmp_path):
    tmp_path.joinpath("__main__.py").write_text("def door():\n    raise ValueError('no such door')\n\n\ndoor()\n")
    answer = run(host, engine, tmp_path)
    assert answer.bail, "the error was said already, so the engine must not say another"
    (said,) = engine[0].errors
    assert "ValueError: no such door" in said
    assert f'{tmp_path}/__main__.py", line 5' in said
    assert "runpy" not in said


def test_what_a_plugin_written_in_python_prints_is_passed_on_with_its_exit_code(host, tmp_path):
    tmp_path.joinpath("__main__.py").write_text(
        "import os, sys\nprint(sys.argv[1], os.environ['TEAM'])\nprint('oh', file=sys.stderr)\nsys.exit(3)\n"
    )
    request = language_pb2.RunPluginRequest(
        pwd=str(tmp_path), args=["127.0.0.1:1"], env=["TEAM=a=b"], info=info(tmp_path), kind="resource"
    )
    answers = list(host.RunPlugin(request))
    assert b"".join(one.stdout for one in answers) == b"127.0.0.1:1 a=b\n"
    assert b"".join(one.stderr for one in answers) == b"oh\n"
    assert answers[-1].exitcode == 3


def test_the_interpreter_is_the_one_that_the_project_names(host, tmp_path):
    theirs = tmp_path / "env" / "bin" / "python"
    theirs.parent.mkdir(parents=True)
    theirs.symlink_to(sys.executable)
    named = host.About(language_pb2.AboutRequest(info=info(tmp_path, virtualenv="env")))
    assert named.executable == str(theirs)
    nearest = tmp_path / ".venv" / "bin"
    nearest.mkdir(parents=True)
    nearest.joinpath("python").symlink_to(sys.executable)
    below = tmp_path / "stacks"
    below.mkdir()
    assert host.About(language_pb2.AboutRequest(info=info(below))).executable == str(nearest / "python")


def test_it_ends_with_the_process_that_started_it():
    """A CLI that is killed tells nobody; an orphan would hold the program and its locks."""
    starter = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen({HOST!r} + ['x'], stdout=subprocess.PIPE, start_new_session=True)\n"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, env=dict(os.environ)) as parent:
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    deadline = time.monotonic() + 60
    while psutil.pid_exists(orphan.pid) and orphan.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(orphan.pid) or orphan.status() == psutil.STATUS_ZOMBIE
