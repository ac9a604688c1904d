"""Who called, and what a call is of, in words."""

from twokeys.answers.model import Answers
from twokeys.audit.record import Use, resolved
from twokeys.audit.trail import Change
from twokeys.iam.sts import permission_set_of


def actor(use: Use, answers: Answers) -> str:
    """Who called, with the session's name, which is the user's where a person switched roles, and who began it."""
    party, session = answers.named(use.caller), use.caller_session
    if session and (name := permission_set_of(party.who.name)):
        return f"{session} (permission set {name}, {party.place}){begun(use, answers)}"
    return party.short + (f" as {session}" if session else "") + begun(use, answers)


def begun(use: Use, answers: Answers) -> str:
    """Who began the session that called, in words; empty where no record tells."""
    return f", begun by {who_began(use, answers)}" if use.begun_by else ""


def who_began(use: Use, answers: Answers) -> str:
    """Who began the session that called, in words; who called, where no record tells."""
    first = use.begun_by
    if first is None or permission_set_of(first.caller.who.name):
        return actor(first or use, answers)
    return caller(first, answers) + (f" as {first.caller_session}" if first.caller_session else "")


def caller(use: Use, answers: Answers) -> str:
    """Who called, in few words; of whom no record names the unique id."""
    use = resolved(use, answers.principals)
    return answers.named(use.caller).short + (f" ({use.unique_id})" if not use.names_caller and use.unique_id else "")


def about(one: Change, answers: Answers) -> str:
    """A call and what it is of: "AttachRolePolicy of deployer (ReadOnlyAccess) in prod"."""
    named = f" of {called(one.of[1], answers)}{given(one, answers)}" if one.of[1] else ""
    return f"{one.use.event}{named} in {answers.account_name(one.use.account)}"


def given(one: Change, answers: Answers) -> str:
    """What of it, in brackets: " (ReadOnlyAccess)"."""
    ids = [id for id in one.of[2].rpartition("/")[2].split() if id != one.use.account]
    return f" ({' '.join(called(id, answers) for id in ids)})" if ids else ""


def called(id: str, answers: Answers) -> str:
    """What people call whom a call names by an id, or the name itself."""
    return answers.principals[id].who.label if id in answers.principals else answers.names.get(id, id)
