"""APIs that ministack lacks as a whole, answered from a record of our own.

A record keeps what it is told and tells it again, per account: requests are signed and authorized like all others and
kept with ministack's state, but nothing acts on them. No analyzer analyzes, no anomaly is found. What an operation
takes and tells is read off botocore's own model of it.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from ministack.core import iam_actions, router
from ministack.core.responses import AccountScopedDict

from twokeys.sandbox.local_server.inside import app as ministack
from twokeys.sandbox.local_server.supplement import Answer, ApiError, Payload, answering

Operation: TypeAlias = Callable[[Payload], Payload]

STATE: Final = "twokeys_records"
"""The name of the kept state."""
_TAGS: Final = ("tags", "ResourceTags", "Tags")

_stores: dict[str, AccountScopedDict] = {}


def store(name: str) -> AccountScopedDict:
    """The record of one kind of object, kept under this name; keys and values are the service's own."""
    return _stores.setdefault(name, AccountScopedDict())


def install() -> None:
    """Keep the records with ministack's state, which calls the two functions below by their names."""
    ministack.state_map[STATE] = STATE
    ministack.loaded_modules[STATE] = sys.modules[__name__]


def get_state() -> Payload:
    """All records of all accounts."""
    return dict(_stores)


def load_persisted_state(data: Payload) -> None:
    """Take over what was kept."""
    for name, kept in data.items():
        store(name).update(kept)


@dataclass(frozen=True)
class Kind:
    """Objects that a service makes, changes, tells and deletes.

    Attributes:
        name: as in the names of operations ("AnomalyMonitor").
        key: the member by which requests name one.
        new: what the service itself says of a new one, its key among it, given the request.
        unique: members in which no two are the same.
        unknown: the error for one that is not there.
    """

    name: str
    key: str
    new: Operation
    unique: tuple[str, ...] = ()
    unknown: str = "ResourceNotFoundException"

    @property
    def kept(self) -> AccountScopedDict:
        """Those of the account, by key."""
        return store(self.name)

    def one(self, payload: Payload) -> Payload:
        """The one that a request names."""
        found: Payload | None = self.kept.get(payload[self.key])
        if found is None:
            raise ApiError(self.unknown, f"{self.name} {payload[self.key]} does not exist.")
        return found

    def create(self, payload: Payload) -> Payload:
        """Keep a new one."""
        said = self._said(payload)
        same = [said.get(member) for member in self.unique]
        if self.unique and any([one.get(member) for member in self.unique] == same for one in self.kept.values()):
            raise ApiError("ConflictException", f"{self.name} {same[-1]} exists.")
        one = {**said, **self.new(said)}
        self.kept[one[self.key]] = one
        return one

    def change(self, payload: Payload) -> Payload:
        """Keep what is said; what is left out stays."""
        one = {**self.one(payload), **self._said(payload)}
        self.kept[payload[self.key]] = one
        return one

    def delete(self, payload: Payload) -> Payload:
        """Forget it."""
        one = self.one(payload)
        self.kept.pop(payload[self.key])
        return one

    def _said(self, payload: Payload) -> Payload:
        """What a request says of it, whether beside its name or within a structure."""
        return {**{key: value for key, value in payload.items() if key != self.name}, **payload.get(self.name, {})}

    def listed(self, payload: Payload) -> list[Payload]:
        """Those that a request names, else those that are as it says."""
        if named := payload.get(f"{self.key}List"):
            return [self.one({self.key: key}) for key in named]
        return [one for one in self.kept.values() if all(one.get(key, said) == said for key, said in payload.items())]


def serve(
    service: str, kinds: tuple[Kind, ...], others: Mapping[str, Operation] | None = None, *, scope: str = ""
) -> None:
    """Answer a service of the AWS JSON or REST-JSON protocol.

    Args:
        service: as botocore calls it ("sso-admin").
        kinds: what it keeps.
        others: operations that are more than keeping and telling.
        scope: the name that its requests are signed for, and the prefix of its IAM actions, where it is another.
    """
    scope = scope or service

    def answer(name: str, payload: Payload) -> Answer:
        def operation(payload: Payload) -> Payload:
            own = (others or {}).get(name)
            if name not in _model(service).operation_names or not (own or kinds):
                raise ApiError("UnknownOperationException", f"The sandbox's record of {scope} has no operation {name}.")
            return own(payload) if own else _kept(service, kinds, name, payload)

        return answering(operation)(payload)

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> Answer:
        payload = json.loads(body or b"{}")
        if "x-amz-target" in headers:
            return answer(headers["x-amz-target"].rpartition(".")[2], payload)
        name, within = _routed(service, method, path.rstrip("/"), query)
        # ministack finds the action of a JSON request itself; that of a REST request only we know.
        refusal: Answer | None = ministack.enforce_data_plane(scope, f"{scope}:{name}", headers, {}, "")
        return refusal or answer(name, {**payload, **within})

    router.SERVICE_PATTERNS[scope] = {"credential_scope": scope}
    ministack.SERVICE_HANDLERS[scope] = handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE[scope] = scope


@cache
def _model(service: str) -> Any:  # noqa: ANN401 - botocore has no types
    import botocore.session  # noqa: PLC0415 - most local AWSs are never asked for one of these services

    return botocore.session.Session().get_service_model(service)


def _routed(service: str, method: str, path: str, query: Mapping[str, list[str]]) -> tuple[str, Payload]:
    """The operation of a REST request, and what its path and query say."""
    model = _model(service)
    operations = [model.operation_model(name) for name in model.operation_names]
    for operation in sorted(operations, key=lambda one: -len(one.http["requestUri"])):
        pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>.+)", operation.http["requestUri"].partition("?")[0].rstrip("/"))
        found = re.fullmatch(pattern, path) if operation.http["method"] == method else None
        if found:
            members = operation.input_shape.members if operation.input_shape else {}
            told = {
                name: query[name] if name in members and _is_list(members[name]) else query[name][0] for name in query
            }
            return operation.name, {**told, **{name: unquote(value) for name, value in found.groupdict().items()}}
    return f"{method} {path}", {}


def _kept(service: str, kinds: tuple[Kind, ...], name: str, payload: Payload) -> Payload:
    shape = _model(service).operation_model(name).output_shape
    if name in ("TagResource", "UntagResource", "ListTagsForResource"):
        return _told(shape, _retagged(kinds, payload))
    for kind in kinds:
        if name in (f"List{kind.name}s", f"Get{kind.name}s"):
            member, listed = next(one for one in shape.members.items() if _is_list(one[1]))
            whole = listed.member.type_name == "structure"
            return {member: [_told(listed.member, one) if whole else one[kind.key] for one in kind.listed(payload)]}
        for verb, does in (("Create", kind.create), ("Delete", kind.delete)):
            if name == verb + kind.name:
                return _told(shape, does(payload))
    kind = next(one for one in kinds if one.key in payload)
    return _told(shape, (kind.one if name.startswith(("Get", "Describe", "List")) else kind.change)(payload))


def _is_list(shape: Any) -> bool:  # noqa: ANN401 - as above
    return bool(shape.type_name == "list")


def _told(shape: Any, known: Payload, *, outer: bool = True) -> Payload:  # noqa: ANN401 - as above
    """What an answer tells of what is known, by the names of its members, or of the members of those."""
    answer: Payload = {}
    for member, inner in (shape.members if shape else {}).items():
        value = known.get(member)
        if value is None and outer and inner.type_name == "structure":
            value = _told(inner, known, outer=False) or None
        if value is not None:
            answer[member] = value
    return answer


def _retagged(kinds: tuple[Kind, ...], payload: Payload) -> Payload:
    """The object with that ARN, its tags changed as a request says."""
    arn = payload.get("ResourceArn") or payload.get("resourceArn")
    for kind in kinds:
        for key, one in kind.kept.items():
            if arn in one.values():
                name = next(member for member in _TAGS if member in {**payload, **one, "Tags": ()})
                old, new = one.get(name) or [], payload.get(name) or []
                gone = [key for member, keys in payload.items() if member.lower().endswith("tagkeys") for key in keys]
                if name == "tags":
                    tags: Any = {key: value for key, value in {**dict(old), **dict(new)}.items() if key not in gone}
                else:
                    pairs = {tag["Key"]: tag for tag in (*old, *new) if tag["Key"] not in gone}
                    tags = [pairs[key] for key in sorted(pairs)]
                kind.kept[key] = {**one, name: tags}
                return {**one, name: tags}
    raise ApiError("ResourceNotFoundException", f"{arn} does not exist.")
