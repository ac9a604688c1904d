"""What the period had and the answers have not, in words."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from twokeys.answers.model import Answers
from twokeys.answers.permissions import Level
from twokeys.audit.changes import ASSIGNS, JOINS, TAKEN_BACK, TRUST
from twokeys.audit.record import Use
from twokeys.audit.trail import Change
from twokeys.audit.who_called import about, actor, called
from twokeys.audit.whom import enter, is_into, level_into
from twokeys.doors import Who
from twokeys.shown import in_utc, listed

_MOST = 3
POLICIES = {one for one in TAKEN_BACK if one.endswith(("RolePolicy", "PermissionSet")) and "Boundary" not in one}
"""Calls that give a policy to a role, or to a permission set, of which AWS makes a role in each account."""
AFTER = "after being taken from"
BRIEFLY = "that was given and taken back"
"""How it ends that an entry was by a membership or an assignment that stood briefly."""
_MEANWHILE = {TRUST: "while it was open", ASSIGNS: "within the assignment", JOINS: "while in {}"}
"""Of calls that let in whom they name, how an entry was that one of these made."""


@dataclass(frozen=True, slots=True)
class Stood:
    """What the period had and the answers have not: what a call gave and, mostly, another took away, or one took away.

    `since` is None of what was there before the records, or of what no account had; `until` of what was there at their
    end. `permissions` are those of the role that a trust policy let enter, or of the role or permission set that was
    given more, with the policies by name; None where it is not judged whom it let in. `lost` are those whom a trust
    policy let in then and that of now does not.
    """

    change: Change
    since: datetime | None
    until: datetime | None
    permissions: tuple[Level, tuple[str, ...]] | None = None
    lost: str = ""
    is_shown: bool = False
    """Of what was there before the records, whether older states show it."""
    ended: tuple[Use, ...] = ()
    """The calls that ended it."""
    entered: tuple[Use, ...] = ()
    """The entries meanwhile of those whom it let in or made stronger, or into what it made stronger."""
    accounts: tuple[str, ...] = ()
    """Of what a permission set was given, the accounts that had it from `since` to `until`."""
    taken: datetime | None = None
    """When a call took it away from the set: the accounts have it until they are provisioned anew."""

    @property
    def places(self) -> tuple[str, ...]:
        """The accounts that it was in."""
        return self.accounts or (self.change.use.account,)

    @property
    def may_stand(self) -> bool:
        """Whether a role may still be stronger by it than what was read says."""
        stands = bool(self.since or self.change.undone) and not self.until
        return stands and self.permissions is not None and self.change.gives in POLICIES

    @property
    def was_there(self) -> bool:
        """Whether something surely was there and went: a call that takes away, or a role's trust policy anew, fails or
        leaves less. What a policy was before it was written, if it was there at all, no call tells.
        """
        one = self.change
        took = one.undone or one.call.deletes or one.gives == TRUST
        return took or bool(self.since or self.permissions or self.accounts)

    @property
    def not_provisioned(self) -> str:
        """Of what a permission set was given and no account has, that, in words; else empty.

        https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ProvisionPermissionSet.html
        """
        if not self.accounts or self.since or self.change.undone:
            return ""
        return ", never provisioned" if self.taken else ", not provisioned yet: the next provisioning makes it real"

    @property
    def calls(self) -> tuple[str, ...]:
        """The ids of the call that gave or took it, and of those that ended it."""
        return tuple(use.id for use in (self.change.use, *self.ended))

    @property
    def between(self) -> str:
        """From when to when, in words."""
        taken = f"taken from the set {in_utc(self.taken)}" if self.taken else ""
        if self.not_provisioned:
            return f"given to the set {in_utc(self.change.use.time)}{taken and f', {taken}'}{self.not_provisioned}"
        if self.until and self.is_shown and not self.since:
            return f"in the older states, until {in_utc(self.until)}"
        first = in_utc(self.since) if self.since else "before the records"
        if self.until:
            return f"from {first} to {in_utc(self.until)}" + f", when it was provisioned anew ({taken})" * bool(taken)
        still = f": {taken} and not provisioned since in what was read, so it may still be there" if taken else ""
        return f"from {first} on{still or ', and not in what was read'}"

    def words(self, answers: Answers) -> str:
        """Who, into what, how strong, from when to when; of what is not judged, the call and when."""
        if self.permissions is None:
            trusts = f", which trusted {self.change.trusts}," if self.since and self.change.trusts else ""
            level = level_into(self.change, answers) if self.change.gives == ASSIGNS else None
            strong = f": {level.word}," if level else ""
            comma = "," * bool(self.not_provisioned or self.is_shown)
            return f"{about(self.change, answers)}{trusts}{strong}{comma} {self.between}"
        level, names = self.permissions
        strong = level.word + (f" ({listed(names)})" if names else "")
        of_set = f", in {listed([answers.account_name(one) for one in self.accounts], most=_MOST)}"
        role = self.into(answers) + (of_set if self.accounts else f" of {answers.account_name(self.change.recorded)}")
        ends = " -> ".join(filter(None, (listed(self.who(answers), most=_MOST), role)))
        return f"{ends}: {strong}, {self.between}"

    def who(self, answers: Answers) -> list[str]:
        """Who was let in, or may enter what was given more."""
        return [self.lost] if self.lost else enter(self.change, answers, self.accounts)

    def into(self, answers: Answers) -> str:
        """What they may enter, by its name."""
        kind, whose, _ = self.change.of
        return f"{'permission set' if kind == 'set' else kind} {answers.names.get(whose, whose)}"

    def came(self, answers: Answers) -> str:
        """Who entered meanwhile, in words; empty for nobody."""
        who = Counter(actor(use, answers) for use in self.entered)
        how = "entered by it" if self.change.gives in (*_MEANWHILE, "CreateAccessKey") else "entered meanwhile"
        each = listed([f"{one} ({count})" for one, count in who.most_common()], most=_MOST)
        return f"; {how}: {each}, last {in_utc(self.entered[-1].time)}{self.lasted(answers)}" if who else ""

    def lasted(self, answers: Answers) -> str:
        """Until when the sessions of whom it let in may have lasted, where that is after its end, which ends none.

        https://docs.aws.amazon.com/singlesignon/latest/userguide/revoke-user-permissions.html
        """
        if self.until is None or self.change.gives in POLICIES:
            return ""
        ends = self.until
        for use, each in ((use, each) for use in self.entered for each in (answers, answers.before) if each):
            whom = (use.target, Who("set", "", use.permission_set or ""))  # which has it alike in each account
            longest = max((way.max_session_seconds or 0 for way in each.ways_into(whom)), default=0)
            ends = max(ends, use.time + timedelta(seconds=use.lasts or longest))
        last = max((use.last for use in self.entered if use.last and use.last > self.until), default=None)
        called_last = f", and called last {in_utc(last)}" if last else ""
        return f"; a session may have lasted until {in_utc(ends)}{called_last}" if ends > self.until else ""

    def meanwhile(self, use: Use, answers: Answers) -> str:
        """Of an entry, that it was while this stood, in words."""
        whose, call = "it" if is_into(self.change, use, answers) else "the caller", about(self.change, answers)
        more = f"while {whose} had more" if self.until else f"after {whose} was given more"
        how = _MEANWHILE.get(self.change.gives, more)
        how, by = how.format(called(self.change.of[1], answers)), actor(self.change.use, answers)
        if self.until and not self.since:
            return f"{how}, until {in_utc(self.until)} ({call}, by {by})"
        return f"{how} ({call} {self.between}, by {by})"
