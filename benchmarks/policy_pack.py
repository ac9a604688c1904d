"""What the policy pack adds to a preview of 10 to 3,000 resources, with no pack and an empty pack beside ours.

    uv run python benchmarks/policy_pack.py [--sizes 10 100 1000 3000] [--repeat 3]

Each preview runs on the sandbox's engine, which serves the program and drives the pack's own process over the real
protocol, as the pulumi CLI does. Measured are processor seconds of engine, program and pack together, so that other
work on the machine does not count; the three are measured in turn, and the lowest of each counts.
`ms each` is what each resource beyond the smallest size adds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from twokeys.project.config import load_project  # noqa: E402
from twokeys.sandbox.engine.events import Event, Violation  # noqa: E402
from twokeys.sandbox.engine.policy_host import PackChoice  # noqa: E402
from twokeys.sandbox.local_aws import LocalAws  # noqa: E402
from twokeys.sandbox.stack import Sandbox, SandboxStack  # noqa: E402

SIZES = (10, 100, 1_000, 3_000)


def member_account(aws: LocalAws) -> str:
    """A member account of the local organization."""
    organizations = boto3.client(
        "organizations",
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id="111111111111",
        aws_secret_access_key="test",
    )
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(Email="stage@example.com", AccountName="stage")
    return str(made["CreateAccountStatus"]["AccountId"])


def preview(sandbox: Sandbox, aws: LocalAws, packs: tuple[PackChoice, ...]) -> float:
    """Processor seconds of one preview that no policy refuses."""
    events: list[Event] = []
    began = _processor_seconds()
    outcome = SandboxStack(sandbox, "bench", aws, packs=packs).preview(events.append)
    seconds = _processor_seconds() - began
    if not outcome.ok or any(isinstance(event, Violation) for event in events):
        raise SystemExit(f"the preview failed: {events[-3:]}")
    return seconds


def _processor_seconds() -> float:
    """Of this process and of every child that has ended."""
    return sum(os.times()[:4])


def main() -> None:
    """Print the table as Markdown, the ratio first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    print("| resources | ours / no pack | no pack, s | empty pack, s | ours, s | empty pack, ms each | ours, ms each |")
    print("|---|---|---|---|---|---|---|")
    packs = [(), *((PackChoice(ROOT / folder),) for folder in ("benchmarks/empty_pack", "policies"))]
    with tempfile.TemporaryDirectory() as folder, LocalAws.start(Path(folder) / "aws") as aws:
        os.environ["STAGE_ACCOUNT"] = member_account(aws)
        sandbox = Sandbox(load_project(ROOT / "benchmarks" / "policy_pack_program"), Path(folder))
        first: tuple[int, float, float] | None = None
        for size in arguments.sizes:
            os.environ["RESOURCES"] = str(size)
            runs = [[preview(sandbox, aws, one) for one in packs] for _ in range(arguments.repeat)]
            without, empty, ours = (min(times) for times in zip(*runs, strict=True))
            first = first or (size, empty - without, ours - without)
            each = ["-", "-"]
            if size > first[0]:
                added = (empty - without - first[1], ours - without - first[2])
                each = [f"{seconds / (size - first[0]) * 1_000:.2f}" for seconds in added]
            times = f"{without:.2f} | {empty:.2f} | {ours:.2f}"
            print(f"| {size:,} | {ours / without:.2f} | {times} | {each[0]} | {each[1]} |", flush=True)


if __name__ == "__main__":
    main()
