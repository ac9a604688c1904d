"""What would stop the creation of accounts, found before the first one: half a fleet is worse than none."""

from collections.abc import Iterable
from pathlib import Path

from twokeys.errors import Refusal
from twokeys.organization.findings import Status
from twokeys.organization.preflight import preflight, read_project
from twokeys.organization.reading import aws_session, read_live


def refuse_what_would_stop(root: Path, environment: str, coming: Iterable[str]) -> None:
    """Run the checks of `twokeys preflight` over an environment, all but entering the accounts that exist.

    AWS is asked with the surrounding credentials. `coming` are the accounts that no finished update has made: one of
    those whose address belongs to an account of another name is somebody else's, not one to be renamed. Raises Refusal
    when an account would not be made (its e-mail or name is taken, the quota is used up, ...); it names all.
    """
    known = read_project(root, (environment,))
    live = read_live(aws_session(None, None))
    not_ours = {("name", f"accounts.{key} of stack {environment}") for key in coming}
    failures = [
        one
        for one in preflight(known, live, None)
        if one.status is Status.FAILURE or (one.check, one.where) in not_ours
    ]
    if failures:
        listed = "".join(f"\n  - {one.check}, {one.where}: {one.what}. Next step: {one.next_step}" for one in failures)
        raise Refusal(
            f"accounts of {environment} that could not be made",
            where=f"environment {environment}",
            why=f"before the first create, this is known:{listed}",
            next_step=f"mend these; `twokeys preflight {environment}` shows all that was looked at",
        )
