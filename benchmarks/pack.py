"""What the policy pack costs: the gate alone, its own process, and a preview on the pulumi CLI beside other packs.

    uv run python benchmarks/pack.py [--doors 1000] [--served 1000] [--engine 1000] [--awsguard NODE_MODULES]

The gate judges doors one after the other, as an update shows them. With `--served`, the process of this pack and that
of an empty one answer what the engine would ask about that many resources. With `--engine`, a program of that many
resources is previewed once for each pack, the packs in turn, and the processor seconds of all processes are measured.
That needs the pulumi CLI on PATH; `--awsguard` is a folder `node_modules` with `@pulumi/awsguard`, and needs Node.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import grpc  # noqa: E402
from google.protobuf import empty_pb2  # noqa: E402
from pulumi.runtime.proto import analyzer_pb2_grpc  # noqa: E402

from tests.access.states import write_state  # noqa: E402
from tests.access.world import HUB, STAGE, World, arn, document, grants, trusts  # noqa: E402
from tests.pack.engine_requests import Engine, input_request, stack_request  # noqa: E402
from twokeys.access.reading.snapshot import Resource  # noqa: E402
from twokeys.sandbox.get_pulumi import find_pulumi  # noqa: E402
from twokeys.sandbox.local_aws import LocalAws  # noqa: E402
from twokeys.sandbox.pulumi_box import place_plugins  # noqa: E402

PROGRAM = """import json, os
import pulumi_aws as aws
text = lambda **said: json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **said}]})
for n in range(int(os.environ["RESOURCES"]) // 4):
    trust = text(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")
    role = aws.iam.Role(f"role-{n}", name=f"role-{n}", assume_role_policy=trust)
    policy = text(Action=["s3:GetObject", "s3:PutObject"], Resource=f"arn:aws:s3:::bucket-{n}/*")
    aws.iam.RolePolicy(f"policy-{n}", name="data", role=role.name, policy=policy)
    aws.s3.Bucket(f"bucket-{n}", bucket=f"bucket-{n}", tags={"team": "a", "stage": "test"})
    aws.sqs.Queue(f"queue-{n}", name=f"queue-{n}", tags={"team": "a"})
"""
EMPTY = """from pulumi_policy import PolicyPack, ResourceValidationPolicy
PolicyPack("empty", [ResourceValidationPolicy("nothing", "Looks at nothing.", lambda _resource, _report: None)])
"""
AWSGUARD = 'const { AwsGuard } = require("@pulumi/awsguard");\nnew AwsGuard({ all: "advisory" });\n'


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doors", type=int, default=1_000, help="the largest number of doors")
    parser.add_argument("--served", type=int, default=0, help="resources to ask each pack's own process about")
    parser.add_argument("--engine", type=int, default=0, help="resources to preview on the pulumi CLI")
    parser.add_argument("--awsguard", type=Path, help="a folder node_modules with @pulumi/awsguard")
    chosen = parser.parse_args()
    print("| doors | shape | resources | processor ms | ms a resource |\n|---|---|---|---|---|")
    for shape, build in SHAPES.items():
        for doors in (chosen.doors // 10, chosen.doors):
            _gate(shape, build(doors), doors)
    if chosen.served:
        print()
        _served(chosen.served)
    if chosen.engine:
        print()
        _on_the_engine(chosen.engine, chosen.awsguard)


def _a_role_each(doors: int) -> World:
    world = World()
    for n in range(doors):
        world.role(f"source-{n}", world.hub)
        world.grant(f"source-{n}", world.hub, arn(STAGE, f"role/target-{n}"))
        world.role(f"target-{n}", world.stage, document(trusts(arn(HUB, f"role/source-{n}"))))
    return world


def _the_account_as_a_whole(doors: int) -> World:
    world = World()
    for n in range(doors):
        world.role(f"source-{n}", world.hub)
        world.grant(f"source-{n}", world.hub, arn(STAGE, f"role/target-{n}"))
        world.role(f"target-{n}", world.stage, document(trusts(arn(HUB, "root"))))
    return world


def _of_services(doors: int) -> World:
    world = World()
    for n in range(doors):
        world.role(f"role-{n}", world.hub)
        reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket-{n}/*"}
        world.add("RolePolicy", f"p-{n}", world.hub, role=f"role-{n}", name="p", policy=document(reads))
    return world


def _one_role_enters_all(doors: int) -> World:
    world = World()
    world.role("ci", world.hub)
    for first in range(0, doors, _NAMED):
        roles = [arn(STAGE, f"role/target-{n}") for n in range(first, min(first + _NAMED, doors))]
        world.add("Policy", f"p-{first}", world.hub, name=f"p-{first}", policy=document(grants(*roles)))
        policy = arn(HUB, f"policy/p-{first}")
        world.add("RolePolicyAttachment", f"a-{first}", world.hub, role="ci", policyArn=policy)
    for n in range(doors):
        world.role(f"target-{n}", world.stage, document(trusts(arn(HUB, "role/ci"))))
    return world


def _beside_identity_center(doors: int) -> World:
    world, kind = _a_role_each(doors), "aws:ssoadmin/permissionSet:PermissionSet"
    said = {"name": "Admins", "instanceArn": "arn:aws:sso:::instance/ssoins-1", "arn": "arn:aws:sso:::permissionSet/x"}
    made = Resource(f"urn:pulumi:stage::twokeys::{kind}::admins", kind, "admins", said, said, world.hub.urn)
    world.resources.insert(2, made)
    return world


_NAMED = 60
"""So many roles are named in one policy, of at most 6,144 characters."""
BESIDE = "the same, the grants in the state of another stack"
SHAPES = {
    "each trust names its role": _a_role_each,
    BESIDE: _a_role_each,
    "the same beside Identity Center": _beside_identity_center,
    "one role enters all": _one_role_enters_all,
    "each trust names the account": _the_account_as_a_whole,
    "no door: roles of services": _of_services,
}


def _gate(shape: str, world: World, doors: int) -> None:
    with tempfile.TemporaryDirectory(prefix="pack-benchmark-") as folder:
        engine = Engine(_with_grants_elsewhere(world, Path(folder)) if shape == BESIDE else None, preview=False)
        by_urn = {one.urn: one for one in world.resources}
        began = time.process_time()
        refused = [found for one in world.resources for found in engine.judge(one, by_urn)]
        took = (time.process_time() - began) * 1000
    assert not refused
    print(f"| {doors:,} | {shape} | {len(world.resources):,} | {took:,.0f} | {took / len(world.resources):.2f} |")


def _with_grants_elsewhere(world: World, folder: Path) -> dict[str, dict[str, object]]:
    """The pack's configuration that names the state of another stack, which what is in account HUB is moved to."""
    there, hub = World(), [one for one in world.resources if world.hub.urn in (one.urn, one.provider)]
    there.resources = hub
    world.resources = [one for one in world.resources if one not in hub]
    state = write_state(folder / "hub.json", there)
    state.write_text(state.read_text().replace("urn:pulumi:stage::", "urn:pulumi:hub::"))
    return {"other-stacks": {"states": [str(state)]}}


def _served(resources: int) -> None:
    """Both packs as processes of their own, asked as the engine asks: each resource of an update, then the stack."""
    shown = _of_services(resources // 2).resources
    with tempfile.TemporaryDirectory(prefix="pack-benchmark-") as name:
        empty = Path(name) / "empty.py"
        empty.write_text(EMPTY)
        packs = {
            "empty": [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(empty)],
            "twokeys": [str(Path(sys.prefix, "bin", "twokeys-policies")), "127.0.0.1:1"],
        }
        columns = ("pack", "resources", "processor s to start", "ms a resource", "peak at the start, MiB", "at the end")
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        for pack, command in packs.items():
            start, each, first, last = _answers(command, shown, Path(name))
            print(f"| {pack} | {len(shown):,} | {start:.2f} | {each:.2f} | {first} | {last} |")


def _answers(command: list[str], shown: list[Resource], folder: Path) -> tuple[float, float, int, int]:
    environment = {"PATH": os.environ["PATH"], "PULUMI_BACKEND_URL": f"file://{folder}", "PULUMI_DRY_RUN": "false"}
    by_urn = {one.urn: one for one in shown}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            port = process.stdout.readline().strip()  # type: ignore[union-attr]
            pack = analyzer_pb2_grpc.AnalyzerStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
            pack.GetAnalyzerInfo(empty_pb2.Empty())
            start, first = _used(process.pid)
            for one in shown:
                if not one.type.startswith("pulumi:"):
                    pack.Analyze(input_request(one, by_urn))
            pack.AnalyzeStack(stack_request(shown))
            end, last = _used(process.pid)
        finally:
            process.kill()
    return start, (end - start) / len(shown) * 1000, first, last


def _used(process: int) -> tuple[float, int]:
    """The processor seconds of a process so far, and its peak in MiB: `man proc_pid_stat`, `man proc_pid_status`."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{process}/status").read_text()
    ticks = int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(status.partition("VmHWM:")[2].split()[0]) // 1024


def _on_the_engine(resources: int, awsguard: Path | None) -> None:
    pulumi = find_pulumi(os.environ["PATH"])
    if pulumi is None:
        sys.exit("the pulumi CLI is not on PATH")
    with tempfile.TemporaryDirectory(prefix="pack-benchmark-") as name, LocalAws.start(Path(name) / "aws") as local:
        folder = Path(name)
        (folder / "tools").mkdir()
        place_plugins(folder / "tools", pulumi, os.environ["PATH"])
        environment = _environment(folder, pulumi, resources) | local.environment(HUB)
        (folder / "program").mkdir()
        (folder / "program" / "Pulumi.yaml").write_text("name: benchmark\nruntime: python\n")
        (folder / "program" / "__main__.py").write_text(PROGRAM)
        _pulumi(folder, environment, "stack", "init", "dev")
        columns = ("pack", "processor s", "beyond no pack", "ms a resource beyond the empty pack", "its peak, MiB")
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        took = {pack: _preview(folder, environment, file) for pack, file in _packs(folder, awsguard)}
        none, empty = took["none"][0], took["empty"][0]
        for pack, (seconds, peak) in took.items():
            more = (seconds - empty) / resources * 1000
            beyond = "-" if pack in ("none", "empty") else f"{more:+.2f}"
            print(f"| {pack} | {seconds:.1f} | {(seconds / none - 1) * 100:+.0f} % | {beyond} | {peak or '-'} |")


def _packs(folder: Path, awsguard: Path | None) -> Iterator[tuple[str, Path | None]]:
    """Each pack as an executable file, which the CLI takes since 3.274: so nobody's language host is measured."""
    yield "none", None
    (folder / "empty.py").write_text(EMPTY)
    yield (
        "empty",
        _executable(folder / "empty", f'exec {sys.executable} -u -m pulumi.policy "$1" {folder / "empty.py"}'),
    )
    if awsguard is not None:
        guard = folder / "awsguard"
        guard.mkdir()
        (guard / "node_modules").symlink_to(awsguard.resolve())
        (guard / "package.json").write_text('{"name": "guard", "main": "index.js", "version": "0.0.1"}')
        (guard / "PulumiPolicy.yaml").write_text("runtime: nodejs\n")
        (guard / "index.js").write_text(AWSGUARD)
        run = awsguard.resolve() / "@pulumi" / "pulumi" / "cmd" / "run-policy-pack"
        yield "awsguard", _executable(folder / "guard", f'cd {guard}\nexec node {run} "$1" {guard}')
    yield "twokeys", _executable(folder / "ours", f'exec {Path(sys.prefix, "bin", "twokeys-policies")} "$@"')


def _executable(file: Path, line: str) -> Path:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)
    return file


def _preview(folder: Path, environment: dict[str, str], pack: Path | None) -> tuple[float, int | None]:
    """The processor seconds of one preview, and the peak of the pack's own process."""
    options = [] if pack is None else ["--policy-pack", str(pack)]
    peak: list[int] = []
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(str(folder), peak, over))
    watch.start()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _pulumi(folder, environment, "preview", "--stack", "dev", *options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    over.set()
    watch.join()
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, max(peak) if pack is not None and peak else None


def _watch(folder: str, peak: list[int], over: threading.Event) -> None:
    """Reads the peak of whatever process serves a pack, as long as it is there."""
    while not over.wait(0.2):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                if ("pulumi.policy" in command or "run-policy-pack\0" in command or "twokeys-policies" in command) and (
                    folder in (process / "environ").read_text(errors="replace")
                ):
                    status = (process / "status").read_text()
                    peak.append(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
            except (OSError, IndexError):
                continue


def _environment(folder: Path, pulumi: Path, resources: int) -> dict[str, str]:
    return {
        "PATH": f"{folder / 'tools'}:{pulumi.parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "RESOURCES": str(resources),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def _pulumi(folder: Path, environment: dict[str, str], *arguments: str) -> None:
    command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
    done = subprocess.run(
        command, cwd=folder / "program", env=environment, capture_output=True, text=True, check=False, timeout=1_800
    )
    if done.returncode:
        sys.exit(done.stdout[-3_000:] + done.stderr[-3_000:])


if __name__ == "__main__":
    main()
