"""A session of the role behind a door, and what a command or a browser needs of it.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import boto3
from botocore.exceptions import ClientError, NoCredentialsError, SSOError, TokenRetrievalError
from botocore.session import Session as Configuration

from twokeys.aws_errors import BACK, DENIED, DOOR, PROFILE, REGION, WITHIN, in_shell, leave, no_answer, refusal_of
from twokeys.aws_reference import known_region
from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.iam.sts import CHAINED_SECONDS
from twokeys.loopback import is_loopback
from twokeys.profiles.callers import QUICK
from twokeys.profiles.options import note
from twokeys.profiles.reading import Reading
from twokeys.profiles.sections import session_name
from twokeys.profiles.ways import (
    AssignmentWay,
    RoleWay,
    Way,
    before,
    began_by,
    closed,
    for_caller,
    least,
    not_yet,
    only_if,
    own_device,
    owner_of,
    reached,
    unsaid,
    who_is_behind,
    whose,
)
from twokeys.shown import for_shell, listed

_CONSOLES: Mapping[str, tuple[str, str]] = {
    "aws": ("https://signin.aws.amazon.com/federation", "https://console.aws.amazon.com/"),
    "aws-us-gov": ("https://signin.amazonaws-us-gov.com/federation", "https://console.amazonaws-us-gov.com/"),
    "aws-cn": ("https://signin.amazonaws.cn/federation", "https://console.amazonaws.cn/"),
}
"""Where a partition's console takes a federated sign-in, and where it then begins.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
"""
_SECONDS_TO_ANSWER = 10
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_OWN = "TWOKEYS_OWN_"
_WRONG_CODE = "MultiFactorAuthentication failed"
"""How STS begins what it says of a code: it has no error code of its own for one."""


@dataclass(frozen=True)
class Session:
    """Credentials of a role's session, which nothing here keeps on disk."""

    access_key: str
    secret_key: str
    token: str
    expires: datetime
    arn: str
    region: str | None
    profile: str
    way: Way

    @property
    def keys(self) -> dict[str, Any]:
        """What a session of boto3 takes."""
        return {name.lower(): self.environment[name] for name in _KEYS[:3]}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the AWS CLI and every SDK read.

        https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
        """
        region = dict.fromkeys(_REGIONS, self.region) if self.region else {}
        keys = (self.access_key, self.secret_key, self.token, self.expires.isoformat())
        return dict(zip(_KEYS, keys, strict=True)) | region

    def marked(self, own: Sequence[str] = ()) -> dict[str, str]:
        """The same, the profile of the caller, a region that is not the shell's own, and the way back to its `own`."""
        region = {} if self.region in {None, _region_of_surroundings()} else {REGION: self.region or ""}
        there = self.environment | {PROFILE: self.profile, DOOR: self.way.name} | region
        gone = [*(name for name in (*there, BACK) if name not in own), *(f"{_OWN}{name}" for name in own)]
        again = "".join(f'export {name}="${_OWN}{name}";' for name in own)
        return there | {BACK: again + for_shell({}, gone)}

    @property
    def evaluated(self) -> str:
        """What `eval` takes, in sh and in fish: its own values the shell keeps in variables that no command gets."""
        inside, back = PROFILE in os.environ and WITHIN not in os.environ, os.environ.get(BACK, "")
        own = [
            n for n in (*_KEYS, *_REGIONS, "AWS_PROFILE") if (f'"${_OWN}{n}"' in back if inside else n in os.environ)
        ]
        lines = [
            f"command -v unset >/dev/null && eval '{_OWN}{name}=${name}' || set -g {_OWN}{name} ${name};\n"
            for name in (() if inside else own)
        ]
        return "".join(lines) + for_shell(self.marked(own), self.unset)

    @property
    def unset(self) -> list[str]:
        """What the shell has of a door before this one, and its profile, which to some SDKs would win over the keys."""
        old = [*_REGIONS, REGION] if _region_of_surroundings() is None else []
        return [name for name in ("AWS_PROFILE", WITHIN, *old) if name in os.environ]


@dataclass(frozen=True)
class Given:
    """What somebody gives to go through a door; each may be left out.

    Without a `profile` the credentials of the surroundings are taken. `seconds` is how long; by default as long as the
    role allows, and an hour if the credentials are a session's. `mfa_serial` is the ARN of the MFA device, by default
    the user's that is called like the user; `mfa_code` are its six digits, which a user sends to a door that does not
    open without. `region` is where to work; by default the region of the surroundings, else the door's.
    """

    profile: str | None = None
    seconds: int | None = None
    mfa_serial: str | None = None
    mfa_code: str | None = None
    external_id: str | None = None
    region: str | None = None


def open_session(
    ways: Sequence[Way],
    reading: Reading,
    given: Given,
    ask: Callable[[str, str, str], str],
    first: Session | None = None,
) -> Session:
    """Go through a door with the credentials of a profile, or without one those of the surroundings.

    One of Identity Center is gone through with its own sign-in. Where the file shows that the door is behind another
    one of the caller's, through that first. In a shell that is in a door already, with the credentials that it came
    with, unless that door leads on to this one.

    Args:
        ways: those through the door, of which each source has its own; `reading` is all that the file says.
        ask: asks for a code of MFA, by the door, the device's ARN and what AWS says to a session without one, where the
            door asks for it and none is given.
        first: the session of the door before, whose credentials are taken.

    Raises:
        Refusal: there are no credentials, nobody is signed in to Identity Center, or AWS refuses; a code would be asked
            for and the file says that the door is another's, or shut by its dates.
    """
    if given.region:
        known_region(given.region, "--region", ways[0].partition)
    if isinstance(assigned := least(ways), AssignmentWay):
        return _assigned(assigned, ways, given.profile, given.region)
    way = _role_way(ways)
    session, sts, caller = _signed_in(given.profile, reading, way.region, first)
    who = Who.named(caller)
    ways, own = for_caller(ways, who, reading.members)
    if own is False and (door := before(ways, reading.ways, who, reading.members)):
        hub = _role_way([door]).role_arn  # what is asked behind it is refused before a code is used up:
        _asked(_role_way(for_caller(ways, Who.named(hub), reading.members)[0]), hub, given, chained=True)
        one = open_session([door], reading, replace(given, seconds=None, external_id=None, region=None), ask)
        return open_session(ways, reading, replace(given, mfa_serial=None, mfa_code=None), ask, one)
    way = _role_way(ways)
    credentials = session.get_credentials()
    of_session = credentials is not None and bool(credentials.token)
    from_shell = credentials is not None and credentials.method == "env"
    if own is False and from_shell and (came_with := os.environ.get(PROFILE)):
        return open_session(ways, reading, replace(given, profile=came_with), ask)
    others = _of_others(ways, reading, caller, from_shell) if own is False else None
    if others and not (way.held or given.external_id):
        raise others
    code = given.mfa_code if ":user/" in caller else None  # whoever is no user has no device
    try:
        asked = _asked(way, caller, given, chained=of_session or ":user/" not in caller)
        answered: Any = None
        denied: ClientError | None = None
        asks_mfa = [isinstance(one, RoleWay) and one.mfa for one in ways]
        if (code is None and of_session) or not all(asks_mfa):
            answered, denied = _without_code(sts, asked, may_ask=bool(code) or any(asks_mfa))
            if answered and given.mfa_code:
                note("--mfa-code did not count: the door asked for none")
        if answered is None:
            if code is None and (refusal := others or _shut(way, reading, denied)):
                raise refusal
            # a session may have begun with MFA: AWS has another reason then
            only = f"; it is open {only_if(way)}" if way.conditions else ""
            why = f"without a code: {denied}{only}" if denied and of_session else ""
            named = given.mfa_serial
            serial = own_device(named, caller.split(":")[4]) if named else _device(way, caller, why)
            asked |= {"SerialNumber": serial, "TokenCode": _six_digits(code or ask(way.name, serial, why), way, serial)}
            answered = sts.assume_role(**asked)
    except ClientError as error:
        if _WRONG_CODE in str(error):
            step = f"run this again with the next code of {asked['SerialNumber']}; another device: --mfa-serial ARN"
            raise _refused(way, str(error), step) from error
        if error.response["Error"]["Code"] not in DENIED:
            raise no_answer(error, profile=given.profile) from error
        theirs = "yours" if own else f"for {whose(ways, reading.accounts)}"
        raise others or _shut(way, reading, error) or _denied(error, way, theirs, given) from error
    keys = answered["Credentials"]
    return Session(
        access_key=keys["AccessKeyId"],
        secret_key=keys["SecretAccessKey"],
        token=keys["SessionToken"],
        expires=keys["Expiration"],
        arn=answered["AssumedRoleUser"]["Arn"],
        region=given.region or _region_of_surroundings() or way.region or _region_of(session.profile_name),
        profile=_came_with(given.profile, session.profile_name),
        way=way,
    )


def own_doors(profile: str | None, reading: Reading) -> tuple[dict[Way, Way | None], str, frozenset[str]]:
    """The doors of whoever has these credentials, or is behind the role whose they are, with those behind them; why
    that is not known, or not all: "" where it is; and which do not open before the shell has left the door it is in.
    """
    try:
        _, _, caller = _signed_in(profile, reading)
    except Exception as error:
        refusal = error if isinstance(error, Refusal) else refusal_of(error, profile)
        if refusal is None:
            raise
        center = (
            "by Identity Center, `twokeys profiles --person NAME` writes a profile for each door:"
            " `aws sso login --profile DOOR`, and give this --profile DOOR"
        )
        signs_in = isinstance(error, NoCredentialsError) and any(isinstance(way, AssignmentWay) for way in reading.ways)
        return {}, "; ".join([refusal.why, refusal.next_step, *[center] * signs_in]), frozenset()
    if unshown := _not_shown(caller, reading):
        return {}, unshown, frozenset()
    behind = who_is_behind(reading.ways, caller, reading.members)
    person = began_by(reading.ways, behind) if behind else None
    names = unsaid(reading.ways, person, reading.members)
    of = "is in a group, or signs in at Identity Center"
    of = f"began your session of {person.label}" if person and person.kind == "role" else of
    why = f"the file does not say who {of} (whether {listed(names, 6)} {'is' if len(names) == 1 else 'are'} yours)"
    inside, own = DOOR in os.environ and in_shell(profile), reached(reading.ways, person, reading.members, caller)
    why += f"; {leave()} first to see" if inside else ""
    here = reached(reading.ways, Who.named(caller), reading.members, caller)
    away = {*own} - {*here} if inside and not os.environ.get(PROFILE) else ()  # else that profile opens them
    return own, why if names else "", frozenset(way.name for way in away)


def _not_shown(caller: str, reading: Reading) -> str:
    """That a caller is of an account that the file does not show; "" where it shows it."""
    account = caller.split(":")[4]
    there = {*reading.accounts, *(one for way in reading.ways for one in (way.account, way.source.account))}
    return "" if account in there else f"your credentials are of account {account}, which this file does not show"


def _signed_in(
    profile: str | None, reading: Reading, region: str | None = None, first: Session | None = None
) -> tuple[boto3.Session, Any, str]:
    """A session of the caller's own credentials, or of `first`'s; STS asked with them; and whose they are: an ARN."""
    try:
        session = boto3.Session(profile_name=_own_profile(profile, reading), **first.keys if first else {})
        sts = session.client("sts", region_name=session.region_name or region or "us-east-1", config=QUICK)
        return session, sts, str(sts.get_caller_identity()["Arn"])
    except EOFError as error:
        raise Refusal(
            f"profile {profile or os.environ.get('AWS_PROFILE', 'default')}",
            where="the AWS config file",
            why="it asks for an MFA code itself, and there is no terminal to ask you at",
            next_step="give the profile with your own keys instead, its source_profile, and --mfa-code CODE: this goes"
            " through the doors before it by itself",
        ) from error
    except ClientError as error:
        if in_shell(profile) and not first and (came_with := os.environ.get(PROFILE)):  # the session is over
            return _signed_in(came_with, reading, region)
        raise no_answer(error, profile=profile) from error


def _own_profile(profile: str | None, reading: Reading) -> str | None:
    """The profile with the caller's own credentials: of one that leads through a door, its source.

    `twokeys profiles` writes such. It would ask for the code of its own door, and AWS takes a code once.
    """
    if in_shell(profile):
        return None
    doors = {way.role_arn for way in reading.ways if isinstance(way, RoleWay) and way.held}
    profiles = Configuration().full_config["profiles"]
    own = named = boto3.Session(profile_name=profile).profile_name
    for _ in profiles:  # no more steps than there are, should they lead in a circle
        settings = profiles.get(own, {})
        own = settings.get("source_profile", own) if settings.get("role_arn") in doors else own
    return own if own != named else profile


def _region_of_surroundings() -> str | None:
    """The shell's own, not that of a door that it is in.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html (which of the two wins)
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return region if region != os.environ.get(REGION) else None


def _came_with(profile: str | None, own: str) -> str:
    """The profile with which a shell comes into a door, also by way of another; "" where its keys were in none."""
    profiles = Configuration().full_config["profiles"]
    if not in_shell(profile):
        return own if own in profiles else ""
    key = os.environ["AWS_ACCESS_KEY_ID"]
    having = (name for name, of in profiles.items() if of.get("aws_access_key_id") == key)
    return os.environ.get(PROFILE) or next(having, "")


def _region_of(profile: str) -> str | None:
    region: str | None = Configuration().full_config["profiles"].get(profile, {}).get("region")
    return region


def _six_digits(code: str, way: RoleWay, serial: str) -> str:
    given = "".join(code.split())
    if not re.fullmatch("[0-9]{6}", given):
        why, step = f"a code has six digits, and {given!r} has not", f"give the six digits that {serial} shows"
        raise _refused(way, why, step)
    return given


def _without_code(sts: Any, asked: Mapping[str, Any], *, may_ask: bool) -> tuple[Any, ClientError | None]:  # noqa: ANN401 - boto3's
    """What AssumeRole answers; None and why where a way that may ask for MFA denies it to whoever shows none.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
    """
    try:
        return sts.assume_role(**asked), None
    except ClientError as error:
        if not may_ask or error.response["Error"]["Code"] != "AccessDenied":
            raise
        return None, error


def _role_way(ways: Sequence[Way]) -> RoleWay:
    """The way that asks least through a role's door."""
    return cast("RoleWay", least(ways))


def _assigned(way: AssignmentWay, ways: Sequence[Way], profile: str | None, region: str | None) -> Session:
    """What Identity Center gives whoever signed in with `aws sso login`, by the profile of the door.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html
    """
    ours = {"sso_account_id": way.account, "sso_role_name": way.permission_set}
    profiles = Configuration().full_config["profiles"]
    found = [name for name, of in profiles.items() if ours.items() <= of.items() and "role_arn" not in of]
    if not found:
        why = f"it is for {whose(ways, {})}, by IAM Identity Center, and no profile leads through it"
        step = (
            f"write it with `twokeys profiles --person NAME`, then `aws sso login --profile {way.name}`; if it is not"
        )
        step += f" yours, ask {owner_of(ways)}"
        raise _refused(way, why, step, where=f"account {way.account}")
    named = profile if profile and profile in found else found[0]
    try:
        session = boto3.Session(profile_name=named)
        credentials: Any = session.get_credentials()
        keys = credentials.get_frozen_credentials()
        sts = session.client("sts", region_name=session.region_name or "us-east-1", config=QUICK)
        arn = str(sts.get_caller_identity()["Arn"])
    except (SSOError, TokenRetrievalError) as error:
        why, step = str(error).strip().rstrip("."), f"sign in: `aws sso login --profile {named}`"
        raise _refused(way, why, step, where=f"profile {named}") from error
    except ClientError as error:
        raise no_answer(error, profile=named) from error
    return Session(
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        token=keys.token,
        expires=credentials._expiry_time,  # which the AWS CLI takes there, too: botocore has no other word for it
        arn=arn,
        region=region or _region_of_surroundings() or _region_of(named) or way.region,
        profile=_came_with(profile, profile or Configuration().profile or "default"),
        way=way,
    )


def _shut(way: RoleWay, reading: Reading, denied: ClientError | None = None) -> Refusal | None:
    """Of a way that its dates keep shut as far as the file knows, and AWS where it was asked; None for any other."""
    if since := closed(way):
        step = f"ask {owner_of([way])} for `twokeys access open {way.name} --for 2h --reason TEXT`"
    elif since := not_yet(way):
        step = "go through it then, or ask whoever owns it for a door that opens earlier"
    else:
        return None
    of_when = f" ({', '.join(reading.dates)})" if reading.dates else ""
    why = f"by its file{of_when} it {'is ' if closed(way) else 'is not open yet: it '}{since}"
    if denied:
        why += f", and {denied}"
    return _refused(way, why, step)


def _of_others(ways: Sequence[Way], reading: Reading, caller: str, from_shell: bool) -> Refusal:
    """Of a door that the file says is another's: whose it is, which are the caller's, and whom to ask for another.

    `from_shell` is whether the keys are in the environment, where `eval` puts those of a session.
    """
    who, theirs = Who.named(caller), whose(ways, reading.accounts)
    person = who_is_behind(reading.ways, caller, reading.members)
    inside = [way.name for way in reading.ways if isinstance(way, RoleWay) and Who.named(way.role_arn) == who]
    if inside and from_shell:
        why = f"it is for {theirs}, and this shell is already in {' or '.join(dict.fromkeys(inside))}"
        return _refused(ways[0], why, f"{leave()} first")
    if unshown := _not_shown(caller, reading):
        return _refused(ways[0], f"it is for {theirs}, and {unshown}", "take those of an account there: --profile NAME")
    you = person.label if person and person.label not in theirs else caller
    mine = [way.name for way in reached(reading.ways, person, reading.members, caller)]
    has = f"; yours: {listed(mine, 12)}" if mine else ", and none in this file is yours"
    return _refused(
        ways[0], f"it is for {theirs}, and you are {you}{has}", f"ask {owner_of(ways)} for a door of your own"
    )


def _denied(error: ClientError, way: RoleWay, theirs: str, given: Given) -> Refusal:
    """Of a door that is open to the caller as far as the file knows, and not by AWS."""
    where = f"it is open {only_if(way)}; or " if way.conditions else ""
    another = ", or it asks for another --external-id" if given.external_id else ""
    step = f"{where}the file is old or the door is not made (ask whoever publishes it){another}"
    return _refused(way, str(error), f"by its file the door is {theirs}: {step}")


def _refused(way: Way, why: str, next_step: str, where: str = "") -> Refusal:
    """Of a door, where its role is, or where else."""
    where = where or getattr(way, "role_arn", way.account)
    return Refusal(f"door {way.name}", where=where, why=why.replace(f" on resource: {where}", ""), next_step=next_step)


def _device(way: RoleWay, caller: str, denied: str = "") -> str:
    """The MFA device that is called like a user: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html

    What AssumeRole gives carries no MFA, what GetSessionToken gives can:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    """
    account, is_user, user = caller.partition(":user/")
    if not is_user:
        raise _refused(
            way,
            f"{denied}{'; ' * bool(denied)}MFA needs a user's device, and {caller} is no IAM user with one: the session"
            " of a role, or of Identity Center, carries no MFA",
            "take the keys of the user whose door it is, or a session that they began with MFA (`aws sts"
            " get-session-token --serial-number ARN --token-code CODE`): --profile NAME",
        )
    return f"{account}:mfa/{user.rpartition('/')[2]}"


def _asked(way: RoleWay, caller: str, given: Given, *, chained: bool) -> dict[str, Any]:
    seconds, external_id = given.seconds, given.external_id
    if way.asks_external_id and not (external_id or way.external_id):
        raise _refused(way, "it asks for an external ID, which this file does not hold", "give it with --external-id")
    longest = min(filter(None, (way.max_session_seconds, CHAINED_SECONDS if chained else None)), default=None)
    if seconds and longest and seconds > longest:
        why = f"its sessions last {longest} seconds at most"
        if longest == CHAINED_SECONDS and chained:
            why = "with the credentials of a session, another lasts an hour at most"
        raise _refused(way, why, f"give --seconds {longest} or fewer, or leave it out")
    asked: dict[str, Any] = {
        "RoleArn": way.role_arn,
        "RoleSessionName": session_name(caller.rpartition("/")[2][:64]),
        "DurationSeconds": seconds or longest or CHAINED_SECONDS,
    }
    if identity := external_id or way.external_id:
        asked["ExternalId"] = identity
    return asked


def local_aws(profile: str | None) -> str | None:
    """The address of the local AWS to which the credentials of a profile, or the surroundings, are sent."""
    endpoint = boto3.Session(profile_name=profile).client("sts", region_name="us-east-1").meta.endpoint_url
    return endpoint if is_loopback(endpoint) else None


def console_page(destination: str, partition: str, region: str | None) -> str:
    """A page of the partition's console: its address, or a path as in `/s3/home`, which may be that of a region.

    Raises Refusal for any other page, and when the partition has no such region, or no console is known for it.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/howtopermrelaystate.html
    """
    home = _console(partition)[1]
    if region:
        home = home.replace("//", f"//{known_region(region, '--region', partition)}.")
    domain = home.removeprefix("https://console").rstrip("/")
    if destination.startswith("/"):
        return home + destination.lstrip("/")
    if not re.fullmatch(rf"https://[a-z0-9.-]+{re.escape(domain)}([/?#][!-~]*)?", destination):
        why, step = f"it is no address of that console (https://*{domain}/)", "name one, or a path such as /s3/home"
        raise Refusal(f"--to {destination}", where=f"partition {partition}", why=why, next_step=step)
    return destination


def console_address(session: Session, partition: str, destination: str | None = None) -> str:
    """The address that signs a browser in as the session, for fifteen minutes; the session's own length counts then.

    Raises Refusal when the partition has no such sign-in, or it does not answer.
    """
    federation, console = _console(partition)
    keys = {"sessionId": session.access_key, "sessionKey": session.secret_key, "sessionToken": session.token}
    try:
        asked = f"{federation}?{urlencode({'Action': 'getSigninToken', 'Session': json.dumps(keys)})}"
        with urlopen(asked, timeout=_SECONDS_TO_ANSWER) as answer:  # noqa: S310 - https, from the table above
            token = json.loads(answer.read())["SigninToken"]
    except (URLError, OSError, ValueError, KeyError) as error:
        raise Refusal(
            "signing in to the console",
            where=federation,
            why=f"it gave no sign-in token ({type(error).__name__})",
            next_step="try again; where this machine reaches no AWS console, use `twokeys assume`",
        ) from None  # the address holds the session's keys, and no message may
    said = {"Action": "login", "Issuer": "twokeys", "Destination": destination or console, "SigninToken": token}
    return f"{federation}?{urlencode(said)}"


def _console(partition: str) -> tuple[str, str]:
    if partition not in _CONSOLES:
        raise Refusal(
            "signing in to the console",
            where=f"partition {partition}",
            why="no federated sign-in is known for it",
            next_step="use the session with the AWS CLI: `twokeys assume`",
        )
    return _CONSOLES[partition]
