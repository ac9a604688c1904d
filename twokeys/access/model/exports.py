"""The keys that live in other stacks, as those stacks export them and a stack reference brings them here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from twokeys.access.model.documents import Document, Documents
from twokeys.access.model.door_name import DoorName
from twokeys.access.model.not_proved import NotProved
from twokeys.access.model.principals import INLINE_POLICIES, Identity, Principals
from twokeys.access.reading.snapshot import STACK, Referred, Snapshot, mapping, project_of
from twokeys.access.reading.type_names import ROLE
from twokeys.doors import (
    ACCOUNT_OUTPUT,
    DOORS_OUTPUT,
    GRANTS_OUTPUT,
    IDENTITIES_OUTPUT,
    MEMBERS_OUTPUT,
    PEOPLE_OUTPUT,
    POLICIES_OUTPUT,
    ROLES_OUTPUT,
    USERS_OUTPUT,
    ExportedDoor,
    ExportedGrant,
    ExportedPolicy,
    SymbolicDocument,
)
from twokeys.iam import UNKNOWN, Arn, PolicyError, PolicyKind

_UPDATE = "let that stack and this program use one version of TwoKeys: update the older one"
_SAID_ONLY = "this program says so, and nothing shows that it is what a reference to that stack gives"
_REFER = "let OtherStack refer to that stack itself, or give it the outputs of a pulumi.StackReference as they are"
_OUTPUTS: tuple[tuple[str, type[ExportedDoor] | type[ExportedGrant] | type[ExportedPolicy]], ...] = (
    (DOORS_OUTPUT, ExportedDoor),
    (GRANTS_OUTPUT, ExportedGrant),
    (POLICIES_OUTPUT, ExportedPolicy),
)


@dataclass(frozen=True, slots=True)
class _Key:
    stack: str
    document: SymbolicDocument


class Exported:
    """The exported documents of every stack that the snapshot refers to and does not hold.

    Of a stack that it holds, its resources say what is there now; an export that another stack once read may be old.
    Who was in that and is not there now is `gone`, and not somebody of whom nothing is known.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.not_proved: list[NotProved] = []
        """The outputs of other stacks about doors, such as `doors`, that cannot be read, or believed."""
        self.members: dict[tuple[str, str], frozenset[str]] = {}
        """The users of a group, by account and group, where a referenced stack tells them."""
        self.outputs: dict[str, Mapping[str, object]] = {}
        """The outputs of each stack."""
        self.policies: dict[str, list[ExportedPolicy]] = {}
        """The control policies of each stack's organization."""
        self._keys: list[_Key] = []
        self.gone: set[tuple[str, str, str]] = set()
        """Whom a stack of the snapshot made, as another one once read of it, and says no more that it makes."""
        held = {project_of(resource.urn) for resource in snapshot.resources} if snapshot.referred else set()
        old: list[Referred] = []
        for referred in snapshot.referred:
            if referred.project not in held:
                self._read(referred)
            elif referred.shown:
                old.append(referred)
        if old:
            self._compare(old, snapshot)

    def _compare(self, old: Sequence[Referred], snapshot: Snapshot) -> None:
        """Who is gone of those whom others once read of. What a stack does not tell, or told before that, is no answer,
        nor is what it tells of accounts that it has nobody in; who moved to another stack is there.
        """
        says = {project_of(one.urn): one.outputs for one in snapshot.of_type(STACK)}
        moments = {one.stack: one.moment for one in snapshot.evidence if one.stack and one.moment}
        there = set(chain.from_iterable(map(made_by, [*says.values(), *self.outputs.values()])))
        for referred in old:
            told, now = says.get(referred.project, {}), moments.get(referred.project)
            read = moments.get(project_of(referred.resource.urn))
            if now is None or read is None or now >= read:
                of = {
                    one: value for one, value in referred.outputs.items() if isinstance(told.get(one), (str, Mapping))
                }
                accounts = {"", *_groups(told)[:1], *(account for account, _, _ in made_by(told))}
                self.gone |= {one for one in made_by(of) if one[0] in accounts} - there

    def _read(self, referred: Referred) -> None:
        stack, outputs = referred.stack, referred.outputs
        if not referred.shown:
            if any(outputs.get(output) for output, _ in _OUTPUTS):
                self._doubt(referred, _SAID_ONLY, _REFER)
            return
        self._read_members(outputs)
        self.outputs[stack], self.policies[stack] = outputs, []
        for output, model in _OUTPUTS:
            for item in _listed(outputs, output):
                try:
                    exported = model.read(item, newer=False)
                except ValueError as error:
                    self._doubt(referred, f"it cannot be read: {output}: {error}", _UPDATE)
                    continue
                if isinstance(exported, ExportedPolicy):
                    self.policies[stack].append(exported)
                else:
                    self._keys.extend(_Key(stack, document) for document in exported.documents)

    def _doubt(self, referred: Referred, why: str, step: str) -> None:
        what, door = f"What stack {referred.stack} exports about doors", DoorName(f"stack {referred.stack}", "*")
        self.not_proved.append(NotProved(what, why, step, door, referred.resource.urn))

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts that the exported doors' documents belong to."""
        return frozenset(key.document.account for key in self._keys)

    @property
    def documents(self) -> list[SymbolicDocument]:
        """The exported documents themselves."""
        return [key.document for key in self._keys]

    def _read_members(self, outputs: Mapping[str, object]) -> None:
        account, groups = _groups(outputs)
        for group, users in groups.items():
            if isinstance(users, list) and all(isinstance(user, str) for user in users):
                self.members[account, group] = frozenset(users)

    def join(self, principals: Principals, documents: Documents) -> list[Identity]:
        """Give the principals what other stacks give them; returns the roles of other stacks whose trust is known."""
        roles: dict[str, Identity] = {}
        for key in self._keys:
            declared = key.document
            if declared.type == ROLE and declared.property == "assumeRolePolicy":
                role = self._role(key, principals, documents)
                if role is not None:
                    roles[role.arn] = role
            elif kind := INLINE_POLICIES.get(declared.type):
                holder = principals.mentioned(declared.account, kind, declared.properties.get(kind, declared.name))
                document = self._document(key, documents, PolicyKind.IDENTITY)
                if all(document.policy != known.policy for known in holder.documents):
                    holder.documents.append(document)
        return list(roles.values())

    def _role(self, key: _Key, principals: Principals, documents: Documents) -> Identity | None:
        declared = key.document
        name, path = declared.properties.get("name", declared.name), declared.properties.get("path", "/")
        role = principals.mentioned(declared.account, "role", name, path=path)
        if role.urn is not None:
            return None
        role.trust = self._document(key, documents, PolicyKind.TRUST)
        return role

    def _document(self, key: _Key, documents: Documents, kind: PolicyKind) -> Document:
        title = f"{key.document.property} of {key.document.name} in stack {key.stack}"
        parsed = documents.parse(key.document.document, kind)
        if isinstance(parsed, PolicyError):
            why = f"what stack {key.stack} exports cannot be read: {parsed}"
            return Document(UNKNOWN, title, problem=why, stack=key.stack)
        return Document(parsed, title, stack=key.stack)


def _groups(outputs: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
    """The account in which people live and its groups; no groups where one of the two is not known."""
    account = outputs.get(PEOPLE_OUTPUT) or outputs.get(ACCOUNT_OUTPUT)
    return (account, mapping(outputs.get(MEMBERS_OUTPUT))) if isinstance(account, str) else ("", {})


def made_by(outputs: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Whom a stack says that it makes, by account, kind and name; users and groups of Identity Center by their ids."""
    account, groups = _groups(outputs)
    yield from ((account, "group", group) for group in groups)
    for arn in chain.from_iterable(mapping(outputs.get(output)).values() for output in (USERS_OUTPUT, ROLES_OUTPUT)):
        if isinstance(arn, str) and (principal := Arn.parse(arn)) and principal.kind:
            yield principal.account, principal.kind, principal.name
    yield from (("", "identity-center", id_) for id_ in mapping(outputs.get(IDENTITIES_OUTPUT)).values() if id_)


def _listed(outputs: Mapping[str, object], output: str) -> Iterator[object]:
    listed = outputs.get(output)
    yield from listed if isinstance(listed, list) else ()
