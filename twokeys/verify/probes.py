"""Probes with one person's own credentials: what they can tell of each door, and what they cannot."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.verify.attempts import Attempts, Keys, Probe
from twokeys.verify.doors import DoorToTry, Exports

WRONG_EXTERNAL_ID = "twokeys-probe-wrong"

MfaCode = Callable[[], Mapping[str, str]]
"""Gives what AssumeRole takes of an MFA device: `SerialNumber` and a fresh `TokenCode`."""


def probe_as(attempts: Attempts, keys: Keys, found: Exports, mfa: MfaCode | None = None) -> Iterator[Probe]:
    """Try every door and access role with the credentials `keys`.

    A door that names their principal must open, every other must be shut. That a door opens for somebody else cannot
    be tried with them: it is not probed. Raises Refusal for credentials that can assume no role at all.
    """
    arn = attempts.identity(keys)["Arn"]
    who = Who.named(arn)
    if who is None or who.kind not in ("role", "user"):
        raise Refusal(
            "these credentials cannot verify doors",
            where=arn,
            why="AWS lets neither root users nor federated users assume a role, so that a refusal would prove nothing",
            next_step="use the credentials of an IAM user or of a role",
        )
    yield from _Probing(attempts, keys, who, found, mfa).run()


def by_portal(door: DoorToTry) -> Probe:
    """That a door of IAM Identity Center cannot be tried with keys."""
    return Probe(
        f"{door.whom} enters by door {door.name}",
        door.role_arn,
        expected=True,
        assumed=None,
        detail="it is entered through IAM Identity Center, not with keys",
        next_step="sign in at the AWS access portal as one of them, or run `aws sso login`",
        elsewhere=True,
    )


def enter(attempts: Attempts, name: str, keys: Keys, door: DoorToTry, arguments: Mapping[str, str]) -> Probe:
    """Try a door that should open; a refusal says nothing of one with a condition that the caller may not meet."""
    probe = attempts.attempt(name, keys, door.role_arn, expected=True, arguments=arguments)
    if probe.assumed is not False or not door.needs:
        return probe
    step = "run this with credentials, and from a place, that meet the condition"
    return replace(probe, assumed=None, detail=f"needs {door.needs}", next_step=step, elsewhere=True)


def from_inside(attempts: Attempts, account: str, found: Exports, inside: Keys) -> Iterator[Probe]:
    """The administrator of one member account at the access roles and doors of the others, which must be shut."""
    own = found.access_roles[account].split(":")[4]
    for other, arn in found.access_roles.items():
        if other != account:
            name = f"the administrator of {account} tries the access role of {other}"
            yield attempts.attempt(name, inside, arn, expected=False)
    for door in found.doors:
        if not door.by_portal and door.role_arn.split(":")[4] != own and door.source_account != own:
            name = f"the administrator of {account} tries door {door.name}"
            yield attempts.attempt(name, inside, door.role_arn, expected=False, arguments=door.external)


@dataclass(frozen=True)
class _Probing:
    attempts: Attempts
    keys: Keys
    who: Who
    found: Exports
    mfa: MfaCode | None

    @property
    def called(self) -> str:
        """Whose credentials these are, in words."""
        return f"{self.who.label} of account {self.who.account}"

    def run(self) -> Iterator[Probe]:
        for door in self.found.doors:
            if door.by_portal:
                yield by_portal(door)
            else:
                yield from self._at(door)
        for account, arn in self.found.access_roles.items():
            if self.who.account != self.found.management:
                name = f"{self.called} tries the access role of {account}"
                yield self.attempts.attempt(name, self.keys, arn, expected=False)
                continue
            probe = self._if_granted(f"{self.called} enters {account} by its access role", arn, {})
            yield probe
            if probe.assumed:
                yield from from_inside(self.attempts, account, self.found, self.attempts.assume(self.keys, arn))

    def _at(self, door: DoorToTry) -> Iterator[Probe]:
        name = f"{self.called} enters by door {door.name}"
        if {self.who, Who("root", self.who.account)} & door.trusted:
            yield from self._with_mfa(name, door) if door.mfa else self._through(name, door)
            return
        name = f"{self.called} tries door {door.name}"
        yield self.attempts.attempt(name, self.keys, door.role_arn, expected=False, arguments=door.external)
        yield Probe(
            f"{door.whom} enters by door {door.name}",
            door.role_arn,
            expected=True,
            assumed=None,
            detail=f"these credentials are those of {self.called}",
            next_step=f"run this with the credentials of {door.whom}",
        )

    def _through(self, name: str, door: DoorToTry) -> Iterator[Probe]:
        """A door that names the caller: it must open, and not without what it asks for."""
        yield self._enter(name, door, door.external)
        if door.external and self.who in door.trusted:
            wrong = {"ExternalId": WRONG_EXTERNAL_ID}
            about = f"{self.called} tries door {door.name} with a wrong external ID"
            yield self.attempts.attempt(about, self.keys, door.role_arn, expected=False, arguments=wrong)

    def _enter(self, name: str, door: DoorToTry, arguments: Mapping[str, str]) -> Probe:
        if self.who in door.trusted:
            return enter(self.attempts, name, self.keys, door, arguments)
        return self._if_granted(name, door.role_arn, arguments)

    def _with_mfa(self, name: str, door: DoorToTry) -> Iterator[Probe]:
        """Lasting keys and the session of a role carry no MFA; that of a user may, and nothing tells whether it does.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
        """
        about = f"{self.called} tries door {door.name} without MFA"
        unknown = partial(Probe, role_arn=door.role_arn, assumed=None)
        if self.keys.token is not None and self.who.kind == "user":
            probe = self._enter(name, door, door.external)
            if probe.assumed is False:
                step = "begin a session with MFA (`aws sts get-session-token --serial-number ... --token-code ...`)"
                why = f"the session seems to carry no MFA ({probe.detail})"
                probe = replace(probe, assumed=None, detail=why, next_step=step)
            yield probe
            if probe.assumed:
                step, why = "run this with the user's own keys", "whether this session began with MFA cannot be told"
                yield unknown(about, expected=False, detail=why, next_step=step)
            return
        yield self.attempts.attempt(about, self.keys, door.role_arn, expected=False, arguments=door.external)
        if self.mfa is None or self.who.kind == "role":
            step, why = "give the ARN of your device with --mfa-serial", "the door asks for MFA"
            if self.who.kind == "role":
                step, why = "run this as a user whom the door is for", "the session of a role carries no MFA"
            yield unknown(name, expected=True, detail=why, next_step=step)
            return
        yield self._enter(name, door, {**door.external, **self.mfa()})

    def _if_granted(self, name: str, role_arn: str, arguments: Mapping[str, str]) -> Probe:
        """A role that trusts the caller's account as a whole: nothing shows whether the caller is granted it."""
        probe = self.attempts.attempt(name, self.keys, role_arn, expected=True, arguments=arguments)
        if probe.assumed is not False:
            return probe
        why = (
            f"the role trusts the account as a whole, and nothing shows that the caller is granted it ({probe.detail})"
        )
        step = "run this with the credentials of somebody who is granted sts:AssumeRole on it"
        return replace(probe, assumed=None, detail=why, next_step=step)
