# ruff: noqa: E501 - programs are recorded as they stand
"""Programs that were run on the real engine (pulumi 3.260.0) and that ours must treat alike; see `test_like_pulumi`.

What the real engine did stands in `recordings/<case>.json`: the steps, the errors, what a policy pack was shown, and the
exported state. The package `mem` was given to it as a plugin that serves `memory.py` over Pulumi's provider protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    runs: list[tuple[str, str]]
    config: dict[str, str] = field(default_factory=dict)


_GRAPH = """
known = Provider("known", account="1")
org = Thing("org", size=1, opts=Opts(provider=known))
account = Thing("account", name="stage", size={size}, opts=Opts(provider=known, depends_on=[org]))
late = Provider("late", account=account.arn)


class Access(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Access", name, {{"documents": [{{"a": 1, "b": [True, None, "x"]}}], "later": account.arn}})
        opts = Opts(parent=self, provider=late)
        self.role = Thing("role", name="deployer", size=2, document=json.dumps({{"known": True}}), opts=opts)
        self.auto = Thing("auto", size=3, opts=opts)
        joined = pulumi.Output.all(self.role.arn, self.auto.arn).apply(lambda arns: ",".join(arns))
        self.both = Thing("both", document=joined, opts=opts)
        self.register_outputs({{"role": self.role.arn, "known": 1, "nested": {{"arn": account.arn, "ok": "yes"}}}})


access = Access("access")
grant = Thing(
    "grant",
    document=pulumi.Output.json_dumps({{"Resource": access.role.arn}}),
    opts=Opts(provider=known, protect=True, additional_secret_outputs=["document"]),
)
Thing("on-component", opts=Opts(provider=known, depends_on=[access]))
pulumi.export("arn", access.role.arn)
pulumi.export("list", [1, 2.5, {{"x": account.arn}}])
pulumi.export("nothing", None)
"""

_REPLACE = """
p = Provider("p", account="1")
a = Thing("a", size={size}, kind="{kind}", opts=Opts(provider=p))
b = Thing("b", kind=a.arn, opts=Opts(provider=p))
c = Thing("c", document=a.arn, opts=Opts(provider=p))
d = Thing("d", name="only", fixed="{fixed}", opts=Opts(provider=p))
e = Thing("e", kind=d.arn, opts=Opts(provider=p))
f = Thing("f", document=d.arn, opts=Opts(provider=p))
g = Thing("g", size=1, opts=Opts(provider=p, depends_on=[d]))
"""

_OPTIONS = """
p = Provider("p", account="1")
Thing("ignored", size={n}, document="{n}", opts=Opts(provider=p, ignore_changes=["size"]))
Thing("nested", document={{"a": {{"b": {n}, "c": 1}}, "l": [{n}, 2]}},
      opts=Opts(provider=p, ignore_changes=["document.a.b", "document.l[0]"]))
Thing("forced", size={n}, opts=Opts(provider=p, replace_on_changes=["size"]))
Thing("before", kind="{n}", opts=Opts(provider=p, delete_before_replace=True))
Thing("after", name="x{n}", fixed="{n}", opts=Opts(provider=p, delete_before_replace=False))
root = Thing("root", kind="{n}", opts=Opts(provider=p))
Thing("with", size=1, opts=Opts(provider=p, deleted_with=root))
Thing("along", size=1, opts=Opts(provider=p, replace_with=[root]))
Thing("timed", size={n}, opts=Opts(provider=p, custom_timeouts=pulumi.CustomTimeouts(create="1m30s", delete="2h")))
"""

_SECRETS = """
p = Provider("p", account="1")
s = Thing("s", secret=pulumi.Output.secret("hidden"), size=1, opts=Opts(provider=p))
t = Thing("t", document={"a": pulumi.Output.secret("deep"), "b": "open"}, opts=Opts(provider=p))
u = Thing("u", token="shown", opts=Opts(provider=p, additional_secret_outputs=["token", "arn"]))
v = Thing("v", document=u.arn, opts=Opts(provider=p))
pulumi.export("secret", s.arn)
pulumi.export("hidden", pulumi.Output.secret({"x": 1}))
pulumi.export("configured", pulumi.Config().require_secret("password"))
"""

_GET = """
p = Provider("p", account="1")
class Got(pulumi.CustomResource):
    def __init__(self, name, id, opts):
        super().__init__("mem:index:Thing", name, {"arn": None, "size": None}, Opts.merge(opts, Opts(id=id)))
    arn: pulumi.Output[str]
"""

_REFRESH = (
    _GET
    + """
last = Provider("last", account="2")
class Box(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("test:index:Box", name, {"made": "here"}, opts)
a = Thing("a", name="a", size=1, opts=Opts(provider=p))
gone = Thing("gone", name="gone", size=1, opts=Opts(provider=p, protect=True, retain_on_delete=True, depends_on=[a]))
Thing("ignored", name="ignored", size=1, opts=Opts(provider=p, ignore_changes=["size"]))
same = Thing("same", name="same", size=1, opts=Opts(provider=p))
Thing("hidden", name="hidden", secret=pulumi.Output.secret("x"), size=1, opts=Opts(provider=p))
box = Box("box")
Thing("inside", name="inside", opts=Opts(provider=p, parent=box, depends_on=[a, gone]))
Thing("child", name="child", opts=Opts(provider=p, parent=gone))
Thing("uses", name="uses", document=pulumi.Output.concat(gone.arn, a.arn), opts=Opts(provider=p))
Thing("with", name="with", opts=Opts(provider=p, deleted_with=gone))
Thing("along", name="along", opts=Opts(provider=p, replace_with=[gone, a]))
Thing("elsewhere", name="elsewhere", size=1, opts=Opts(provider=last))
seen = Got("seen", same.id, Opts(provider=p))
pulumi.export("size", seen.id)
"""
)
_CHANGED = """
objects["id-a"].update(size=2, serial=7)
objects["id-same"].update(serial=9)
objects["id-ignored"].update(size=3)
objects["id-hidden"].update(secret="y")
del objects["id-gone"]
"""
_A = "urn:pulumi:dev::proj::mem:index:Thing::a"

_TWO = """
p = Provider("p", account="1")
q = Provider("q", account="1")
"""

CASES = {
    "refresh": Case(
        [
            ("up", _REFRESH),
            ("refresh", ""),
            ("refresh " + _A, _CHANGED),
            ("refresh", "del objects['id-inside']; refused.append('2'); objects['id-uses'].update(size=4)"),
            ("refresh", ""),
            ("up", _REFRESH.replace('"a", size=1', '"a", size=2').replace("protect=True, ", "")),
            ("refresh urn:pulumi:dev::proj::mem:index:Thing::nowhere", ""),
            ("refresh", "objects.clear()"),
            ("up", 'p = Provider("p", account="1")'),
        ]
    ),
    "graph": Case(
        [
            ("preview", _GRAPH.format(size=1)),
            ("up", _GRAPH.format(size=1)),
            ("up", _GRAPH.format(size=1)),
            ("preview", _GRAPH.format(size=2)),
            ("up", _GRAPH.format(size=2)),
        ]
    ),
    "replace": Case(
        [
            ("up", _REPLACE.format(size=1, kind="k", fixed="1")),
            ("preview", _REPLACE.format(size=2, kind="k", fixed="1")),
            ("up", _REPLACE.format(size=2, kind="k", fixed="1")),
            ("preview", _REPLACE.format(size=2, kind="l", fixed="1")),
            ("up", _REPLACE.format(size=2, kind="l", fixed="1")),
            ("preview", _REPLACE.format(size=2, kind="l", fixed="2")),
            ("up", _REPLACE.format(size=2, kind="l", fixed="2")),
            ("up", 'p = Provider("p", account="1")\nThing("a", size=2, kind="l", opts=Opts(provider=p))'),
            ("destroy", ""),
        ]
    ),
    "options": Case(
        [
            ("up", _OPTIONS.format(n=1)),
            ("preview", _OPTIONS.format(n=2)),
            ("up", _OPTIONS.format(n=2)),
        ]
    ),
    "secrets": Case(
        [("preview", _SECRETS), ("up", _SECRETS), ("up", _SECRETS)],
        config={"password": "pw"},
    ),
    "protect": Case(
        [
            ("up", 'p = Provider("p", account="1")\nThing("a", kind="1", opts=Opts(provider=p, protect=True))'),
            ("preview", 'p = Provider("p", account="1")\nThing("a", kind="2", opts=Opts(provider=p, protect=True))'),
            ("up", 'p = Provider("p", account="1")\nThing("a", kind="2", opts=Opts(provider=p, protect=True))'),
            ("up", 'p = Provider("p", account="1")'),
            ("destroy", ""),
            ("up", 'p = Provider("p", account="1")\nThing("a", kind="1", opts=Opts(provider=p))'),
            ("up", 'p = Provider("p", account="1")'),
        ]
    ),
    "retain": Case(
        [
            (
                "up",
                'p = Provider("p", account="1")\nThing("a", name="a", opts=Opts(provider=p, retain_on_delete=True))',
            ),
            ("up", 'p = Provider("p", account="1")'),
            ("preview", _GET + 'g = Got("g", "id-a", Opts(provider=p))\npulumi.export("arn", g.arn)'),
            ("up", _GET + 'g = Got("g", "id-a", Opts(provider=p))\npulumi.export("arn", g.arn)'),
            ("up", _GET + 'g = Got("g", "id-missing", Opts(provider=p))'),
            ("up", 'p = Provider("p", account="1")'),
            ("preview", 'p = Provider("p", account="1")\nThing("i", name="a", opts=Opts(provider=p, import_="id-a"))'),
            (
                "up",
                'p = Provider("p", account="1")\nThing("i", name="a", size=9, opts=Opts(provider=p, import_="id-a"))',
            ),
            ("up", 'p = Provider("p", account="1")\nThing("i", name="a", opts=Opts(provider=p, import_="id-a"))'),
            ("up", 'p = Provider("p", account="1")\nThing("i", name="a", opts=Opts(provider=p))'),
        ]
    ),
    "aliases": Case(
        [
            (
                "up",
                'p = Provider("p", account="1")\nc = Group("c")\n'
                'Thing("old", size=1, opts=Opts(provider=p))\nThing("c-child", size=1, opts=Opts(provider=p, parent=c))',
            ),
            (
                "up",
                'p = Provider("p", account="1")\nc = Group("d", opts=Opts(aliases=[pulumi.Alias(name="c")]))\n'
                'Thing("new", size=1, opts=Opts(provider=p, aliases=[pulumi.Alias(name="old")]))\n'
                'Thing("d-child", size=1, opts=Opts(provider=p, parent=c))',
            ),
        ]
    ),
    "inherit": Case(
        [
            (
                "up",
                'p = Provider("p", account="1")\nc = Group("c", opts=Opts(providers={"mem": p}, protect=True))\n'
                'Thing("child", size=1, opts=Opts(parent=c))\nd = Group("d", opts=Opts(parent=c))\n'
                'Thing("grandchild", size=1, opts=Opts(parent=d))',
            )
        ]
    ),
    "default-provider": Case([("preview", 'Thing("a")'), ("up", 'Thing("a")'), ("up", 'Thing("a")')]),
    "disabled-provider": Case(
        [
            ("preview", 'Thing("a")'),
            ("up", 'Thing("a")'),
            ("preview", 'pulumi.runtime.invoke("mem:index:look", {"a": 1})'),
        ],
        config={"pulumi:disable-default-providers[0]": "mem"},
    ),
    "invoke": Case(
        [
            (
                "preview",
                'p = Provider("p", account="1")\na = Thing("a", opts=Opts(provider=p))\n'
                'late = Provider("late", account=a.arn)\n'
                'look = lambda **o: pulumi.runtime.invoke_output("mem:index:look", {"a": 1}, opts=pulumi.InvokeOutputOptions(**o))\n'
                'pulumi.export("now", look(provider=p))\npulumi.export("after", look(provider=p, depends_on=[a]))\n'
                'pulumi.export("late", look(provider=late))\npulumi.export("late-after", look(provider=late, depends_on=[a]))\n'
                'pulumi.export("given", pulumi.runtime.invoke_output("mem:index:look", {"a": a.arn}, '
                "opts=pulumi.InvokeOutputOptions(provider=p)))",
            ),
        ]
    ),
    "failing-invoke": Case(
        [
            (
                "preview",
                'p = Provider("p", account="1")\n'
                'pulumi.runtime.invoke("mem:index:fail", {}, opts=pulumi.InvokeOptions(provider=p))',
            )
        ]
    ),
    "missing-stack": Case([("preview", 'pulumi.StackReference("organization/proj/nowhere")')]),
    "own-stack": Case(
        [
            ("up", 'pulumi.export("x", 1)\npulumi.export("s", pulumi.Output.secret("t"))'),
            (
                "up",
                'r = pulumi.StackReference("organization/proj/dev")\npulumi.export("y", r.get_output("x"))\n'
                'pulumi.export("z", r.get_output("s"))',
            ),
        ]
    ),
    "program-error": Case(
        [
            (
                "up",
                'p = Provider("p", account="1")\nThing("a", opts=Opts(provider=p))\nThing("b", opts=Opts(provider=p))\n'
                'pulumi.export("x", 1)',
            ),
            ("up", 'p = Provider("p", account="1")\nThing("a", opts=Opts(provider=p))\nraise ValueError("mine")'),
            ("preview", 'p = Provider("p", account="1")\nraise ValueError("mine")'),
        ]
    ),
    "invalid": Case(
        [
            ("preview", 'p = Provider("p", account="1")\nThing("a", nonsense=1, opts=Opts(provider=p))'),
            ("up", 'p = Provider("p", account="1")\nThing("a", nonsense=1, opts=Opts(provider=p))'),
            (
                "preview",
                'p = Provider("p", account="1")\nThing("a", opts=Opts(provider=p))\nThing("a", opts=Opts(provider=p))',
            ),
        ]
    ),
    "wildcards": Case(
        [
            (
                "up",
                _TWO
                + 'Thing("a", size=1, document={"l": [1, 2], "m": {"x": 1}}, opts=Opts(provider=p, ignore_changes=["document.l[*]"]))\nThing("b", size=1, opts=Opts(provider=p))\nThing("s", document={"m": {"x": 1}}, size=1, opts=Opts(provider=p))',
            ),
            (
                "up",
                _TWO
                + 'Thing("a", size=1, document={"l": [3, 4], "m": {"x": 1}}, opts=Opts(provider=p, ignore_changes=["document.l[*]"]))\nThing("b", size=2, token="t", opts=Opts(provider=p, ignore_changes=["*"]))\nThing("s", document={"m": {"x": 2}}, size=2, opts=Opts(provider=p))',
            ),
            (
                "up",
                _TWO
                + 'Thing("a", size=1, document={"m": {"x": 1}}, opts=Opts(provider=p, ignore_changes=["document.l[0]", "document.q.r"]))\nThing("b", opts=Opts(provider=p, ignore_changes=["size"]))\nThing("s", document={"m": {"x": 2}}, size=3, opts=Opts(provider=p, replace_on_changes=["*"]))',
            ),
            ("up", _TWO + 'Thing("b", size=5, opts=Opts(provider=p, ignore_changes=["document.x["]))'),
        ]
    ),
    "nested-secrets": Case(
        [
            (
                "up",
                _TWO
                + 'd = pulumi.Output.secret({"a": [1, {"b": "x"}]})\na = Thing("a", document=d, opts=Opts(provider=p))\nb = Thing("b", document=[pulumi.Output.secret("y"), "z"], opts=Opts(provider=p))\nc = Thing("c", document=pulumi.Output.unsecret(d), opts=Opts(provider=p))\nThing("e", document=pulumi.Output.all(d, b.arn).apply(lambda v: v[1]), opts=Opts(provider=p))\ng = Group("g", {"in": d})\ng.register_outputs({"out": d, "n": {"s": pulumi.Output.secret(None)}})\npulumi.export("n", {"deep": [d, a.arn]})\npulumi.export("u", pulumi.Output.unsecret(d))',
            ),
            (
                "up",
                _TWO
                + 'd = pulumi.Output.secret({"a": [1, {"b": "x2"}]})\na = Thing("a", document=d, opts=Opts(provider=p))\npulumi.export("n", {"deep": [d, a.arn]})',
            ),
        ]
    ),
    "deleted-with": Case(
        [
            (
                "up",
                _TWO
                + 'a = Thing("a", name="a", opts=Opts(provider=p))\nb = Thing("b", name="b", opts=Opts(provider=p, deleted_with=a))\nThing("c", name="c", opts=Opts(provider=p, deleted_with=b))',
            ),
            (
                "up",
                _TWO
                + 'a = Thing("a", name="a", kind="2", opts=Opts(provider=p, delete_before_replace=True))\nb = Thing("b", name="b", opts=Opts(provider=p, deleted_with=a))\nThing("c", name="c", opts=Opts(provider=p, deleted_with=b))',
            ),
        ]
    ),
    "another-provider": Case(
        [
            (
                "up",
                _TWO + 'Thing("a", name="a", size=1, opts=Opts(provider=p))\nThing("b", size=1, opts=Opts(provider=p))',
            ),
            (
                "preview",
                _TWO
                + 'Thing("a", name="a2", size=1, opts=Opts(provider=q))\nThing("b", size=2, opts=Opts(provider=q))',
            ),
            ("up", _TWO + 'Thing("b", size=1, opts=Opts(provider=q))'),
            (
                "up",
                'p = Provider("p", account="2")\nq = Provider("q2", account="1", opts=Opts(aliases=[pulumi.Alias(name="q")]))\nThing("b", size=1, opts=Opts(provider=q))',
            ),
        ]
    ),
    "providers-of-components": Case(
        [
            (
                "up",
                _TWO
                + 'c = Group("c", opts=Opts(providers=[p]))\nd = Group("d", opts=Opts(parent=c, providers={"mem": q}))\nThing("in-c", opts=Opts(parent=c))\nx = Thing("in-d", opts=Opts(parent=d))\nThing("own", opts=Opts(parent=d, provider=p))\nThing("under-thing", opts=Opts(parent=x))\ne = Group("e", opts=Opts(parent=d, provider=p))\nThing("in-e", opts=Opts(parent=e))',
            ),
        ]
    ),
    "failing-in-the-middle": Case(
        [
            (
                "up",
                _TWO
                + 'a = Thing("a", name="same", opts=Opts(provider=p))\nb = Thing("b", name="same", opts=Opts(provider=p, depends_on=[a]))\nThing("c", document=b.arn, opts=Opts(provider=p))',
            ),
            (
                "up",
                _TWO
                + 'a = Thing("a", name="same", opts=Opts(provider=p))\nb = Thing("b", name="other", opts=Opts(provider=p, depends_on=[a]))\nThing("c", document=b.arn, opts=Opts(provider=p))',
            ),
            (
                "up",
                _TWO
                + 'a = Thing("a", name="same", opts=Opts(provider=p))\nb = Thing("b", name="same", opts=Opts(provider=p, depends_on=[a]))\nThing("c", document=b.arn, opts=Opts(provider=p))',
            ),
            (
                "up",
                _TWO
                + 'a = Thing("a", name="same", opts=Opts(provider=p))\nb = Thing("b", name="other", opts=Opts(provider=p, depends_on=[a]))',
            ),
        ]
    ),
}
