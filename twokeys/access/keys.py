"""Which keys are missing: the one place that turns a graph into statements about single keys.

The two rules about keys and the one about what is not proved read these statements; none of them decides again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

from twokeys.access.configuration import OTHER_STACKS
from twokeys.access.findings import declaring, where_declared
from twokeys.access.graph import SHOW_SECRETS, Door, Grant, Graph, Key, Trust
from twokeys.access.judge import Judge
from twokeys.access.model.access_roles import CONTROL_TOWER
from twokeys.access.model.documents import Document
from twokeys.access.model.door_name import EXCEPT, DoorName, exception_text, is_made_up, may_be_called
from twokeys.access.model.names import EVERYONE
from twokeys.access.model.principals import HOLDERS, Identity, Principal
from twokeys.access.model.requirements import in_words, window
from twokeys.access.paths import leading_out
from twokeys.access.reading.snapshot import items, mapping, stack_of
from twokeys.doors import PROPERTY
from twokeys.doors.documents import KeyName
from twokeys.iam import UNKNOWN, Arn, Outcome, PolicyKind, is_account_id, parse_arn
from twokeys.iam.external_id import asks_for_external_id
from twokeys.iam.globs import glob
from twokeys.iam.sts import permission_set_of
from twokeys.shown import in_utc, listed

_DENIES = " denies it"
_NAME_ACCOUNTS = f"name the accounts in the instances of the StackSet, or {EXCEPT}"
PIN = (
    "set allowed_account_ids of that provider to the one account that it works in (of a default provider: "
    "aws:allowedAccountIds in the stack's config, or `twokeys preview --account ID`)"
)
_IMPORT = (
    "take that role into this program (option import_), so that the pack is shown its policies, read the stack that "
    f"makes it by the component OtherStack, or {EXCEPT}"
)
_TAKE_IN = f"take that policy into this program, so that the pack is shown what it says, or {EXCEPT}"
_WRITE_AGAIN = (
    "run `pulumi up --refresh` in the stack of that role: AWS shows a unique id in that place of the trust policy, so "
    "the update writes the name again (as does any change of the policy, such as a Sid)"
)
_OTHER_FIRST = " (in its own stack, which goes first, and export its state again)"
_HIDDEN = "is made from something that this program only reads, and the engine shows a policy nothing that is only read"


class Lack(Enum):
    """What is the matter with a door."""

    GRANT = "the grant key is missing"
    TRUST = "the trust key is missing"
    PROOF = "a key is not proved"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence about one door, with the next step; the fields are those of a finding."""

    lack: Lack
    message: str
    next_step: str
    door: DoorName
    urn: str | None
    source: str | None = None
    advice: bool = False
    denied: bool = False


def statements(graph: Graph) -> Iterator[Statement]:
    """Everything that keeps the graph from showing two keys at every door.

    A door with no key at all is no door, and a door within one account is none either. People of an identity provider
    and services hold no grants, and the grant of an outsider is nobody's here: rules of their own look at those doors.
    """
    reader = _Reader(graph)
    for one in graph.not_proved:
        yield Statement(Lack.PROOF, one.message, one.next_step, one.door, one.urn, one.source, one.advice)
    yield from reader.unpinned()
    for door in graph.doors:
        yield from reader.door(door)
    yield from reader.holders_of_the_unknown()
    for trust in graph.open_trusts:
        yield from reader.open_trust(trust)
    for grant in graph.lone_grants:
        yield from reader.lone_grant(grant)


def read_too(graph: Graph, stack: str) -> str:
    """The next step where another stack has what is missing: its state, or in a program its outputs."""
    if graph.snapshot.is_state:
        return f"read the state of {stack} together with this one (`--state` may be repeated)"
    beside = (one.removeprefix("urn:pulumi:").split("::") for one in graph.snapshot.beside)
    read = ", ".join(sorted(f"{project}/{name}" for name, project in beside))
    again = f"add it to {read}, in which it is not (if its state is old, export it again); or " if read else ""
    return (
        f"{again}name the state of {stack} in the configuration of the policy pack: "
        f'{{"{OTHER_STACKS}": {{"states": ["FILE"]}}}} (or read it by the component OtherStack; '
        "before it has a state, `twokeys preview` takes both stacks)"
    )


class _Reader:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._accounts = graph.accounts
        self._judge = Judge(graph.guards, graph.accounts)
        chains = [entry.assumes for entry in graph.accounts.entries if entry.assumes]
        self._steps = {step for chain in chains for step in pairwise(chain)}
        self._assumed = {role for chain in chains for role in chain}
        self._spoken_of = {one.document for one in graph.not_proved} - {None}
        self._entered = self._accounts.members | {
            self._accounts.of_provider(entry.urn) for entry in graph.accounts.entries if entry.assumes != ()
        }
        self._leads_out = leading_out(graph)
        assignments = graph.identity_center.assignments
        self._of_sets = {one.role for one in assignments if one.permission_set and one.permission_set.resource}
        self._asked = {(door.source, door.target) for door in graph.doors if door.asked}
        self._through_members = graph.entered_by_members()

    def unpinned(self) -> Iterator[Statement]:
        """Principals in an account that nobody knows: whatever a document says of them means nothing yet."""
        concerned: dict[Principal, str] = {}
        for door in self._graph.doors:
            if door.source.kind not in (*HOLDERS, "outsider"):  # no account is theirs, so it matters to nobody
                continue
            if door.source.kind == "outsider" and asks_for_external_id(door.trust.requirements):
                continue  # wherever the role lives, that is a third party, or nobody from outside
            named = door.asked or door.source.kind == "outsider"
            if not self._pinned(door.target) and door.target.urn is not None and named:
                concerned.setdefault(door.target, f"its trust policy names {door.source.arn}")
            elif not self._pinned(door.source) and door.asked:
                concerned.setdefault(door.source, f"it is granted {door.target.arn}")
        for trust in self._graph.open_trusts:
            if not self._pinned(trust.role) and trust.names != EVERYONE:
                concerned.setdefault(trust.role, f"its trust policy names {trust.names}")
        for grant in self._graph.lone_grants:
            if not self._pinned(grant.source):
                concerned.setdefault(grant.source, f"it is granted {grant.resource}")
        for principal, why in concerned.items():
            about = (
                f"The {principal.label} lives in account {self._account(principal)}, and {why}: "
                "whether that is a door is not proved"
            )
            side = DoorName("*", principal.arn) if principal.trust is not None else DoorName(principal.arn, "*")
            step = _NAME_ACCOUNTS if self._accounts.is_of_stack_set(principal.account) else PIN
            resources = self._graph.snapshot.by_urn
            made = resources.get(principal.urn or "")
            provider = resources.get(made.provider or "") if made else None
            if provider is not None and provider.hides_secret:
                step = SHOW_SECRETS
            yield Statement(Lack.PROOF, about, step, side, principal.urn, principal.source)

    def door(self, door: Door) -> Iterator[Statement]:
        """One door that one side asks for by name. What a provider's chain steps through is used, so it is there."""
        if not (isinstance(door.source, Identity) and door.asked):
            return
        if not (self._pinned(door.source) and self._pinned(door.target)):
            return
        trust, grant = door.trust_key, door.grant_key
        if trust is not Key.MISSING and (door.source.arn, door.target.arn) in self._steps:
            return
        unsettled = self._unsettled(door)
        # `not_proved` speaks of the unknown document, which says whom it is about as soon as that name is known
        waits = unsettled in (door.source, door.target) and Key.UNPROVED in (trust, grant)
        if unsettled is not None and Key.PRESENT in (trust, grant) and not waits:
            yield self._not_settled(door, unsettled)
        elif trust is Key.PRESENT and grant is Key.MISSING and door.target.urn is not None:
            yield self._without_grant(door, door.source)
        elif self._asks_for_trust(door):
            through = ((one, door.target) in self._through_members for one in (door.source, *door.source.groups))
            if door.target.named_anew(door.source) or not any(through):
                yield self._without_trust(door, door.source)
        elif Key.UNPROVED in (trust, grant) and Key.MISSING not in (trust, grant):
            yield from self._unproved(door)
        elif trust is grant is Key.PRESENT and door.outcome is Outcome.DENY:
            yield self._impossible(door)
        elif made := door.target.named_anew(door.source):
            about = (
                f"The trust policy of role {self._accounts.located(door.target)} is older than {door.source.label}, "
                f"made or imported on {in_utc(made)}: if made anew under its name, nobody comes in by it"
            )
            step = f"{_WRITE_AGAIN}; if nothing changes, the trust is sound"
            yield replace(_about(door, Lack.PROOF, about, step, door.target), advice=True)

    def _unsettled(self, door: Door) -> Principal | None:
        """A principal of the stack that the door may be about, or may not: its name or path is not known yet.

        Where both keys are there, a name that is still to be made up behind a prefix takes none away: no document can
        name it.
        """
        shown = door.trust_key is Key.PRESENT and door.grant_key is Key.PRESENT
        for side in (door.source, door.target):
            there = self._may_be(side.kind, side.account, side.name) if side.urn is None else ()
            for principal in (side, *there):
                if principal.unsettled and not (shown and principal.prefixed):
                    return principal
        return None

    def _may_be(self, kind: str, account: str, name: str) -> Sequence[Principal]:
        """The principals with a name or a path to come, without those that surely are not called so."""
        return [one for one in self._graph.principals.unsettled(kind, account) if self._may_be_called(one, name)]

    def _may_be_called(self, one: Principal, name: str) -> bool:
        made = self._graph.snapshot.by_urn[one.urn or ""]
        if one.unsettled == "path":
            return glob(name).matches(one.name)
        anyhow = glob(name).wild or made.asked("name") is UNKNOWN or "?" not in one.name
        return anyhow or may_be_called(made, name)

    def _not_settled(self, door: Door, unsettled: Principal) -> Statement:
        resource = self._graph.snapshot.by_urn[unsettled.urn or ""]
        about = (
            f"{self._called(door)} is not proved: the {unsettled.unsettled} of {unsettled.kind} {resource.name} is not "
            "known yet, so nothing says which documents are about it"
        )
        step = f"give {unsettled.kind} {resource.name} a {unsettled.unsettled} that is known in preview"
        return _about(door, Lack.PROOF, about, step, unsettled)

    def _without_grant(self, door: Door, source: Identity) -> Statement:
        role = door.target
        to_write = self._to_write(role)
        about = f"Role {self._accounts.located(role)} trusts {source.arn} of account {self._account(source)}"
        dates = [in_words(one) for one in door.trust.requirements if window([one]) != (None, None)]
        dated = f", whose trust policy admits it {' and '.join(dates)}" if dates else ""
        holder = f"permission set {permission_set_of(source.name)}" if source in self._of_sets else source.label
        beside = self._graph.snapshot.beside and (source.urn is None or self._graph.snapshot.is_beside(source.urn))
        first = _OTHER_FIRST if beside else ""
        out = f"or take {source.label} out of the trust policy"
        both = self._both_keys(role.urn, "trust")
        step = both or f"give {holder} a policy that allows sts:AssumeRole on {to_write}{dated}{first}, {out}"
        unpinned, elsewhere = self._namesakes(source.kind, source.account, source.name)
        elsewhere = [one for one in elsewhere if not any(declaring(self._graph.snapshot, one.urn))]  # roles to enter
        if source.urn is not None or source in self._of_sets or any(True for _ in source.all_documents):
            why = denial(door, "grant")
            if denied := why is not None:
                let = f"let {source.label} assume {to_write}"
                step = f"{past(why, let)}, {out}"
            elif excluding := self._judge.excluding(source, role, "grant"):
                why = f"{source.label} is granted it only under {' and '.join(excluding)}, which it cannot meet"
                step = f"correct that condition, {out}"
            why = why or f"no policy of {source.label} grants sts:AssumeRole on it"
            about += f", but {why}: the grant key is missing"
            return replace(_about(door, Lack.GRANT, about, step, role), denied=denied)
        if unpinned:
            about += f", but {source.label} of this stack lives in account {self._account(unpinned[0])}"
            return _about(door, Lack.PROOF, about + ": the grant key is not proved", PIN, role)
        if source.kind == "role" and permission_set_of(source.name):
            about += ", but what that role may do is said by a permission set of IAM Identity Center, which is not read"
            step = (
                f"see that the permission set allows sts:AssumeRole on {to_write}, and {EXCEPT}; or let people "
                "enter that account itself by a permission set (`via: identity-center`)"
            )
            return _about(door, Lack.PROOF, about + ": the grant key is not proved", step, role)
        if self._hidden(role.urn, "assumeRolePolicy"):
            about += f", but that policy {_HIDDEN}: the grant key is not proved"
            step = f"write the grant into this program as a policy of that {source.kind}, or {_IMPORT}"
            return _about(door, Lack.PROOF, about, step, role)
        if source.account in self._accounts.held:
            about += f", but this stack has neither that {source.kind} nor a grant for it"
            about += ": the grant key is missing"
            step += "" if both else self._if_elsewhere
            meant = self._if_meant(source.kind, source.account, source.name, elsewhere)
            step = self._of_group(role) or meant + step
            return _about(door, Lack.GRANT, about, step, role)
        about += ", but that account is not in this stack and no stack reference shows a grant"
        return _about(door, Lack.PROOF, about + ": the grant key is not proved", self._grant_elsewhere, role)

    def _without_trust(self, door: Door, source: Identity) -> Statement:
        role = door.target
        each = self._callers(source)
        why = next(filter(None, (denial(self._judge.door(one, role), "trust") for one in each)), None)
        excluding = [] if why else [said for one in each for said in self._judge.excluding(one, role, "trust")]
        anew = role.named_anew(source)
        names = "names neither it nor its account"
        if excluding:
            names = f"admits it only under {' and '.join(dict.fromkeys(excluding))}, which it cannot meet"
        elif anew:
            names = f"names it as it was before it was made anew on {in_utc(anew)}"
        about = (
            f"{source.kind.capitalize()} {source.name} of account {self._account(source)} is granted sts:AssumeRole on "
            f"role {self._accounts.located(role)}, but "
            f"{why or f'the trust policy of that role {names}'}: the trust key is missing"
        )
        named = self._to_write(source)
        if source.kind == "group":
            named = "those members of the group who are to come in (AWS takes no group there)"
        step = f"add {named} to the Principal of that role's trust policy, or remove the grant"
        step = self._of_group(role) or step
        if why:
            step = f"{past(why, f'let {named} in')}, or remove the grant"
        elif excluding:
            step = "correct that condition, or remove the grant"
        elif anew:
            step = f"{_WRITE_AGAIN}, or remove the grant"
        elif self._graph.snapshot.is_beside(role.urn):
            step += self._grant_first(Lack.TRUST, door.id)
        together = role.urn and self._graph.snapshot.is_beside(role.urn) == self._graph.snapshot.is_beside(source.urn)
        said = _about(door, Lack.TRUST, about, step, role if together or not source.urn else source)
        return replace(said, denied=why is not None and not why.startswith(PolicyKind.TRUST.value))

    def _callers(self, source: Identity) -> list[Identity]:
        """Who calls AWS: of a group its members, as no trust can name a group."""
        return [one for one in self._graph.principals if source in one.groups] or [source]

    def _unproved(self, door: Door) -> Iterator[Statement]:
        """Said once: what hangs on a document that `not_proved` already speaks of is not repeated for each door."""
        source, role = door.source, door.target
        unknown = [document for document in _documents(door) if document.policy is UNKNOWN]
        if unknown and all(document.urn is not None for document in unknown):
            return
        key, verdict = ("trust", door.trust) if door.trust_key is Key.UNPROVED else ("grant", door.grant)
        if key == "trust" and role.trust in self._spoken_of:
            return
        reasons = [f"{document.title}: {document.problem}" for document in unknown if document.urn is None]
        about = f"{self._called(door)} has a {key} key that is not proved: {'; '.join(reasons or verdict.unknowns)}"
        step = _TAKE_IN if reasons else f"write the {key} as a policy of its own in this stack, or {EXCEPT}"
        if any(document.hidden for document in _documents(door)):
            step = SHOW_SECRETS
        yield _about(door, Lack.PROOF, about, step, role if role.urn else source)

    def _impossible(self, door: Door) -> Statement:
        """Two keys, each under conditions, that no request turns at once."""
        conditions = " and ".join(map(str, (*door.trust.requirements, *door.grant.requirements)))
        about = f"{self._called(door)} has two keys that no request can turn at once: {conditions}"
        step = "let the grant and the trust policy ask for the same, or remove one of them"
        return _about(door, Lack.GRANT, about, step, door.target if door.target.urn else door.source)

    def holders_of_the_unknown(self) -> Iterator[Statement]:
        """Principals with a policy made elsewhere that nobody knows: whatever a trust opens to a grant may be open.

        Within one account that matters where the role leads on into another one.
        """
        doors: dict[Principal, list[Door]] = defaultdict(list)
        for door in (*self._graph.doors, *self._graph.steps):
            matters = not door.asked if door.crosses else door.target in self._leads_out
            if door.outcome is Outcome.UNKNOWN and matters:
                doors[door.source].append(door)
        for source, behind in doors.items():
            unknown = [one for one in source.bearing if one.policy is UNKNOWN and one.urn is None]
            if not unknown or not self._pinned(source):
                continue
            reasons = "; ".join(f"{document.title}: {document.problem}" for document in unknown)
            roles = [self._accounts.located(door.target) for door in behind]
            more = f" and {len(roles) - 3} more" if len(roles) > 3 else ""
            about = (
                f"What {source.label} of account {self._account(source)} may enter is not proved: {reasons}; trust "
                f"policies leave it to such grants who enters {', '.join(roles[:3])}{more}"
            )
            yield Statement(Lack.PROOF, about, _TAKE_IN, DoorName(source.arn, "*"), source.urn, source.source)

    def open_trust(self, trust: Trust) -> Iterator[Statement]:
        """A trust in an account as a whole, or in everyone: somebody has to hold a grant.

        What `wildcard-trust` refuses is not repeated, and the roles that AWS made hold every grant without being meant.
        Of an organization, a grant in the role's own account says nothing about the others.
        """
        role, account = trust.role, trust.account
        if role.urn is None or account == role.account or not self._pinned(role) or trust.names == EVERYONE:
            return
        meant = [door for door in trust.holders if door.crosses and not door.source.made_by_aws]
        if any(door.open or (door.asked and self._spoken_for(door)) for door in meant):
            return
        if self._program_enters(trust) or self._control_tower_enters(trust):
            return
        if any(door.outcome is Outcome.UNKNOWN for door in meant):
            return
        if account is None:
            named, whom = trust.names, f"organization {trust.names} as a whole"
        else:
            named = str(Arn.root(account, self._accounts.partition(account)))
            whom = f"account {self._accounts.name(account)} as a whole"
        door = DoorName(named, role.arn)
        of_aws = sorted({door.source.name for door in trust.holders if door.crosses and door.open})
        but = f" but {listed(of_aws)}" if of_aws else ""
        about = f"Role {self._accounts.located(role)} trusts {whom}, but "
        if account in self._accounts.closed:
            about += "that account is closed: the grant key is missing"
            yield Statement(Lack.GRANT, about, "take it out of the trust policy", door, role.urn, role.source)
        elif account is not None and account in self._accounts.held:
            about += f"nobody there{but} is granted sts:AssumeRole on it by this stack: the grant key is missing"
            step = f"give those who shall enter a policy that allows sts:AssumeRole on {self._to_write(role)}"
            yield Statement(Lack.GRANT, about, step + self._if_elsewhere, door, role.urn, role.source)
        else:
            about += (
                f"no principal of this stack or of a referenced one{but} is granted it: the grant key is not proved"
            )
            step = self._grant_elsewhere
            if account is None:
                step = f"name the principals that shall enter, {step}"
            yield Statement(Lack.PROOF, about, step, door, role.urn, role.source)

    def _spoken_for(self, door: Door) -> bool:
        """Whether `door` says what is missing: the grant, or the trust."""
        return door.trust_key is Key.PRESENT or self._asks_for_trust(door)

    def _asks_for_trust(self, door: Door) -> bool:
        """Whether a grant lacks the trust, and this stack has the grant, or a trust that a control policy shuts."""
        source, grant = door.source, door.grant_key
        if door.trust_key is not Key.MISSING:
            return False
        if grant is Key.UNPROVED and isinstance(source, Identity):
            grant = Key.PRESENT if self._judge.granted_already(source, door.target) else grant
        if grant is not Key.PRESENT:
            return False
        shut = door.target.urn is not None and _shut_by_control_policy(door)
        by_group = any((group, door.target) in self._asked for group in source.groups)
        return _given_here(source) or (shut and not by_group)

    def _program_enters(self, trust: Trust) -> bool:
        """A role that a provider of the stack assumes is in use by the credentials that run the program.

        Those are no member account's that a provider itself enters.
        """
        return trust.role.arn in self._assumed and trust.account is not None and trust.account not in self._entered

    def _control_tower_enters(self, trust: Trust) -> bool:
        """AWS makes AWSControlTowerAdmin in the management account, with a grant on that role of any account.

        https://docs.aws.amazon.com/controltower/latest/userguide/enroll-manually.html has this trust, and
        https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSControlTowerServiceRolePolicy.html the grant.
        """
        return trust.role.name == CONTROL_TOWER and trust.account == (self._accounts.management or "")

    def lone_grant(self, grant: Grant) -> Iterator[Statement]:
        """A grant on a role of another account that is not in the stack, or on a pattern that no role there answers."""
        source = grant.source
        arn = parse_arn(grant.resource)
        account, name = self._accounts.canonical(arn.account), arn.resource.partition("/")[2]
        if account == source.account or not self._pinned(source):
            return
        there, manager, named = self._accounts.name(account), self._accounts.management, self._to_write(source)
        door = DoorName(source.arn, grant.resource)
        unpinned, elsewhere = self._namesakes("role", account, name.rpartition("/")[2])
        at, line = grant.document.urn or source.urn, source.source
        of_aws = self._accounts.is_access_role(grant.resource) and self._graph.is_ours(account)
        if account in self._accounts.closed:
            lack, but, step = Lack.TRUST, "that account is closed", "remove the grant"
        elif of_aws and manager not in (None, source.account):
            but = f"AWS made that role to trust only the management account {self._accounts.name(manager)}"
            lack, step = Lack.TRUST, f"grant a role of account {there} that trusts {named}, or remove the grant"
        elif unpinned:
            lack, step = Lack.PROOF, PIN
            but = f"the role of that name lives in account {self._account(unpinned[0])}"
        elif unsettled := self._may_be("role", account, name.rpartition("/")[2]):
            lack, step = Lack.PROOF, "give that role a name and a path that are known in preview"
            but = f"the {unsettled[0].unsettled} of a role of this stack there is not known yet"
        elif self._hidden(grant.document.urn, "policy"):
            lack, step = Lack.PROOF, _IMPORT
            but = f"the {grant.document.title} {_HIDDEN}"
        elif account in self._accounts.held:
            but = "no role of this stack answers to that and trusts it"
            for one in elsewhere:
                if one.account == source.account and not self._graph.snapshot.is_beside(at):
                    at, line = one.urn, one.source
            step = self._both_keys(grant.document.urn, "grant") or (
                f"add the role with a trust policy that names {named}, or correct the ARN, or remove the grant"
                f"{self._if_elsewhere}"
            )
            step = self._if_meant("role", account, name.rpartition("/")[2], elsewhere) + step
            step += self._grant_first(Lack.TRUST, door) if self._graph.snapshot.beside else ""
            lack = Lack.TRUST
        else:
            but = "that account is not in this stack and no stack reference shows the role's trust"
            lack, step = Lack.PROOF, read_too(self._graph, "the stack that holds the trust")
            step += self._grant_first(Lack.PROOF, door)
        about = (
            f"{source.kind.capitalize()} {source.name} of account {self._account(source)} is granted sts:AssumeRole on "
            f"{grant.resource} in account {there}, but {but}: the trust key is "
            f"{'missing' if lack is Lack.TRUST else 'not proved'}"
        )
        yield Statement(lack, about, step, door, at, line)

    def _namesakes(self, kind: str, account: str, name: str) -> tuple[list[Principal], list[Principal]]:
        """The principals of the stack that are called so in accounts that are not known, and in other ones that are."""
        found = self._graph.principals.namesakes(kind, name)
        here = [one for one in found if one.account != account and not self._graph.snapshot.is_beside(one.urn)]
        return [one for one in here if not self._pinned(one)], [one for one in here if self._pinned(one)]

    def _if_meant(self, kind: str, account: str, name: str, namesakes: list[Principal]) -> str:
        """Whoever of the stack seems to be meant: whose name is spelt almost so, or who has another path or account."""
        if near := self._graph.principals.near(kind, account, name):
            return f"write {near.arn}, if that is meant, or "
        for one in namesakes[:1]:
            return f"make {one.label} with a provider of account {self._accounts.name(account)}, if that is meant, or "
        return ""

    def _of_group(self, role: Principal) -> str:
        """What writes the trust policy of a door for a group anew, where states tell that its members changed."""
        for component, name in declaring(self._graph.snapshot, role.urn if self._graph.snapshot.is_state else None):
            if mapping(mapping(component.get("door")).get("source")).get("kind") == "group":
                stack = stack_of(component.urn)
                return f"`pulumi up -s {stack}`: door {name} is for a group, and that writes its members into the trust"
        return ""

    def _both_keys(self, urn: str | None, key: KeyName) -> str:
        """How both keys are shown where a component makes only one of its door; else nothing."""
        for component, door in declaring(self._graph.snapshot, urn):
            accounts = {mapping(one).get("account") for one in items(component.get(PROPERTY))}
            if len(accounts) == 1:  # each key is in an account of its own
                other = "the grant" if key == "trust" else "the trust"
                take = f"take `keys: [{key}]` out of door {door} {where_declared(component, self._graph.snapshot)}"
                return f"{take}; where another stack makes {other}, {read_too(self._graph, 'that stack')}"
        return ""

    @property
    def _if_elsewhere(self) -> str:
        return f", or, if it is made in another stack, {read_too(self._graph, 'that stack')}"

    def _grant_first(self, lack: Lack, door: DoorName) -> str:
        """How a new door between two stacks is made: its grant first, as alone it opens nothing but AWS's own role."""
        names = self._graph.snapshot.names
        if self._graph.snapshot.is_state or not names or self._accounts.is_access_role(door.target):
            return f", or {EXCEPT}"
        rule = "door-needs-trust" if lack is Lack.TRUST else "unproved-door"
        excepted = exception_text(rule, door, reason="its trust comes next", stack=names[1])
        return (
            "; where another stack has still to make the trust, this grant goes first, as alone it opens nothing, by "
            f"an exception until that stack is updated and its state exported again: {excepted}"
        )

    @property
    def _grant_elsewhere(self) -> str:
        return f"{read_too(self._graph, 'the stack that holds the grant')}, or {EXCEPT}"

    def _hidden(self, urn: str | None, key: str) -> bool:
        resource = self._graph.snapshot.by_urn.get(urn or "")
        return resource is not None and key in resource.made_from_hidden

    def _called(self, door: Door) -> str:
        source, role = door.source, door.target
        whence, where = self._account(source), self._account(role)
        return f"The door from {source.arn} of account {whence} to role {role.arn} in account {where}"

    def _to_write(self, principal: Principal) -> str:
        """It as a document names it: no program can write what is not known yet, but has an output of it, and of an
        account to come a component declares it.
        """
        if not is_account_id(principal.account):
            return f"{principal.arn} (with CrossAccountAccess or `twokeys.declared`, as that id is not known yet)"
        made = self._graph.snapshot.by_urn.get(principal.urn or "")
        if made is not None and not made.is_there and is_made_up(made):
            return f"the output `arn` of {principal.kind} {made.name}"
        return principal.arn

    def _account(self, principal: Principal) -> str:
        return self._accounts.name(principal.account)

    def _pinned(self, principal: Principal) -> bool:
        return self._accounts.pinned(principal.account)


def _about(door: Door, lack: Lack, about: str, step: str, where: Principal) -> Statement:
    return Statement(lack, about, step, door.id, where.urn, where.source)


def _shut_by_control_policy(door: Door) -> bool:
    denied = (one.document for one in door.trust.decisions if one.effect == "Deny")
    return door.trust_key is Key.MISSING and any(one != PolicyKind.TRUST.value for one in denied)


def _given_here(source: Principal) -> bool:
    return source.urn is not None or any(document.stack is None for document in source.documents)


def _documents(door: Door) -> Iterator[Document]:
    if door.target.trust is not None:
        yield door.target.trust
    yield from door.source.bearing


def denial(door: Door, key: KeyName) -> str | None:
    """What keeps a key from turning although its own kind of document allows it, in words.

    None if it turns, perhaps under conditions, and if that document just does not allow it.
    """
    verdict, own = (door.trust, "trust") if key == "trust" else (door.grant, "identity")
    if verdict.outcome is not Outcome.DENY:
        return None
    for decision in verdict.decisions:
        sid = f" ({decision.sid})" if decision.sid else ""
        if decision.effect == "Deny":
            found = door.source.document_of(decision)
            return f"{found.title if found else decision.document}{sid}{_DENIES}"
        if decision.effect == "implicit deny" and own not in decision.document:
            return f"{decision.document} does not allow it"
    return None


def past(why: str, let: str) -> str:
    """The next step past a denial: another Allow does not help against a Deny."""
    return f"narrow the Deny of {why.removesuffix(_DENIES)}" if why.endswith(_DENIES) else f"{let} there too ({why})"
