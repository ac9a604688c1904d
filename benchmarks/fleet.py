"""How a fleet grows, beside one stack and beside what others would do, each in one run.

    uv run python benchmarks/fleet.py all
    uv run python benchmarks/fleet.py shards --largest 2000 --largest-stack 400

Every part writes its section of docs/benchmarks-fleet.md and its plot, ratios first. Accounts have one door each, seven
resources an account. The machine should be quiet: wall time is measured, since waiting is part of what is compared.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from fleet_lab import (
    GRANTS,
    MIB,
    ROOT,
    TWOKEYS,
    Lab,
    Measured,
    exponent,
    lab,
    machine,
    measured,
    plot,
    publish,
    say,
    table,
)

from twokeys.cli import ROOMS
from twokeys.sandbox.local_aws import LocalAws

SIZES = (50, 100, 200, 400)
GROWTH = (200, 1000, 2000)
LATENCIES = (0, 50, 200)
WORKERS = (1, 2, 4, 8, 16)
SHARDS_FOR_WORKERS = 8
GOAL_HELP_MS = 300
MOTO = "moto[server,organizations,iam,sts]==5.2.5"
RECOVERY = """\
Six accounts in three shards, two at once; a SIGKILL at a random moment of the first six seconds of work; in every
other trial 5 % of all calls are throttled, and every tenth CreateAccount is cut off after it took effect. Converged
means: the next runs succeed, then nothing is left to do, every e-mail has one account, states and organization hold
the same accounts, no role or grant is missing or too many, and every door opens and shuts as declared. “Nothing” was
killed where the run was over by then."""
IDEAL = """\
The ideal is the time of one worker divided by the workers, or the processor seconds divided by the processors,
whichever is more: here an engine works more than it waits."""
WITH_CLI = ("--engine", "pulumi", "--no-policies", "--skip-preview", "--json")
FLEET = ("--engine", "sandbox", "--json")


def up(found: Lab, *more: str) -> Measured:
    """Update the environment."""
    return found.twokeys("fleet", "up", "prod", *FLEET, *more)


def written(run: Measured) -> int:
    """Bytes that the engines wrote."""
    return sum(shard["written"] for shard in run.told["shards"])


def shards(arguments: argparse.Namespace) -> None:
    """One stack against shards of about 150 resources: the same accounts, the same program, the same policies."""
    sizes = [size for size in SIZES if size <= arguments.largest]
    split: dict[int, Measured] = {}
    whole: dict[int, Measured] = {}
    for size in sizes:
        with lab(size) as found:
            found.twokeys("fleet", "split", "prod", "--json")
            split[size] = up(found)
            say(f"{size} accounts in shards: {split[size].seconds:.0f} s")
        if size <= arguments.largest_stack:
            with lab(size) as found:
                whole[size] = up(found)
                say(f"{size} accounts in one stack: {whole[size].seconds:.0f} s")
    rows = []
    for size in sizes:
        ours, one = split[size], whole.get(size)
        rows.append(
            (
                f"{size:,}",
                f"{one.seconds / ours.seconds:.1f} x" if one else "-",
                f"{written(one) / written(ours):.1f} x" if one else "-",
                f"{one.memory / ours.memory:.2f} x" if one else "-",
                len(ours.told["shards"]),
                f"{ours.seconds:.0f}",
                f"{one.seconds:.0f}" if one else "-",
                f"{written(ours) / MIB:,.0f}",
                f"{written(one) / MIB:,.0f}" if one else "-",
                f"{ours.memory / MIB:,.0f}",
                f"{one.memory / MIB:,.0f}" if one else "-",
            )
        )
    head = (
        "accounts",
        "time, one stack / shards",
        "written",
        "memory",
        "shards",
        "shards, s",
        "one stack, s",
        "shards, MiB written",
        "one stack",
        "shards, peak MiB",
        "one stack",
    )
    growth = [*_growth("shards", split), *_growth("one stack", whole)]
    lines = {"shards": {float(size): run.seconds for size, run in split.items()}}
    lines["one stack"] = {float(size): run.seconds for size, run in whole.items()}
    plot("fleet-shards", "First update of an environment", ("accounts", "seconds"), lines)
    text = "\n\n".join(
        (
            f"On {machine()}; policies on, the local AWS's own work included in the time.",
            table(head, rows),
            table(("", "growth exponent"), [(name, f"{value:.2f}") for name, value in growth]),
            "![Seconds by accounts, one stack and shards](fleet-shards.svg)",
        )
    )
    publish("shards", "uv run python benchmarks/fleet.py shards", text)


def growth(arguments: argparse.Namespace) -> None:
    """Shards alone, as far as it goes: one stack would take the square of it."""
    runs: dict[int, Measured] = {}
    again: dict[int, Measured] = {}
    for size in (size for size in GROWTH if size <= arguments.largest):
        with lab(size) as found:
            found.twokeys("fleet", "split", "prod", "--json")
            runs[size] = up(found)
            again[size] = up(found)
        say(f"{size} accounts in shards: {runs[size].seconds:.0f} s, again {again[size].seconds:.1f} s")
    rows = [
        (
            f"{size:,}",
            f"{run.seconds / size / (first.seconds / first_size):.2f} x",
            f"{run.memory / first.memory:.2f} x",
            len(run.told["shards"]),
            f"{run.seconds:.0f}",
            f"{run.seconds / size:.2f}",
            f"{run.processor:.0f}",
            f"{written(run) / MIB:,.0f}",
            f"{run.memory / MIB:,.0f}",
            f"{again[size].seconds:.1f}",
        )
        for first_size, first in [next(iter(runs.items()))]
        for size, run in runs.items()
    ]
    head = (
        "accounts",
        "time an account / first row",
        "memory / first row",
        "shards",
        "s",
        "s an account",
        "processor s",
        "MiB written",
        "peak MiB",
        "again, unchanged, s",
    )
    exponents = [(name, f"{value:.2f}") for name, value in _growth("shards", runs)]
    note = f"On {machine()}; policies on, the local AWS's own work included in the time."
    text = "\n\n".join((note, table(head, rows), table(("", "growth exponent"), exponents)))
    publish("growth", "uv run python benchmarks/fleet.py growth", text)


def _growth(name: str, runs: dict[int, Measured]) -> list[tuple[str, float]]:
    if len(runs) < 2:
        return []
    values: dict[str, Callable[[Measured], float]] = {
        "time": lambda run: run.seconds,
        "bytes written": written,
        "peak memory": lambda run: run.memory,
    }
    return [
        (f"{name}, {what}", exponent({size: value(run) for size, run in runs.items()}))
        for what, value in values.items()
    ]


def workers(_: argparse.Namespace) -> None:
    """1 to 16 workers with latency injected into every API call, against the ideal."""
    times: dict[int, dict[int, Measured]] = {}
    for latency in LATENCIES:
        times[latency] = {}
        for count in WORKERS:
            with lab(SHARDS_FOR_WORKERS) as found:
                found.twokeys("fleet", "split", "prod", "--capacity", "10", "--json")
                with _latency(found, latency) as faults:
                    times[latency][count] = up(found, "--parallel", str(count), "--no-policies", *faults)
            say(f"{count} workers, {latency} ms: {times[latency][count].seconds:.1f} s")
    rows = []
    for latency, runs in times.items():
        one = runs[WORKERS[0]]
        for count, run in runs.items():
            ideal = max(one.seconds / count, run.processor / (_processors()))
            rows.append(
                (
                    f"{latency} ms",
                    count,
                    f"{one.seconds / run.seconds:.2f} x",
                    f"{ideal / run.seconds:.0%}",
                    f"{run.seconds:.1f}",
                    f"{ideal:.1f}",
                    f"{run.memory / MIB:,.0f}",
                )
            )
    lines = {
        f"{latency} ms a call": {float(count): runs[1].seconds / run.seconds for count, run in runs.items()}
        for latency, runs in times.items()
    }
    lines["as many times as workers"] = {float(count): float(count) for count in WORKERS}
    plot("fleet-workers", f"Speed-up of {SHARDS_FOR_WORKERS} shards", ("workers", "times as fast as one worker"), lines)
    head = ("latency", "workers", "as fast as one", "of the ideal", "s", "ideal, s", "peak MiB")
    note = f"{SHARDS_FOR_WORKERS} shards of one account on {machine()}. {IDEAL}"
    plots = "![Times as fast as one worker, by workers](fleet-workers.svg)"
    publish("workers", "uv run python benchmarks/fleet.py workers", "\n\n".join((note, table(head, rows), plots)))


def executors(_: argparse.Namespace) -> None:
    """The process pool against Dask on the same machine."""
    rows = []
    with lab(24) as found:
        found.twokeys("fleet", "split", "prod", "--capacity", "20", "--json")
        up(found)
        for name, more in (("process pool", ("--parallel", "2")), ("Dask, 2 workers", None)):
            if more is not None:
                runs = [up(found, "--all", *more) for _ in range(3)]
            else:
                with _cluster(found.folder) as address:
                    runs = [up(found, "--all", "--scheduler", address) for _ in range(3)]
            rows.append((name, runs))
            say(f"{name}: {', '.join(f'{run.seconds:.1f}' for run in runs)} s")
    best = {name: min(run.seconds for run in runs) for name, runs in rows}
    first = next(iter(best.values()))
    cells = [(name, f"{seconds / first:.2f} x", f"{seconds:.1f}") for name, seconds in best.items()]
    note = f"12 shards of two accounts, all run, nothing to change; the best of three, on {machine()}."
    text = "\n\n".join((note, table(("executor", "time / process pool", "s"), cells)))
    publish("executors", "uv run python benchmarks/fleet.py executors", text)


def rerun(_: argparse.Namespace) -> None:
    """What it costs to run again when nothing, or one account, has changed."""
    accounts = 200
    with lab(accounts) as found:
        found.twokeys("fleet", "split", "prod", "--json")
        first = up(found)
        unchanged = up(found)
        every = up(found, "--all")
        config = yaml.safe_load((found.folder / "Pulumi.prod.yaml").read_text())["config"]
        config["twokeys:accounts"]["account-00007"]["tags"] = {"team": "payments"}
        found.write("prod", config)
        found.twokeys("fleet", "split", "prod", "--json")
        one = up(found)
    rows = [
        (name, f"{run.seconds / first.seconds:.1%}", f"{run.seconds:.1f}", _ran(run))
        for name, run in (
            ("the first update", first),
            ("again, unchanged", unchanged),
            ("one account changed", one),
            ("again, every shard asked (`--all`)", every),
        )
    ]
    text = table(("run", "time / first", "s", "shards that needed an engine"), rows)
    note = f"{accounts} accounts, on {machine()}."
    publish("rerun", "uv run python benchmarks/fleet.py rerun", "\n\n".join((note, text)))


def _ran(run: Measured) -> str:
    told = run.told["shards"]
    return f"{sum(shard['state'] != 'unchanged' for shard in told)} of {len(told)}"


def sandbox(_: argparse.Namespace) -> None:
    """The sandbox's update against plain boto3 calls for the same work, on the same local AWS and on moto."""
    accounts = 50
    with lab(accounts) as found:
        found.twokeys("fleet", "split", "prod", "--json")
        ours = {"`twokeys fleet up`, with policies": up(found)}
    with lab(accounts) as found:
        found.twokeys("fleet", "split", "prod", "--json")
        ours["`twokeys fleet up`, without"] = up(found, "--no-policies")
    with lab(accounts) as found:
        shell = found.twokeys("sandbox", "shell", "management", "--json")
        script = [sys.executable, __file__, "--plain", str(accounts)]
        variables = [f"{name}={value}" for name, value in shell.told.items()]
        try:
            ours["boto3, on the same local AWS"] = measured(["env", *variables, *script], found.folder)
        finally:
            subprocess.run([*TWOKEYS, "sandbox", "shell", "--stop"], cwd=found.folder, check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as folder:
        wanted = [word for package in (MOTO, "psutil", "pygal", "pyyaml") for word in ("--with", package)]
        python = ["uv", "run", "--quiet", "--no-project", *wanted, "python"]
        ours[f"boto3, on moto {MOTO.rpartition('==')[2]} (checks no trust)"] = measured(
            [*python, __file__, "--plain-moto", str(accounts)], Path(folder)
        )
    first = ours["boto3, on the same local AWS"].seconds
    rows = [(name, f"{run.seconds / first:.1f} x", f"{run.seconds:.1f}") for name, run in ours.items()]
    note = (
        f"{accounts} accounts with a role and its grant each, on {machine()}. Plain calls keep no state,\n"
        "preview nothing, prove nothing and cannot be run twice."
    )
    text = "\n\n".join((note, table(("", "time / boto3", "s"), rows)))
    publish("sandbox", "uv run python benchmarks/fleet.py sandbox", text)


def memory(_: argparse.Namespace) -> None:
    """With the pulumi CLI: a provider process for each account in one stack, against shards one after the other."""
    if shutil.which("pulumi") is None:
        say("memory: the pulumi CLI and an aws plugin are not on PATH; this part is left out")
        return
    rows = []
    for accounts in (10, 20):
        with lab(accounts, deployed=False) as found:
            found.twokeys("sandbox", "up", "management", *WITH_CLI)
            one = found.twokeys("sandbox", "up", "prod", *WITH_CLI)
        with lab(accounts, deployed=False) as found:
            found.twokeys("sandbox", "up", "management", *WITH_CLI)
            found.twokeys("fleet", "split", "prod", "--capacity", "70", "--json")
            backend = (found.folder / ".twokeys/pulumi/backend").as_uri()
            cli_finds = {"PULUMI_BACKEND_URL": backend, "PULUMI_CONFIG_PASSPHRASE": "sandbox"}
            with LocalAws.start(found.folder / ".twokeys/aws") as aws:
                variables = [f"{name}={value}" for name, value in {**aws.environment(), **cli_finds}.items()]
                command = [*TWOKEYS, "fleet", "up", "prod", "--no-policies", "--json", "--parallel", "1"]
                ours = measured(["env", *variables, *command], found.folder)
        say(f"{accounts} accounts: one stack {one.memory / MIB:,.0f} MiB, shards {ours.memory / MIB:,.0f} MiB")
        rows.append(
            (
                accounts,
                f"{one.memory / ours.memory:.1f} x",
                f"{one.memory / MIB:,.0f}",
                f"{ours.memory / MIB:,.0f}",
                f"{one.seconds:.0f}",
                f"{ours.seconds:.0f}",
            )
        )
    head = (
        "accounts",
        "memory, one stack / shards",
        "one stack, peak MiB",
        "shards, peak MiB",
        "one stack, s",
        "shards, s",
    )
    note = f"Shards of ten accounts, one at a time, without policies; the pulumi CLI on {machine()}."
    publish("memory", "uv run python benchmarks/fleet.py memory", "\n\n".join((note, table(head, rows))))


def recovery(arguments: argparse.Namespace) -> None:
    """Kill something at a random moment, again and again, and count how many runs it takes to converge."""
    from tests.fleet.trial import KINDS, Trial, prepare, try_once  # noqa: PLC0415 - only here

    trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="twokeys-recovery-") as folder:
        prepared = prepare(Path(folder), ROOT)
        plan = Path(folder, "faults.yaml")
        rules = [
            {"service": "*", "operation": "*", "throttle": 0.05},
            {"service": "organizations", "operation": "CreateAccount", "cut": {"share": 0.1, "when": "after"}},
        ]
        plan.write_text(yaml.safe_dump({"seed": 7, "rules": rules}))
        for seed in range(arguments.trials):
            trials.append(try_once(prepared, Path(folder), seed, plan if seed % 2 else None))
            say(f"{trials[-1]}")
    rows = []
    for kind in (*KINDS, "nothing"):
        found = [trial for trial in trials if trial.killed == kind]
        runs = Counter(trial.runs for trial in found)
        wrong = sum(bool(trial.wrong) for trial in found)
        again = ", ".join(f"{count} after {number}" for number, count in sorted(runs.items()))
        rows.append((kind, len(found), len(found) - wrong, again or "-"))
    note = f"{len(trials)} trials. {RECOVERY}"
    head = ("killed", "trials", "converged", "runs it took")
    publish("recovery", "uv run python benchmarks/fleet.py recovery", "\n\n".join((note, table(head, rows))))
    for trial in trials:
        for wrong_one in trial.wrong:
            raise SystemExit(f"trial {trial.seed} has not converged: {wrong_one}")


def plain(accounts: int) -> None:
    """The same work as plain boto3 calls."""
    import boto3  # noqa: PLC0415 - only in the process that is measured

    session = boto3.Session(region_name="us-east-1")
    organizations, iam = session.client("organizations"), session.client("iam")
    document: Callable[..., str] = lambda **statement: json.dumps({"Version": "2012-10-17", "Statement": [statement]})  # noqa: E731
    for number in range(accounts):
        email, name = f"example+plain-{number}@company.com", f"plain-{number}"
        status = organizations.create_account(Email=email, AccountName=name)["CreateAccountStatus"]
        while status["State"] == "IN_PROGRESS":
            time.sleep(0.1)
            status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])[
                "CreateAccountStatus"
            ]
        account = status["AccountId"]
        access = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        keys = session.client("sts").assume_role(RoleArn=access, RoleSessionName="plain")["Credentials"]
        member = session.client(
            "iam",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        source_role = f"ci-{number // GRANTS:03d}"
        source = f"arn:aws:iam::111111111111:role/{source_role}"
        trust = document(Effect="Allow", Principal={"AWS": source}, Action="sts:AssumeRole")
        role = member.create_role(RoleName="ci", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        member.attach_role_policy(RoleName="ci", PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
        grant = document(Effect="Allow", Action="sts:AssumeRole", Resource=role)
        iam.put_role_policy(RoleName=source_role, PolicyName=name, PolicyDocument=grant)
    print(json.dumps({"accounts": accounts}))


def plain_on_moto(accounts: int) -> None:
    """The same on moto, in this process."""
    import boto3  # noqa: PLC0415
    from moto import mock_aws  # noqa: PLC0415

    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        boto3.client("organizations", region_name="us-east-1").create_organization(FeatureSet="ALL")
        for number in range(0, accounts, GRANTS):
            trust = json.dumps({"Version": "2012-10-17", "Statement": []})
            boto3.client("iam").create_role(RoleName=f"ci-{number // GRANTS:03d}", AssumeRolePolicyDocument=trust)
        plain(accounts)


def cli(_: argparse.Namespace) -> None:
    """How long the command line takes to start."""
    rows = []
    for arguments in (["--help"], *([room, "--help"] for room in sorted(ROOMS))):
        times = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run([str(Path(sys.prefix, "bin/twokeys")), *arguments], capture_output=True, check=True)
            times.append(time.perf_counter() - began)
        best = sorted(times)[len(times) // 2] * 1000
        rows.append((f"`twokeys {' '.join(arguments)}`", f"{best / GOAL_HELP_MS:.2f} x", f"{best:.0f}"))
    note = f"The median of seven, on {machine()}; the goal is {GOAL_HELP_MS} ms."
    text = "\n\n".join((note, table(("command", "time / goal", "ms"), rows)))
    publish("cli", "uv run python benchmarks/fleet.py cli", text)


@contextmanager
def _latency(found: Lab, milliseconds: int) -> Iterator[tuple[str, ...]]:
    """The option that makes every API call take so much longer."""
    if not milliseconds:
        yield ()
        return
    rules: list[dict[str, Any]] = [{"service": "*", "operation": "*", "latencyMs": milliseconds}]
    plan = found.folder / "faults.yaml"
    plan.write_text(yaml.safe_dump({"seed": 1, "rules": rules}))
    yield ("--faults", str(plan))


@contextmanager
def _cluster(folder: Path) -> Iterator[str]:
    """A Dask scheduler and two workers on this machine."""
    import distributed  # noqa: PLC0415 - an extra
    from dask import config  # noqa: PLC0415

    del folder
    with (
        config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        yield cluster.scheduler_address


def _processors() -> int:
    import os  # noqa: PLC0415

    return os.cpu_count() or 1


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "cli": cli,
    "rerun": rerun,
    "sandbox": sandbox,
    "executors": executors,
    "workers": workers,
    "memory": memory,
    "recovery": recovery,
    "shards": shards,
    "growth": growth,
}


def main() -> None:
    """Measure one part, or all."""
    if sys.argv[1:2] in (["--plain"], ["--plain-moto"]):
        (plain if sys.argv[1] == "--plain" else plain_on_moto)(int(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--largest", type=int, default=GROWTH[-1], help="accounts in shards")
    parser.add_argument(
        "--largest-stack", type=int, default=200, help="accounts in one stack, which takes their square"
    )
    parser.add_argument("--trials", type=int, default=60, help="kills")
    arguments = parser.parse_args()
    for name, part in PARTS.items():
        if arguments.part in (name, "all"):
            say(f"{name}: {(part.__doc__ or '').strip()}")
            part(arguments)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # the trials are the tests'
    main()
