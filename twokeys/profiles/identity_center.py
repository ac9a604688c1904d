"""What stacks tell of IAM Identity Center: its users, groups, permission sets and assignments. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twokeys.access.snapshot import Resource
from twokeys.answers.published import fit
from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.exports import Exports
from twokeys.profiles.ways import AssignmentWay


@dataclass(frozen=True)
class IdentityCenter:
    """Identity Center as all stacks together tell it: names by id, and permission sets by ARN."""

    users: Mapping[str, str]
    groups: Mapping[str, str]
    sets: Mapping[str, Resource]
    start_url: str | None
    region: str | None = None

    @staticmethod
    def told_by(exports: Sequence[Exports]) -> IdentityCenter:
        """The Identity Center of an organization; a stack may assign what another one makes."""

        def all_of(kind: str) -> list[Resource]:
            return [each for one in exports for each in one.snapshot.of_type(kind)]

        users, groups = all_of("aws:identitystore/user:User"), all_of("aws:identitystore/group:Group")
        sets = all_of("aws:ssoadmin/permissionSet:PermissionSet")
        store = next((found for each in users + groups if (found := each.text("identityStoreId"))), None)
        return IdentityCenter(
            users={each.text("userId") or "": each.text("userName") or "" for each in users},
            groups={each.text("groupId") or "": each.text("displayName") or "" for each in groups},
            sets={each.text("arn") or "": each for each in sets},
            # The address an Identity Center has before anybody chooses another:
            # https://docs.aws.amazon.com/singlesignon/latest/userguide/howtochangeURL.html
            start_url=f"https://{store}.awsapps.com/start" if store else _exported(exports, "start_url"),
            region=next((found for each in sets if (found := each.text("region"))), None)
            or _exported(exports, "region"),
        )

    def principal(self, kind: object, known_as: str) -> Who:
        """Who stands behind an id; one that no stack names keeps its id as its name."""
        if kind == "GROUP":
            return Who("identity-center-group", "", self.groups.get(known_as, known_as))
        return Who("identity-center-user", "", self.users.get(known_as, known_as))

    def members(self, exports: Exports) -> Iterable[tuple[Who, frozenset[str]]]:
        """What one stack says of the groups: who it puts into which."""
        for name in self.groups.values():
            yield Who("identity-center-group", "", name), frozenset()
        members = exports.outputs.get("identity_center_members")
        for name, users in members.items() if isinstance(members, Mapping) else ():
            yield Who("identity-center-group", "", str(name)), frozenset(map(str, users))
        for each in exports.snapshot.of_type("aws:identitystore/groupMembership:GroupMembership"):
            member = self.principal("USER", each.text("memberId") or "")
            yield self.principal("GROUP", each.text("groupId") or ""), frozenset({member.name})

    def assignments(self, exports: Exports, names: Mapping[str, str]) -> Iterable[AssignmentWay]:
        """One way for each assignment of a stack; `names` are accounts' names by id."""
        for each in exports.snapshot.of_type("aws:ssoadmin/accountAssignment:AccountAssignment"):
            account, arn = each.text("targetId") or "", each.text("permissionSetArn") or ""
            if arn not in self.sets:
                raise Refusal(
                    "an assignment cannot be read",
                    where=f"{exports.where}: {each.urn}",
                    why=f"none of the given files has its permission set {arn}",
                    next_step="also give the state of the stack that makes the permission set",
                )
            title, account_name = self.sets[arn].text("name") or "", names.get(account, account)
            yield AssignmentWay(
                name=fit(f"{account_name}-{title}"),
                sources=(self.principal(each.text("principalType"), each.text("principalId") or ""),),
                account=account,
                account_name=account_name,
                permission_set=title,
                start_url=self.start_url,
                region=self.sets[arn].text("region"),
            )


def _exported(exports: Sequence[Exports], key: str) -> str | None:
    """What the output `identity_center` of a stack, or of a published file, says of the instance."""
    for one in exports:
        center = one.outputs.get("identity_center")
        value = center.get(key) if isinstance(center, Mapping) else None
        if isinstance(value, str) and value:
            return value
    return None
