"""How the access graph grows with the number of roles, beside all-pairs evaluation and a public peer, PMapper.

    uv run python benchmarks/access_graph.py [--largest 100000] [--without-peer]

Half of the roles live in a hub account, half in fifty accounts around it. Each of those trusts one role of the hub, by
its ARN or through the hub's account as a whole; every tenth hub role lacks its grant. So it is known which doors are
open, and every verdict is checked. Each measurement runs in a process of its own: processor seconds (one core; other
work on the machine does not count) for building the graph and reading the missing keys from it, with the documents in
memory as text, and the peak memory of the whole process.
"""

# ruff: noqa: PLC0415 - each way imports only what it measures
import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SIZES = (100, 1_000, 10_000, 100_000)
SHARES = (0, 25, 50)
QUADRATIC_LARGEST = 1_000
PEER = "principalmapper==1.1.5"
HUB = "111111111111"
AROUND = [f"{222_200_000_000 + number:012d}" for number in range(50)]


@dataclass(frozen=True)
class Pair:
    """A role of the hub and the role it is meant to enter; without a grant the door has one key."""

    number: int
    account: str
    through_root: bool

    @property
    def source(self) -> str:
        return f"arn:aws:iam::{HUB}:role/ci-{self.number}"

    @property
    def target(self) -> str:
        return f"arn:aws:iam::{self.account}:role/door-{self.number}"

    @property
    def granted(self) -> bool:
        return self.number % 10 != 9

    @property
    def trust(self) -> dict[str, Any]:
        return _trust({"AWS": f"arn:aws:iam::{HUB}:root" if self.through_root else self.source})

    @property
    def grant(self) -> dict[str, Any]:
        return _document({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": self.target})


SERVICE = {"Service": "ec2.amazonaws.com"}


def _document(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _trust(principal: dict[str, Any]) -> dict[str, Any]:
    return _document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def pairs(roles: int, root_share: int) -> list[Pair]:
    return [Pair(number, AROUND[number % 50], number * 37 % 100 < root_share) for number in range(roles // 2)]


def snapshot(made: list[Pair]) -> Any:
    from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot

    def resources() -> Iterator[Resource]:
        for account in (HUB, *AROUND):
            yield Resource(f"urn::{account}", PROVIDER, account, {"allowedAccountIds": json.dumps([account])})
        for pair in made:
            for name, account, trust in (
                (f"ci-{pair.number}", HUB, _trust(SERVICE)),
                (f"door-{pair.number}", pair.account, pair.trust),
            ):
                inputs: dict[str, object] = {"name": name, "assumeRolePolicy": json.dumps(trust)}
                yield Resource(f"urn::{name}", "aws:iam/role:Role", name, inputs, provider=f"urn::{account}")
            if pair.granted:
                inputs = {"role": f"ci-{pair.number}", "name": "enter", "policy": json.dumps(pair.grant)}
                type_ = "aws:iam/rolePolicy:RolePolicy"
                yield Resource(f"urn::grant-{pair.number}", type_, "grant", inputs, provider=f"urn::{HUB}")

    return Snapshot(tuple(resources()))


def ours(made: list[Pair]) -> tuple[float, set[tuple[str, str]]]:
    from twokeys.access.graph import build
    from twokeys.access.keys import statements

    held = snapshot(made)
    began = time.process_time()
    graph = build(held)
    refused = {one.door.target for one in statements(graph)}
    seconds = time.process_time() - began
    expected = {pair.target for pair in made if not pair.granted}
    if refused != expected:
        raise SystemExit(f"refused {len(refused)} roles instead of the {len(expected)} that lack a grant")
    return seconds, {(door.source.arn, door.target.arn) for door in graph.doors if door.open}


def all_pairs(made: list[Pair]) -> tuple[float, set[tuple[str, str]]]:
    """The same evaluation, tried for every principal at every role of another account."""
    from twokeys.access.graph import Judge, build

    graph = build(snapshot(made))
    roles = list(graph.roles)
    judge = Judge(graph.guards, graph.accounts)
    began = time.process_time()
    found = {
        (source.arn, target.arn)
        for target in roles
        for source in roles
        if source.account != target.account and judge.door(source, target, asked=False).open
    }
    return time.process_time() - began, found


def peer(made: list[Pair]) -> tuple[float, set[tuple[str, str]]]:
    """PMapper's offline edges by AssumeRole; it names two classes where Python had them before 3.10."""
    import collections
    import collections.abc

    for name in ("Mapping", "MutableMapping"):
        setattr(collections, name, getattr(collections.abc, name))
    from principalmapper.common import Node, Policy
    from principalmapper.graphing.sts_edges import generate_edges_locally

    def node(arn: str, trust: dict[str, Any], policies: list[Any]) -> Any:
        return Node(arn, f"AROA{arn}", policies, [], trust, None, 0, False, False, None, False, None)

    nodes = []
    for pair in made:
        policies = [Policy(pair.source, "enter", pair.grant)] if pair.granted else []
        nodes += [node(pair.source, _trust(SERVICE), policies), node(pair.target, pair.trust, [])]
    began = time.process_time()
    edges = generate_edges_locally(nodes)
    return time.process_time() - began, {(edge.source.arn, edge.destination.arn) for edge in edges}


WAYS = {"ours": ours, "all pairs": all_pairs, "PMapper": peer}


def measure(way: str, roles: int, share: int) -> dict[str, float]:
    """One measurement, in this process."""
    made = pairs(roles, share)
    seconds, found = WAYS[way](made)
    right = {(pair.source, pair.target) for pair in made if pair.granted}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "wrong": len(found ^ right), "mebibytes": peak}


def measured(way: str, roles: int, share: int) -> dict[str, float]:
    """One measurement, in a process of its own; the peer gets an environment of its own as well."""
    python = [sys.executable]
    if way == "PMapper":
        python = ["uv", "run", "--quiet", "--no-project", "--with", PEER, "python"]
    command = [*python, __file__, "--measure", way, str(roles), str(share)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} with {roles} roles failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    """Print the tables as Markdown, ratios first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=SIZES[-1])
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        way, roles, share = arguments.measure
        print(json.dumps(measure(way, int(roles), int(share))))
        return
    sizes = [size for size in SIZES if size <= arguments.largest]
    others = ["all pairs"] if arguments.without_peer else ["all pairs", "PMapper"]
    results = {(size, share): measured("ours", size, share) for size in sizes for share in SHARES}
    print("| roles | trusting :root | other | other / ours | ours, s | other, s | ours, wrong | other, wrong |")
    print("|---|---|---|---|---|---|---|---|")
    for size in (size for size in sizes if size <= QUADRATIC_LARGEST):
        for share in SHARES:
            for other in others:
                own, theirs = results[size, share], measured(other, size, share)
                print(
                    f"| {size:,} | {share} % | {other} | {theirs['seconds'] / own['seconds']:,.0f} x | "
                    f"{own['seconds']:.3f} | {theirs['seconds']:.2f} | {own['wrong']} | {theirs['wrong']} |"
                )
    print("\n| roles | trusting :root | growth exponent | processor s | microseconds a role | MiB | wrong verdicts |")
    print("|---|---|---|---|---|---|---|")
    for share in SHARES:
        for size, before in zip(sizes, [None, *sizes], strict=False):
            own = results[size, share]
            growth = "-"
            if before is not None:
                ratio = own["seconds"] / results[before, share]["seconds"]
                growth = f"{math.log(ratio) / math.log(size / before):.2f}"
            print(
                f"| {size:,} | {share} % | {growth} | {own['seconds']:.2f} | {own['seconds'] / size * 1e6:.0f} | "
                f"{own['mebibytes']:.0f} | {own['wrong']} |"
            )


if __name__ == "__main__":
    main()
