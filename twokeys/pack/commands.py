"""`twokeys policies`: the pack for a project of one's own."""

from importlib.util import find_spec
from pathlib import Path

import click

from twokeys.options import FILE, Group


@click.group(cls=Group)
def policies() -> None:
    """The policy pack for a Pulumi project of your own, in any language."""


@policies.command("init")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--publishable", is_flag=True, help="With an environment of its own, for `pulumi policy publish`.")
def init_command(directory: Path, *, publishable: bool) -> None:
    """Write a policy pack into DIRECTORY: `pulumi preview --policy-pack DIRECTORY` then uses it.

    It runs in the Python environment that this command runs in.
    """
    from twokeys.pack.folder import named_environment, running_environment, write_pack

    if not publishable and find_spec("pulumi") is None:
        raise ModuleNotFoundError("the pack would not start", name="pulumi")
    for text in [f"wrote {file}" for file in write_pack(directory, publishable=publishable)] or ["unchanged"]:
        click.echo(text)
    if publishable:
        click.echo(f"next: pip wheel --no-deps -w {directory} ../twokeys, where ../twokeys is your clone of it")
        click.echo(f"then: cd {directory} && pulumi install && pulumi policy publish ORGANIZATION")
        return
    environment = running_environment()
    if environment and named_environment(directory, environment).is_absolute():
        click.echo(f"it runs in {environment}; to commit it, have TwoKeys in a .venv beside {directory}")
    click.echo(f"next: pulumi preview --policy-pack {directory}")


@policies.command("report")
@click.argument("events", type=FILE)
@click.option("--steps", type=FILE, help="What `pulumi preview --json` wrote.")
@click.option("--folder", default="", help="The project's folder in the repository.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["annotations", "sarif", "markdown"]),
    default="markdown",
    show_default=True,
    help="For GitHub Actions, for its security tab, or for a comment.",
)
@click.option("--without", multiple=True, metavar="POLICY", help="Leave this policy out; may be repeated.")
def report_command(events: Path, *, steps: Path | None, folder: str, shape: str, without: tuple[str, ...]) -> int:
    """Show what policies said in a preview, from its EVENTS.

    EVENTS is what `pulumi preview --json` prints with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true. Exits with 1 when a
    mandatory policy is violated.
    """
    from twokeys.pack.shown import in_annotations, in_markdown, in_sarif
    from twokeys.pack.violations import read_violations

    found = [one for one in read_violations(events, steps) if one.policy not in without]
    if shape == "annotations":
        for line in in_annotations(found, folder) if found else ["No policy was violated."]:
            click.echo(line)
    else:
        click.echo(in_sarif(found, folder) if shape == "sarif" else in_markdown(found), nl=shape == "sarif")
    return 1 if any(one.mandatory for one in found) else 0
