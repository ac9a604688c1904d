"""Where the keys of a door stand: from the statements that decided to the resources that hold them."""

import re
from collections.abc import Iterator

from twokeys.access.graph import Door, Graph
from twokeys.access.model.documents import Document
from twokeys.access.model.principals import Principal
from twokeys.access.reading.since import NOT_KNOWN
from twokeys.access.reading.snapshot import Resource, place_of
from twokeys.answers.model import KeyPlace
from twokeys.iam import Arn, Decision, Verdict
from twokeys.iam.aws_managed import is_aws_managed

_ATTACHMENT = re.compile(r"aws:iam/(role|user|group)PolicyAttachment:.*")
_MEMBERSHIPS = ("aws:iam/userGroupMembership:UserGroupMembership", "aws:iam/groupMembership:GroupMembership")


class Places:
    """Finds where the keys of a graph's doors stand."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._attachments = [one for one in graph.snapshot.resources if _ATTACHMENT.fullmatch(one.type)]
        self._memberships = list(graph.snapshot.of_type(*_MEMBERSHIPS))

    def of_trust(self, door: Door) -> KeyPlace | None:
        """The statement of the role's trust policy that admits the principal."""
        document = door.target.trust
        decision = next((one for one in _allowing(door.trust) if one.document == "trust policy"), None)
        return self._key_in(document, decision, door.target) if document is not None else None

    def of_grant(self, door: Door) -> tuple[KeyPlace, ...]:
        """The statements of the principal's side that grant the role, and what joins them to the principal.

        Those are the attachment of a managed policy, and the membership in the group that has the policy. Within one
        account a trust that names the principal needs no grant: then there is none.
        """
        places: dict[KeyPlace, None] = {}
        for decision in _allowing(door.grant):
            if document := door.source.document_of(decision):
                group = next((one for one in door.source.groups if document in one.documents), None)
                places[self._key_in(document, decision, group or door.source)] = None
                places |= dict.fromkeys(self._joined_by(door.source, group, document))
        return tuple(places)

    def _key_in(self, document: Document, decision: Decision | None, holder: Principal) -> KeyPlace:
        resource = self._graph.snapshot.by_urn.get(document.urn or "")
        managed = Arn.parse(document.arn or "")
        held = (holder.account, holder.kind, holder.name, document.inline or "")
        return KeyPlace(
            document=document.title,
            urn=place_of(document.urn) if document.urn else None,
            statement=decision.statement if decision else None,
            sid=decision.sid if decision else None,
            source=document.source,
            stack=document.stack,
            since=None if is_aws_managed(document.arn or "") else resource.since if resource else NOT_KNOWN,
            held=(managed.account, "policy", str(managed), "") if managed else held,
        )

    def _joined_by(self, source: Principal, group: Principal | None, document: Document) -> Iterator[KeyPlace]:
        holder = group or source
        for attachment in self._attachments:
            arn = attachment.text("policyArn")
            if arn is not None and arn == document.arn and self._is(attachment, holder.kind, holder):
                what = f"attachment of {document.title} to {holder.label}"
                yield _joint(attachment, what, holder, arn)
        if group is not None:
            for membership in self._memberships:
                if self._joins(membership, source, group):
                    what = f"membership of {source.label} in group {group.name}"
                    yield _joint(membership, what, source, group.name)

    def _joins(self, membership: Resource, user: Principal, group: Principal) -> bool:
        one_user = membership.type == _MEMBERSHIPS[0]
        single, many = (user, group) if one_user else (group, user)
        listed = membership.get("groups" if one_user else "users")
        return self._is(membership, single.kind, single) and isinstance(listed, list) and many.name in listed

    def _is(self, resource: Resource, key: str, principal: Principal) -> bool:
        same_account = self._graph.accounts.of(resource) == principal.account
        return same_account and resource.text(key) == principal.name


def _joint(resource: Resource, title: str, holder: Principal, what: str) -> KeyPlace:
    held = (holder.account, holder.kind, holder.name, what)
    return KeyPlace(title, place_of(resource.urn), source=resource.source, since=resource.since, held=held)


def _allowing(verdict: Verdict) -> Iterator[Decision]:
    return (decision for decision in verdict.decisions if decision.effect == "Allow")
