"""From ways in to the sections of an AWS config file: pure.

Settings: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html#cli-configure-files-settings
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from twokeys.aws_reference import known_region
from twokeys.doors import Who
from twokeys.doors.expiry import until
from twokeys.doors.switch_role import portal
from twokeys.doors.who import IAM_PEOPLE
from twokeys.iam.sts import CHAINED_SECONDS
from twokeys.profiles.awsconfig import Section
from twokeys.profiles.ways import AssignmentWay, RoleWay, Way, closed, not_yet, only_if, own_device
from twokeys.shown import joined, listed, printable

# Role chaining is limited to one hour, whatever the role allows:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
_OF_A_ROLE = (
    "role_arn",
    "sso_session",
    "sso_start_url",
    "sso_role_name",
    "web_identity_token_file",
    "credential_source",
)
_KEPT = ("aws_session_token", "aws_security_token")
_OF_SOMEBODY = ("credential_process", "login_session")


Session = Literal["", "role", "kept", "other"]


@dataclass(frozen=True)
class Choices:
    """What the person at the keyboard chooses, and no export can know.

    `source` is the (setting, value) that says where the first credentials come from: ("source_profile", NAME) or
    ("credential_source", "Environment" | "Ec2InstanceMetadata" | "EcsContainer"). `session` says whether those
    credentials are themselves a session's, as `session_of` does, and `region` is theirs. `sso_sessions` are those that
    the config file has beside ours, `sso_before` is what ours was before.
    """

    source: tuple[str, str] = ("source_profile", "default")
    session: Session = ""
    prefix: str = ""
    region: str | None = None
    mfa_serial: str | None = None
    sso_start_url: str | None = None
    sso_region: str | None = None
    sso_sessions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sso_before: Mapping[str, str] = field(default_factory=dict)

    @property
    def sso_session(self) -> str:
        """What our sso-session is called."""
        return f"{self.prefix}twokeys"

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Self:
        """What options of `twokeys profiles` say, by their names."""
        said: dict[str, Any] = dict(options)
        profile, kind = said.pop("source_profile", "default"), said.pop("credential_source", None)
        if region := said.get("sso_region"):
            known_region(region, "--sso-region")
        return cls(source=("credential_source", kind) if kind else ("source_profile", profile), **said)


def sections_for(who: Who, ways: Mapping[Way, Way | None], choices: Choices) -> tuple[Section, ...]:
    """One profile for each way, and the sso-session that they need unless the file has one of that Identity Center.

    The source profile of a way that begins behind another is the other's.
    """
    profiles = tuple(
        _role_profile(who, way, _after(before, choices)) if isinstance(way, RoleWay) else _sso_profile(way, choices)
        for way, before in ways.items()
    )
    sessions = dict.fromkeys(_sso_session(way, choices) for way in ways if isinstance(way, AssignmentWay))
    there = choices.sso_sessions
    return (*(one for one in sessions if not _is_at(there.get(one.name, {}), dict(one.settings))), *profiles)


def session_of(settings: Mapping[str, str]) -> Session:
    """Whether a source profile's credentials are those of a session: then what it assumes lasts one hour at most.

    "role", which carries no MFA: a role's, a web identity's, one of Identity Center, a container's. "kept", a
    session token, and "other", which may have begun with it: one of `aws login`; nobody knows what a process gives.
    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html#cli-configure-files-settings
    """
    if any(settings.get(key) for key in _OF_A_ROLE):
        return "role" if settings.get("credential_source") != "Environment" else "other"
    if any(settings.get(key) for key in _KEPT):
        return "kept"
    return "other" if any(settings.get(key) for key in _OF_SOMEBODY) else ""


def has_credentials(settings: Mapping[str, str]) -> bool:
    """Whether a profile says where credentials come from: one with a region alone does not."""
    return bool(session_of(settings) or settings.get("aws_access_key_id"))


def mfa_from(ways: Mapping[Way, Way | None], who: Who, choices: Choices) -> list[str]:
    """What ways that ask for MFA, or for an IAM user, and those behind them, need of a source that is a session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    """
    role, asking = choices.session == "role" or who.kind == "role", list[Way]()
    for way, before in ways.items() if choices.session or role else ():
        if before in asking or (isinstance(way, RoleWay) and (way.mfa or (role and way.source.kind in IAM_PEOPLE))):
            asking.append(way)
    needs = "asks for MFA, or is behind such a door, opens from a session only if that began with it"
    if role:
        needs = "is for an IAM user or asks for MFA, or is behind such a door, stays shut, as its source is the session"
        needs += " of a role or of Identity Center, which is no user and carries no MFA"
    names = listed([f"{choices.prefix}{way.name}" for way in asking], 12)
    return [f"what {needs}: {names}"] if asking else []


def no_profile(way: Way, choices: Choices) -> str | None:
    """Why no profile of a way is written: it is closed, or nothing tells its external ID or where to sign in."""
    if since := closed(way):
        return f"is {since}: it has no profile"
    if isinstance(way, RoleWay) and not way.held:
        return (
            "asks for an external ID, which this file does not hold: it has no profile; go"
            f" through it with `twokeys assume {way.name} --external-id ID`"
        )
    center = _center(way, choices) if isinstance(way, AssignmentWay) else {}
    if missing := joined([f"--{one.replace('_', '-')}" for one, value in center.items() if value is None]):
        return f"is by Identity Center, and this file does not say where that is: it has no profile; give {missing}"
    return None


def _role_profile(who: Who, way: RoleWay, choices: Choices) -> Section:
    settings = [("role_arn", way.role_arn), choices.source, ("role_session_name", session_name(who.name))]
    if way.mfa and who.kind == "user" and choices.session not in {"role", "kept"}:  # to which a code adds nothing
        settings.append(("mfa_serial", _mfa_serial(who, way, choices)))
    if way.external_id is not None:
        settings.append(("external_id", way.external_id))
    if seconds := _duration(who, way, choices):
        settings.append(("duration_seconds", str(seconds)))
    return _section(way, settings, choices)


def _after(before: Way | None, choices: Choices) -> Choices:
    source = ("source_profile", f"{choices.prefix}{before.name}") if before else choices.source
    return replace(choices, source=source, session="role" if before else choices.session)


def _sso_profile(way: AssignmentWay, choices: Choices) -> Section:
    settings = [
        ("sso_session", _sso_session(way, choices).name),
        ("sso_account_id", way.account),
        ("sso_role_name", way.permission_set),
    ]
    return _section(way, settings, choices)


def _sso_session(way: AssignmentWay, choices: Choices) -> Section:
    """The session of the file that is of this Identity Center, else ours."""
    center = {setting: str(value) for setting, value in _center(way, choices).items()}
    name = next((name for name, of in choices.sso_sessions.items() if _is_at(of, center)), choices.sso_session)
    return Section("sso-session", name, (*center.items(), ("sso_registration_scopes", "sso:account:access")))


def _is_at(session: Mapping[str, str], center: Mapping[str, str]) -> bool:
    url, region = "sso_start_url", "sso_region"
    return portal(session.get(url, "")) == portal(center[url]) and session.get(region) == center[region]


def _center(way: AssignmentWay, choices: Choices) -> dict[str, str | None]:
    """Where Identity Center is: what is chosen, what the file of doors tells, else what the config file has of it.

    One Identity Center may have several addresses, and has one region.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/howtochangeURL.html
    """
    start_url = choices.sso_start_url or way.start_url or choices.sso_before.get("sso_start_url")
    there = [
        of for of in choices.sso_sessions.values() if portal(of.get("sso_start_url", "")) == portal(start_url or "")
    ]
    region = choices.sso_region or way.sso_region
    region = region or next((of.get("sso_region") for of in (*there, choices.sso_before)), None)
    return {"sso_start_url": start_url, "sso_region": region}


def _section(way: Way, settings: list[tuple[str, str]], choices: Choices) -> Section:
    settings += [("region", region)] if (region := way.region or choices.region) else []
    return Section("profile", f"{choices.prefix}{way.name}", tuple(settings), _about(way))


def _about(way: Way) -> str:
    ends = f"until {until(way.expires)}" if way.expires else ""
    strength = f"permits: {way.permits}" if way.permits else ""
    said = [way.account_name, strength, way.reason or "", not_yet(way) or "", ends, only_if(way)]
    return ascii_line(" - ".join(each for each in said if each))


def ascii_line(text: str) -> str:
    """A text as it can stand in one line of the file, with what a terminal would obey made visible."""
    # AWS's parsers are promised ASCII: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
    return printable(" ".join(text.split())).encode("ascii", "backslashreplace").decode()


def _duration(who: Who, way: RoleWay, choices: Choices) -> int | None:
    longest, chained = way.max_session_seconds, who.kind == "role" or choices.session
    return min(longest, CHAINED_SECONDS) if longest and chained else longest


def session_name(name: str) -> str:
    """At least two characters: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html."""
    return name if len(name) > 1 else f"{name}-user"


def _mfa_serial(who: Who, way: RoleWay, choices: Choices) -> str:
    """The chosen device, else the ARN of the virtual one that has the user's name, which is what the console proposes.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html
    """
    account = who.account or way.source.account
    if choices.mfa_serial:
        return own_device(choices.mfa_serial, account)
    return f"arn:{way.partition}:iam::{account}:mfa/{who.name}"
