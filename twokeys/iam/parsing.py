"""Policy documents, parsed strictly: what AWS refuses is refused, with its place."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from twokeys.iam.arn import ArnError, is_account, parse_arn
from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import Effect, PolicyDocument, PolicyKind, Statement
from twokeys.iam.json_text import JsonError, JsonNumber, Path, Position, Positions, read_json, read_quickly, render
from twokeys.iam.operators import operator_named
from twokeys.iam.principals import UNIQUE_ID, Principals
from twokeys.iam.truth import UNKNOWN, Unknown

_VERSIONS = ("2012-10-17", "2008-10-17")


class PolicyError(ValueError):
    """A document is not a policy that AWS accepts.

    Attributes:
        path: the JSON path of the offending element, `Statement[0].Principal.AWS[1]`; empty for the document itself.
        line, column: its place in the text, from 1; None when the document was not given as text.
        message: what is wrong, as a sentence without its full stop.
        rule: a short stable name of the broken rule, such as `unknown-operator`.
    """

    def __init__(self, message: str, *, path: str, rule: str, position: Position | None = None) -> None:
        self.message = message
        self.path = path
        self.rule = rule
        self.line = None if position is None else position.line
        self.column = None if position is None else position.column
        where = path or "the document"
        place = "" if position is None else f" (line {position.line}, column {position.column})"
        super().__init__(f"{where}{place}: {message}")


def parse_policy(source: str | bytes | Mapping[str, object], kind: PolicyKind = PolicyKind.IDENTITY) -> PolicyDocument:
    """Read a policy document, refusing what AWS refuses.

    Single values stand for lists of one wherever AWS says so. Element names, operators and the values of Effect and
    Version are compared exactly; action names and condition keys without case. A mapping may hold `UNKNOWN` in place
    of any value. Whether actions, keys or ARNs exist is not checked.

    Raises:
        PolicyError: and nothing else, for any input.
    """
    if not isinstance(source, _TEXTS):
        return _Reader(kind, {}).document(source)
    try:
        quick = read_quickly(source if isinstance(source, str) else source.decode())
        return _Reader(kind, {}, from_text=True).document(quick)
    except (ValueError, RecursionError):
        return _parsed_with_places(source, kind)


def _parsed_with_places(source: str | bytes, kind: PolicyKind) -> PolicyDocument:
    try:
        value, positions = read_json(source)
    except JsonError as error:
        path = render(error.path)
        raise PolicyError(error.message, path=path, rule=error.rule, position=error.position) from None
    return _Reader(kind, positions).document(value)


_ACTION = re.compile(r"[^\s:]+:[^\s:]+|\*+")
_RESOURCE = re.compile(r"arn:|\*+\Z")
_IAM_SID = re.compile(r"[A-Za-z0-9]*")
_CONDITION_KEY = re.compile(r"[^\s:]+:.+|[A-Za-z0-9_.-]+")
ELEMENTS = frozenset({
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
})  # fmt: skip
_PRINCIPAL_TYPES = {
    "AWS": "aws", "Service": "service", "Federated": "federated", "CanonicalUser": "canonical_user",
}  # fmt: skip
_TEXTS, _LISTS, _MAPPINGS, _NAMES = (str, bytes), (list, tuple), (dict, Mapping), (str, Unknown)
_WITHOUT_ID = frozenset({PolicyKind.SCP, PolicyKind.RCP})
_WITH_PRINCIPAL = frozenset({PolicyKind.TRUST, PolicyKind.RCP})


class _Reader:
    """Reads one document; knows its kind and where in the text each path stands."""

    def __init__(self, kind: PolicyKind, positions: Positions, *, from_text: bool = False) -> None:
        self._kind = kind
        self._from_text = from_text
        self._positions = positions
        self._variables = True
        self._sids: set[str] = set()

    def _error(self, message: str, path: Path, rule: str, *, at_key: bool = False) -> PolicyError:
        places = self._positions.get(path)
        position = None if places is None else places[0 if at_key else 1]
        return PolicyError(message, path=render(path), rule=rule, position=position)

    def document(self, value: object) -> PolicyDocument:
        elements = self._object(value, (), "a policy")
        for name in elements:
            if name not in ("Version", "Id", "Statement"):
                raise self._error(
                    f"{name!r} is not an element of a policy; Version, Id and Statement are",
                    (name,), "unknown-element", at_key=True,
                )  # fmt: skip
        if "Id" in elements and self._kind in _WITHOUT_ID:
            raise self._error(f"{self._kind} has no Id", ("Id",), "prohibited-element", at_key=True)
        version, unresolved = self._version(elements)
        if "Statement" not in elements:
            raise self._error("the policy has no Statement", (), "missing-element")
        statements, open_paths = self._statements(elements["Statement"])
        waiting = (*unresolved, *open_paths)
        return PolicyDocument(version, self._id(elements), statements, waiting, self._kind, self._from_text)

    def _version(self, elements: Mapping[str, object]) -> tuple[str | None, tuple[str, ...]]:
        version = elements.get("Version")
        if isinstance(version, Unknown):
            return None, ("Version",)
        if "Version" not in elements:
            self._variables = False
            return None, ()
        if not isinstance(version, str) or version not in _VERSIONS:
            # In YAML without quotes it is a moment, and Pulumi hands it over as Go prints one.
            quotes = "; write it in quotes" if str(version)[:10] in _VERSIONS else ""
            raise self._error(
                f"{_shown(version)} is not a version of the policy language; 2012-10-17 and 2008-10-17 are{quotes}",
                ("Version",), "unknown-version",
            )  # fmt: skip
        self._variables = version == "2012-10-17"
        return version, ()

    def _id(self, elements: Mapping[str, object]) -> str | None:
        value = elements.get("Id")
        if "Id" not in elements or isinstance(value, Unknown):
            return None
        return self._string(value, ("Id",), "an Id")

    def _statements(self, value: object) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
        if isinstance(value, Unknown):
            return (), ("Statement",)
        if not isinstance(value, _LISTS):
            return self._either(value, ("Statement",), 0), ()
        if not value:
            raise self._error("the policy has no statement", ("Statement",), "empty-list")
        statements: list[Statement] = []
        unresolved: list[str] = []
        for place, item in enumerate(value):
            path = ("Statement", place)
            if isinstance(item, Unknown):
                unresolved.append(render(path))
            else:
                statements += self._either(item, path, place)
        return tuple(statements), tuple(unresolved)

    def _either(self, value: object, path: Path, index: int) -> tuple[Statement, ...]:
        """The statement; one whose Effect is not resolved yet may allow, and may deny, what it is about."""
        elements = self._object(value, path, "a statement")
        if elements.get("Effect") is not UNKNOWN:
            return (self._statement(elements, path, index),)
        allow = self._statement({**elements, "Effect": "Allow"}, path, index)
        unresolved = (*allow.unresolved, f"{render(path)}.Effect")
        return replace(allow, unresolved=unresolved), replace(allow, effect="Deny", unresolved=unresolved)

    def _statement(self, elements: Mapping[str, object], path: Path, index: int) -> Statement:
        for name in elements:
            if name not in ELEMENTS:
                raise self._error(
                    f"{name!r} is not an element of a statement; element names are case-sensitive",
                    (*path, name), "unknown-element", at_key=True,
                )  # fmt: skip
        self._check_elements(elements, path)
        conditions, unresolved = self._conditions(elements, path)
        sid = self._sid(elements, path)
        principals = self._principals(elements, path)
        actions, not_actions = (self._element(elements, path, name) for name in ("Action", "NotAction"))
        resources, not_resources = (self._element(elements, path, name) for name in ("Resource", "NotResource"))
        effect = elements["Effect"]
        if effect not in ("Allow", "Deny"):
            raise self._error(
                f"{_shown(effect)} is not an effect; Allow and Deny are, case-sensitive", (*path, "Effect"), "effect"
            )
        said: Effect = "Allow" if effect == "Allow" else "Deny"
        what = actions, not_actions, resources, not_resources
        statement = Statement(sid, said, principals, *what, conditions, index, self._variables, unresolved)
        if self._kind is PolicyKind.RCP:
            self._check_rcp(statement, path)
        return statement

    def _check_elements(self, elements: Mapping[str, object], path: Path) -> None:
        kind = self._kind
        if "Effect" not in elements:
            raise self._error("the statement has no Effect", path, "missing-element")
        self._exactly_one(elements, path, "Action", "NotAction")
        for name in ("Principal", "NotPrincipal"):
            if name in elements and kind not in _WITH_PRINCIPAL:
                raise self._error(
                    f"{kind} has no {name}: it applies to what it is attached to",
                    (*path, name), "principal-in-identity-policy", at_key=True,
                )  # fmt: skip
        if "NotPrincipal" in elements:
            raise self._error(
                f"NotPrincipal cannot be used in {kind}", (*path, "NotPrincipal"), "not-principal", at_key=True
            )
        if kind in _WITH_PRINCIPAL and "Principal" not in elements:
            raise self._error("the statement has no Principal", path, "missing-element")
        if kind is PolicyKind.TRUST:
            for name in ("Resource", "NotResource"):
                if name in elements:
                    raise self._error(
                        f"a trust policy has no {name}: the role that it is attached to is the resource",
                        (*path, name), "resource-in-trust-policy", at_key=True,
                    )  # fmt: skip
        else:
            self._exactly_one(elements, path, "Resource", "NotResource")
        if kind is PolicyKind.RCP and "NotAction" in elements:
            raise self._error(
                "a resource control policy has no NotAction", (*path, "NotAction"), "prohibited-element", at_key=True
            )

    def _check_rcp(self, statement: Statement, path: Path) -> None:
        """Its Principal is `*`, and it denies; only AWS's own RCPFullAWSAccess allows.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
        """
        principals = statement.principals
        if principals is not None and not principals.unresolved and not principals.everyone:
            raise self._error(
                "the Principal of a resource control policy is '*'", (*path, "Principal"), "rcp-principal"
            )
        full_access = statement.actions == ("*",) and statement.resources == ("*",) and not statement.conditions
        if statement.effect == "Allow" and not full_access:
            raise self._error(
                "a resource control policy denies; only RCPFullAWSAccess allows", (*path, "Effect"), "rcp-effect"
            )

    def _exactly_one(self, elements: Mapping[str, object], path: Path, one: str, other: str) -> None:
        if one in elements and other in elements:
            message = f"{one} and {other} exclude each other"
            raise self._error(message, (*path, other), "exclusive-elements", at_key=True)
        if one not in elements and other not in elements:
            raise self._error(f"the statement has neither {one} nor {other}", path, "missing-element")

    def _sid(self, elements: Mapping[str, object], path: Path) -> str | None:
        value = elements.get("Sid")
        if "Sid" not in elements or isinstance(value, Unknown):
            return None
        path = (*path, "Sid")
        sid = self._string(value, path, "a Sid")
        if not _IAM_SID.fullmatch(sid):
            raise self._error(f"{_shown(sid)}: a Sid in IAM is made of letters and digits", path, "sid")
        if sid and sid in self._sids:
            raise self._error(f"the Sid {_shown(sid)} is there twice", path, "duplicate-sid")
        self._sids.add(sid)
        return sid

    def _principals(self, elements: Mapping[str, object], path: Path) -> Principals | None:
        if "Principal" not in elements:
            return None
        value, path = elements["Principal"], (*path, "Principal")
        if isinstance(value, Unknown):
            return Principals(unresolved=True)
        if value == "*":
            return Principals(everyone=True, bare=True)
        if isinstance(value, str):
            raise self._error(
                f"{_shown(value)}: a principal is '*' or an object such as {{\"AWS\": ...}}", path, "principal"
            )
        types = self._object(value, path, "a Principal")
        if not types:
            raise self._error("Principal names nobody", path, "empty-list")
        found: dict[str, tuple[str | Unknown, ...]] = {}
        for type_name, names in types.items():
            if type_name not in _PRINCIPAL_TYPES:
                raise self._error(
                    f"{type_name!r} is not a type of principal; AWS, Service, Federated and CanonicalUser are",
                    (*path, type_name), "unknown-principal-type", at_key=True,
                )  # fmt: skip
            here = (*path, type_name)
            if type_name == "AWS":  # what IAM refuses in an ARN besides, lint reports
                found[type_name] = self._names(names, here, "principal")
            else:
                found[type_name] = self._strings(names, here, "a principal")
        return Principals(
            everyone="*" in found.get("AWS", ()),
            aws=found.get("AWS", ()),
            service=found.get("Service", ()),
            federated=found.get("Federated", ()),
            canonical_user=found.get("CanonicalUser", ()),
        )

    def _element(self, elements: Mapping[str, object], path: Path, name: str) -> tuple[str | Unknown, ...] | None:
        """The actions or resources of an element; None where it is not there."""
        if name not in elements:
            return None
        return self._names(elements[name], (*path, name), "action" if name.endswith("Action") else "resource")

    def _names(self, value: object, path: Path, rule: str) -> tuple[str | Unknown, ...]:
        """Names, each in the form that the rule asks for."""
        what, fits, why = _NAMED[rule]
        names = self._strings(value, path, what)
        for place, name in enumerate(names):
            if isinstance(name, str) and not fits(name):
                raise self._error(f"{_shown(name)} is {why}", self._item_path(value, path, place), rule)
        return names

    def _conditions(
        self, elements: Mapping[str, object], path: Path
    ) -> tuple[tuple[ConditionClause, ...], tuple[str, ...]]:
        if "Condition" not in elements:
            return (), ()
        path = (*path, "Condition")
        if isinstance(elements["Condition"], Unknown):
            return (), (render(path),)
        clauses: list[ConditionClause] = []
        unresolved: list[str] = []
        for operator, keys in self._object(elements["Condition"], path, "a Condition").items():
            here = (*path, operator)
            if operator_named(operator) is None:
                raise self._error(
                    f"{operator!r} is not a condition operator; their names are case-sensitive",
                    here, "unknown-operator", at_key=True,
                )  # fmt: skip
            if isinstance(keys, Unknown):
                unresolved.append(render(here))
                continue
            seen: set[str] = set()
            for key, values in self._object(keys, here, "a condition").items():
                if key.lower() in seen:
                    raise self._error(
                        f"the condition key {key!r} is there twice; its case does not matter",
                        (*here, key), "duplicate-key", at_key=True,
                    )  # fmt: skip
                seen.add(key.lower())
                if not _CONDITION_KEY.fullmatch(key):
                    raise self._error(f"{key!r} is not a condition key", (*here, key), "condition-key", at_key=True)
                texts = self._condition_values(values, (*here, key))
                clauses.append(ConditionClause(operator, key, texts, self._variables, render((*here, key))))
        return tuple(clauses), tuple(unresolved)

    def _condition_values(self, value: object, path: Path) -> tuple[str | Unknown, ...]:
        items = value if isinstance(value, list | tuple) else [value]
        found: list[str | Unknown] = []
        for place, item in enumerate(items):
            if isinstance(item, Unknown | str):
                found.append(item)
            elif isinstance(item, bool):
                found.append("true" if item else "false")
            elif isinstance(item, JsonNumber | int | float):
                found.append(str(item))
            else:
                raise self._error(
                    f"{_shown(item)} is not a condition value: those are strings, numbers and booleans",
                    self._item_path(value, path, place), "condition-value",
                )  # fmt: skip
        return tuple(found)

    def _strings(self, value: object, path: Path, what: str) -> tuple[str | Unknown, ...]:
        if isinstance(value, _NAMES):
            return (value,)
        if not isinstance(value, _LISTS):
            return (self._string(value, path, what),)
        if not value:
            raise self._error(f"the list is empty; it needs {what}", path, "empty-list")
        return tuple(
            item if isinstance(item, Unknown) else self._string(item, (*path, place), what)
            for place, item in enumerate(value)
        )

    @staticmethod
    def _item_path(value: object, path: Path, place: int) -> Path:
        return (*path, place) if isinstance(value, list | tuple) else path

    def _string(self, value: object, path: Path, what: str) -> str:
        if isinstance(value, str):
            return value
        raise self._error(f"{_shown(value)} is not a string; {what} is one", path, "wrong-type")

    def _object(self, value: object, path: Path, what: str) -> Mapping[str, object]:
        if not isinstance(value, _MAPPINGS):
            raise self._error(f"{_shown(value)} is not an object; {what} is one", path, "wrong-type")
        for key in value:
            if not isinstance(key, str):
                raise self._error(f"{_shown(key)} is not a name of an element", path, "wrong-type")
        return value


def _is_principal(name: str) -> bool:
    """Whether it is `*`, an account, an ARN or a unique id."""
    if name == "*" or is_account(name) or UNIQUE_ID.fullmatch(name):
        return True
    if "*" in name or "?" in name:
        return name.startswith("arn:")
    try:
        parse_arn(name)
    except ArnError:
        return False
    return True


_NAMED: Mapping[str, tuple[str, Callable[[str], object], str]] = {
    "principal": ("a principal", _is_principal, "not a principal: neither an account, nor an ARN, nor '*'"),
    "action": ("an action", _ACTION.fullmatch, "not an action such as sts:AssumeRole, or '*'"),
    "resource": ("a resource", _RESOURCE.match, "neither an ARN nor '*'"),
}
"""What names are, by the rule that they may break: in words, whether a text is one, and what one is that is none."""


def _shown(value: object) -> str:
    """A value as a message quotes it: short, and never failing."""
    if isinstance(value, str):
        return repr(value) if len(value) <= 80 else f"{value[:77]!r}..."
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | JsonNumber):
        return str(value)
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"
