"""The pack as the engine speaks to it: Pulumi's `Analyzer` protocol, with one policy for each rule.

Served here and not through `pulumi_policy.PolicyPack`, which decodes the whole stack once for each policy, and which
turns a mandatory policy that reads an unknown value into a notice. Here a stack is decoded once, all rules read one
graph, and an error of any kind is a mandatory violation.
https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto
"""

# ruff: noqa: N802, ANN401, ARG002 - names, messages and arguments are the protocol's

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from twokeys.access.configuration import LEVEL, OTHER_STACKS, read_configuration
from twokeys.access.findings import Finding, Rule, Severity
from twokeys.access.graph import Graph
from twokeys.access.model.door_name import with_stand_ins
from twokeys.access.reading.autonaming import Autonaming
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot, project_of
from twokeys.access.rules import RULES
from twokeys.access.verdicts import MANDATORY, Judged, judge, level_of, of_providers_in_one
from twokeys.errors import Refusal
from twokeys.pack.before import state_before
from twokeys.pack.changed import DOORS_CHANGED, doors_changed
from twokeys.pack.deferral import deferred
from twokeys.pack.gate import Gate
from twokeys.pack.other_stacks import as_exported
from twokeys.pack.other_states import Beside, as_of, known_graph, other_states, settings_alone
from twokeys.pack.own_account import graph_of, own_account
from twokeys.pack.policies import BY_NAME, FAIL_CLOSED, POLICIES, Policy
from twokeys.pack.reading import asked_for, dynamic_code, is_left_out, provider_of, settled
from twokeys.pack.shut_unseen import may_shut
from twokeys.shown import listed, printable

NAME: Final = "twokeys"
_FEW: Final = 3
_DEFECT = "report this as a defect of TwoKeys; until it is mended, no change can be shown to be safe"


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """One pack in one operation; the methods' names are the protocol's."""

    def __init__(self, rules: tuple[Rule[Any], ...] = RULES, option: str = "") -> None:
        self._rules = rules
        self._option = option
        self._configuration: Mapping[str, Mapping[str, object]] = {}
        self._dry_run = os.environ.get("PULUMI_DRY_RUN") == "true"
        self._naming = Autonaming()
        self._asked: dict[str, Resource] = {}
        self._to_make: list[Resource] = []
        self._code: dict[str, Mapping[str, object]] = {}
        self._gate: Gate | None = None
        self._before: Snapshot | None = None
        self._beside: Beside | None = None
        self._over = False
        self._said: set[tuple[object, ...]] = set()
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> Any:
        """The engine says where it is; nothing is asked of it."""
        return proto.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of TwoKeys."""
        return plugin_pb2.PluginInfo(version=version("twokeys"))

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:
        """Every policy, with its level, its severity and what can be set of it."""
        info = proto.AnalyzerInfo(name=NAME, version=version("twokeys"), supportsConfig=True)
        info.policies.extend(map(_policy_info, POLICIES))
        return info

    def Configure(self, request: Any, context: Any) -> Any:
        """Take the configuration, or refuse it as a whole."""
        level = proto.EnforcementLevel.Name
        given = {
            name: {**json_format.MessageToDict(one.properties), LEVEL: level(one.enforcementLevel).lower()}
            for name, one in request.policyConfig.items()
        }
        others = [policy.name for policy in POLICIES if policy.rule is None]
        try:
            self._configuration = read_configuration(given, self._rules, where="--policy-pack-config", others=others)
        except Refusal as refusal:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(refusal))
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, context: Any) -> Any:
        """Whether this is a preview or an update, and how names are made up; older engines tell neither here."""
        self._dry_run = request.dry_run
        names = {"organization": request.organization, "project": request.project, "stack": request.stack}
        self._naming = Autonaming(request.config, **names)
        return proto.AnalyzerStackConfigureResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Nothing is begun that would have to be ended."""
        return empty_pb2.Empty()

    def Remediate(self, request: Any, context: Any) -> Any:
        """Nothing is changed: who may enter is the program's to say. Code of dynamic providers is shown here only."""
        if code := dynamic_code(request):
            with self._lock:
                self._code[request.urn] = code
        return proto.RemediateResponse()

    def Analyze(self, request: Any, context: Any) -> Any:
        """Keep what the program asks for; in an update, judge it before it is made."""
        with self._lock:
            return self._response("A resource", lambda: self._resource(request))

    def AnalyzeStack(self, request: Any, context: Any) -> Any:
        """Judge the whole: in preview what is known or declared of it, after an update what came of it."""
        with self._lock:
            self._over = True
            return self._response("The stack", lambda: self._stack(request))

    def _response(self, what: str, judged: Callable[[], Iterable[Judged]]) -> Any:
        try:
            said = [self._diagnostic(one) for one in judged()]
        except Exception as error:  # what cannot be read is not proved
            said = [self._diagnostic(_failure(what, error))]
        return proto.AnalyzeResponse(diagnostics=said)

    def _resource(self, request: Any) -> Iterable[Judged]:
        if self._over:  # the engine has begun another analysis
            self._asked, self._gate, self._over, self._said = {}, None, False, set()
        resource = as_exported(asked_for(request, self._naming))
        if code := self._code.get(resource.urn):
            resource = replace(resource, inputs={**(resource.inputs or {}), **code})
        self._asked[resource.urn] = resource
        if self._dry_run:
            return ()
        self._to_make = [resource]
        if self._gate is None:
            self._before = self._state(resource.urn, self._named)
            self._gate = Gate(
                self._before,
                self._mandatory,
                made=partial(self._state, resource.urn),
                own_account=own_account,
                beside=self._other_stacks(resource.urn),
            )
        if provider := provider_of(request):
            self._gate.show(provider)
        if is_left_out(request, resource):
            return ()
        if not self._gate.concerns(resource, request.options.aliases):
            self._gate.show(resource, request.options.aliases)
            return ()
        found = self._gate.judge(resource, request.options.aliases)
        self._said |= set(map(_content, found))
        return [Judged(one, mandatory=True) for one in found]

    def _stack(self, request: Any) -> Iterable[Judged]:
        """What is found in the whole. `pulumi policy analyze` asks about each resource first: nothing is said twice."""
        snapshot = self._snapshot(request.resources)
        self._to_make = self._new_in(snapshot)
        beside = self._other_stacks(snapshot.resources[0].urn) if snapshot.resources else None
        graph, own = graph_of(snapshot, None), None
        judged = self._judged(graph)
        if any(one.mandatory for one in judged) and (own := own_account(snapshot.of_type(PROVIDER))):
            graph = graph_of(snapshot, own)
            judged = self._judged(graph)
        theirs: list[Judged] = []
        joined, before = graph, cache(partial(self._graph_before, snapshot, own, beside))
        if beside is not None:
            judged, theirs, joined = beside.judged(judged, judged, graph, own, before)
        if self._dry_run:
            judged, later = deferred(graph, judged, joined, option=self._option)
            judged += later
            if beside is not None:
                theirs += [as_of(beside.others)]
            elif self._is_on(OTHER_STACKS) and not any(one.finding.denied for one in judged):
                theirs += may_shut(graph, known_graph(before))
            if self._is_on(DOORS_CHANGED) and snapshot.resources:
                judged += doors_changed(joined, before)
        new = [one for one in (*judged, *theirs) if _content(one.finding) not in self._said]
        return _in_few_lines(of_providers_in_one(graph, new))

    def _new_in(self, snapshot: Snapshot) -> list[Resource]:
        """What is not there yet: neither by what a preview shows of it, nor by the state before."""
        new = [one for one in snapshot.resources if not one.is_there]
        with suppress(Refusal):  # `doors-changed` says that the state cannot be read
            state = self._state(new[0].urn, self._named) if new else None
            there = {(one.urn, one.text("name")) for one in state.resources} if state else set()
            return [one for one in new if (one.urn, one.text("name")) not in there]
        return new

    def _judged(self, graph: Graph) -> list[Judged]:
        return list(judge(graph, self._rules, settings_alone(self._configuration), datetime.now(UTC)))

    def _graph_before(self, snapshot: Snapshot, own: str | None, beside: Beside | None) -> Graph | None:
        """The graph as it was before the operation, beside the other stacks; None where that is not known.

        Without what AWS keeps though the operation does not show it: nothing of that is gone.
        """
        state = self._state(snapshot.resources[0].urn, self._named) if self._dry_run else self._before
        if state is None:
            return None
        there = tuple(one for one in state.resources if not one.stays or one.urn in snapshot.by_urn)
        graph = graph_of(replace(state, resources=there), own and own_account(state.of_type(PROVIDER)))
        return beside.joined(graph, own) if beside else graph

    def _snapshot(self, found: Iterable[Any]) -> Snapshot:
        there: list[Resource] = []
        left_out: list[Resource] = []
        found = list(found)
        shown = {one.urn for one in found}
        for one in found:
            asked = self._asked.get(one.urn)
            (left_out if is_left_out(one, asked) else there).append(
                as_exported(settled(one, asked, shown, self._naming))
            )
        return Snapshot(tuple(there), left_out=tuple(left_out))

    def _is_on(self, policy: str) -> bool:
        return self._configuration.get(policy, {}).get(LEVEL) != "disabled"

    @property
    def _named(self) -> object:
        """The file that the configuration names as the state before."""
        return self._configuration.get(DOORS_CHANGED, {}).get("state")

    @staticmethod
    def _state(urn: str, named: object = None) -> Snapshot | None:
        """The state of the stack in the file that is named, else as it is now, where it can be reached."""
        scope, project = urn.split("::")[:2]
        return state_before(project, scope.removeprefix("urn:pulumi:"), None if named is None else str(named))

    def _other_stacks(self, urn: str) -> Beside | None:
        """The stacks whose states are named, read once: each resource that lacks a key asks for them."""
        if self._beside is None:
            self._beside = other_states(self._configuration, project_of(urn), rules=self._rules)
        return self._beside

    def _mandatory(self, graph: Graph) -> Iterable[Finding]:
        """Only what stops an update: nobody reads advice about a resource that is about to be made.

        Nor is an exception unused before the last resource is made: the stack phase judges that.
        """
        rules = (rule for rule in self._rules if level_of(rule, self._configuration) in MANDATORY)
        found = judge(graph, rules, settings_alone(self._configuration), datetime.now(UTC))
        return (one.finding for one in found if one.mandatory and not one.finding.about_exception)

    def _diagnostic(self, judged: Judged) -> Any:
        finding = judged.finding
        text = with_stand_ins(finding.text, self._to_make)
        policy = BY_NAME[FAIL_CLOSED if judged.failed else finding.rule]
        return proto.AnalyzeDiagnostic(
            policyName=policy.name,
            policyPackName=NAME,
            policyPackVersion=version("twokeys"),
            description=policy.description,
            message="\n".join(map(printable, (policy.description, *text.split("\n")))),
            urn=finding.urn or "",
            enforcementLevel=proto.MANDATORY if judged.mandatory else proto.ADVISORY,
            severity=_severity(finding.severity or policy.severity),
        )


def _in_few_lines(judged: list[Judged]) -> Iterable[Judged]:
    """What stops the operation; and advice, of which more than a few pieces are one a rule, so that people read it."""
    advice: dict[str, list[Finding]] = defaultdict(list)
    for one in judged:
        if one.mandatory:
            yield one
        else:
            advice[one.finding.rule].append(one.finding)
    few = sum(map(len, advice.values())) <= _FEW
    for first, *others in advice.values():
        if few or not others:
            yield from (Judged(one, mandatory=False) for one in (first, *others))
        else:
            names = listed([(one.urn or "").rpartition("::")[2] for one in others])
            message = f"{first.message}, and {len(others)} more of this rule: {names}"
            yield Judged(replace(first, message=message), mandatory=False)


def _content(finding: Finding) -> tuple[object, ...]:
    return (finding.rule, finding.urn, finding.door, finding.message)


def _failure(what: str, error: Exception) -> Judged:
    if isinstance(error, Refusal):
        message = f"{error.what[:1].upper()}{error.what[1:]} ({error.where}): {error.why}"
        return Judged(Finding(message, error.next_step, rule=FAIL_CLOSED), mandatory=True)
    message = f"{what} cannot be read ({type(error).__name__}: {error}), so nothing about it is proved"
    return Judged(Finding(message, _DEFECT, rule=FAIL_CLOSED), mandatory=True)


def _severity(severity: Severity) -> Any:
    return proto.PolicySeverity.Value(f"POLICY_SEVERITY_{severity.upper()}")


def _policy_info(policy: Policy) -> Any:
    info = proto.PolicyInfo(
        name=policy.name,
        description=policy.description,
        enforcementLevel=proto.MANDATORY if policy.mandatory else proto.ADVISORY,
        severity=_severity(policy.severity),
        remediation_steps=policy.remediation,
        url=policy.url,
        policy_type=proto.POLICY_TYPE_STACK,
    )
    schema = policy.schema
    if schema.get("properties"):
        info.configSchema.properties.update(schema["properties"])
        info.configSchema.required.extend(schema.get("required", ()))
    return info
