"""The page of ways in: one self-contained HTML file, pure text from pure data.

Everything that comes from an export is escaped; the page loads nothing and runs no script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from twokeys.doors import Who
from twokeys.doors.expiry import until
from twokeys.profiles.ways import AssignmentWay, RoleWay, Way

_KINDS = {
    "user": "IAM user",
    "identity-center-user": "Identity Center user",
    "group": "group (members unknown here)",
    "identity-center-group": "Identity Center group (members unknown here)",
    "role": "role (no console)",
    "root": "everybody who is granted it",
}

_STYLE = """
:root { color-scheme: light dark; --edge: #8886; --quiet: #666; }
@media (prefers-color-scheme: dark) { :root { --quiet: #aaa; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2rem 0 .5rem; } h2 small, .quiet { color: var(--quiet); font-weight: normal; font-size: .85rem; }
ul { list-style: none; padding: 0; display: grid; gap: .5rem;
  grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }
li { border: 1px solid var(--edge); border-left: .6rem solid var(--door, #8888);
  border-radius: .4rem; padding: .6rem .8rem; }
li a, li strong { font-weight: 600; font-size: 1.05rem; } li div { overflow-wrap: anywhere; }
a:focus-visible { outline: 3px solid; outline-offset: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; }
"""

# Nothing may be loaded and nothing may run, also if an escape were ever forgotten.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"


def render_page(title: str, bearers: Mapping[Who, Iterable[Way]]) -> str:
    """The page with this title: a heading for each bearer, and a link for each way that the console can take."""
    numbered = list(enumerate(bearers.items(), 1))
    links = "".join(f'<a href="#p{index}">{escape(_called(who))}</a>' for index, (who, _) in numbered)
    people = "".join(_person(index, who, ways) for index, (who, ways) in numbered)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f'<nav aria-label="People">{links}</nav>\n{people}</body>\n</html>\n'
    )


def _person(index: int, who: Who, ways: Iterable[Way]) -> str:
    items = "\n".join(_way(who, way) for way in ways)
    kind = _KINDS.get(who.kind, who.kind)
    account = f" in {who.account}" if who.account else ""
    return (
        f'<section aria-labelledby="p{index}">\n<h2 id="p{index}">{escape(_called(who))} '
        f"<small>{escape(kind + account)}</small></h2>\n<ul>\n{items}\n</ul>\n</section>\n"
    )


def _way(who: Who, way: Way) -> str:
    color = way.color if isinstance(way, RoleWay) else None
    style = f' style="--door: #{escape(color)}"' if color else ""
    url, why_not = _link(who, way)
    name = (
        f'<a href="{escape(url)}" rel="noreferrer">{escape(way.name)}</a>'
        if url
        else f"<strong>{escape(way.name)}</strong>"
    )
    role = way.role if isinstance(way, RoleWay) else way.permission_set
    facts = [f"{role} in {way.account_name}" + (f" ({way.account})" if way.account_name != way.account else "")]
    if isinstance(way, RoleWay):
        facts += [way.reason or "", f"owner: {way.owner}" if way.owner else ""]
        asks = ["MFA"] if way.mfa else []
        asks += [f"until {until(way.expires)}"] if way.expires else []
        asks += [f"sessions up to {way.max_session_seconds // 60} minutes"] if way.max_session_seconds else []
        facts.append(", ".join(asks))
    facts.append(why_not)
    lines = "".join(f'<div class="quiet">{escape(fact)}</div>' for fact in facts if fact)
    return f"<li{style}>{name}{lines}</li>"


def _link(who: Who, way: Way) -> tuple[str | None, str]:
    """Where the console goes for this way, or why it does not."""
    if isinstance(way, AssignmentWay):
        return (way.start_url, "" if way.start_url else "sign in at your Identity Center's start page")
    if who.kind == "role":
        return None, f"assumed by the role through {way.role_arn}"
    if who.kind == "root":
        return way.switch_url, ""
    if way.asks_external_id:
        return None, "the console cannot give an external ID: use the AWS CLI profile"
    return way.switch_url, ""


def _called(who: Who) -> str:
    return who.name or f"account {who.account}"
