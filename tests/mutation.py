"""Mutation testing: `python -m tests.mutation twokeys/iam tests/iam` says which small changes no test notices.

mutmut makes the mutants. Its own runner starts a process for each, 10 or 20 a minute; here pytest collects once, and
each mutant is a fork of that process, in which no test has run and no cache is filled. Each test is first run to see
which lines it reaches: a mutant meets the tests of its lines only, those of few lines first, until one fails.

`AGAIN=survivors.txt` before the command: only the mutants that an earlier output names. `TEST_SECONDS=60`: for sources
whose tests are slow, as of `twokeys/access/rules`.
"""

import difflib
import importlib
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from hashlib import sha256
from itertools import accumulate
from operator import or_
from pathlib import Path
from types import FunctionType
from typing import Any

import coverage
import libcst as cst
import pytest
from _pytest.runner import runtestprotocol
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor, OuterFunctionProvider, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

_SECONDS = float(os.environ.get("TEST_SECONDS", "5"))  # of tests, under coverage, that a mutant meets
_MEMORY = 4 << 30
Map = tuple[list[float], dict[tuple[str, int], int]]
"""The seconds of each test; by file and line, the tests that reach it, as bits."""


_HOLDERS = ("__wrapped__", "__func__", "fget", "func", "_work")


@dataclass(frozen=True)
class Mutant:
    """One change in one function; `lines` are those of the statement it is in."""

    module: str
    function: str
    number: int
    lines: range
    before: str
    after: str

    def __str__(self) -> str:
        changes = [line for line in difflib.ndiff(self.before.split("\n"), self.after.split("\n")) if line[0] in "-+"]
        return "\n".join((self.name, *changes))

    @property
    def name(self) -> str:
        return f"{self.module}.{self.function} {self.number}"

    def take_effect(self) -> None:
        """The function gets the mutant's code, wherever it was imported, decorated or kept."""
        module = importlib.import_module(self.module)
        *path, name = self.function.split(".")
        made: dict[str, Any] = {}
        exec("from __future__ import annotations\n" + self.after, vars(module), made)
        place: Any = module
        for part in path:
            place, made = getattr(place, part), vars(made[part])
        function, mutated = _function(vars(place)[name]), _function(made[name])
        function.__code__ = mutated.__code__
        function.__defaults__, function.__kwdefaults__ = mutated.__defaults__, mutated.__kwdefaults__


def _function(held: Any) -> FunctionType:
    """The function in a property, a class method, a cache."""
    while not isinstance(held, FunctionType):
        held = next(getattr(held, name) for name in _HOLDERS if hasattr(held, name))
    return getattr(held, "__wrapped__", held)


class _Visitor(MutationVisitor):
    """mutmut's, which leaves out decorated functions; here they are mutated too."""

    METADATA_DEPENDENCIES = (PositionProvider, OuterFunctionProvider, ParentNodeProvider)

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and node.decorators:
            node = node.with_changes(decorators=())
        return bool(super()._skip_node_and_children(node))

    def mutants(self, module: str) -> Iterator[Mutant]:
        numbers: Counter[cst.CSTNode] = Counter()
        for mutation in self.mutations:
            function = mutation.contained_by_top_level_function
            if isinstance(function, cst.FunctionDef):
                numbers[function] += 1
                mutated = deep_replace(function, mutation.original_node, mutation.mutated_node)
                classes = self._classes(function)
                name = ".".join((*reversed(classes), function.name.value))
                before, after = (_source(one, classes) for one in (function, mutated))
                yield Mutant(module, name, numbers[function], self._lines(mutation.original_node), before, after)

    def _classes(self, function: cst.CSTNode) -> list[str]:
        around = self.get_metadata(ParentNodeProvider, function)
        named = []
        while not isinstance(around, cst.Module):
            if isinstance(around, cst.ClassDef):
                named.append(around.name.value)
            around = self.get_metadata(ParentNodeProvider, around)
        return named

    def _lines(self, node: cst.CSTNode) -> range:
        statement = node
        while not isinstance(statement, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            statement = self.get_metadata(ParentNodeProvider, statement)
        end = statement if isinstance(statement, cst.FunctionDef) else node
        return range(
            self.get_metadata(PositionProvider, statement).start.line,
            self.get_metadata(PositionProvider, end).end.line + 1,
        )


def _source(function: Any, classes: list[str]) -> str:
    node = function.with_changes(decorators=(), leading_lines=())
    for name in classes:
        node = cst.ClassDef(cst.Name(name), cst.IndentedBlock([node]))
    return cst.Module([node]).code


def mutants_of(path: Path) -> list[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")), unsafe_skip_copy=True)
    visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    with visitor.resolve(wrapper):
        wrapper.module.visit(visitor)
        return list(visitor.mutants(".".join(path.with_suffix("").parts)))


class Mutation:
    """Runs in place of pytest's own loop."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._again = Path(os.environ["AGAIN"]).read_text(encoding="utf-8") if "AGAIN" in os.environ else ""
        self._folders = sorted({str(Path(*path.parent.parts[:2])) for path in files})

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._base = Path(session.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
        tests = self._kept_map(session.items)
        breadth = Counter(number for those in tests[1].values() for number in _bits(those))
        self._order = sorted(range(len(session.items)), key=lambda number: (breadth[number], tests[0][number]))
        started = time.monotonic()
        for path in self._files:
            counts: Counter[str] = Counter()
            for mutant in mutants_of(path):
                if self._again and f": {mutant.name}\n" not in self._again:
                    continue
                outcome = self._outcome(mutant, session.items, tests)
                counts[outcome] += 1
                if outcome != "killed":
                    _say(f"{outcome}: {mutant}")
            _say(f"== {path}: {dict(counts)}, {time.monotonic() - started:.0f} s")
        return True

    def _kept_map(self, items: list[pytest.Item]) -> Map:
        """The map of the tests; it is kept in mutants/ until a file of the code or the tests changes."""
        digest = sha256("\n".join((*self._folders, *(item.nodeid for item in items))).encode())
        for file in sorted(file for folder in ("twokeys", "tests") for file in Path(folder).rglob("*.*")):
            if "__pycache__" not in file.parts and file.is_file() and file.name != Path(__file__).name:
                digest.update(file.read_bytes())
        kept = Path("mutants", digest.hexdigest()[:16])
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(pickle.dumps(self._map(items)))
        return pickle.loads(kept.read_bytes())

    def _map(self, items: list[pytest.Item]) -> Map:
        seconds, reached = [], defaultdict[tuple[str, int], int](int)
        for number, item in enumerate(items):
            answer = self._fork(partial(self._reached, item), 600)
            if answer is None:
                _say(f"fails without a mutant, and is left out: {item.nodeid}")
            seconds.append(0 if answer is None else answer[0])
            for line in () if answer is None else answer[1]:
                reached[line] |= 1 << number
        return seconds, dict(reached)

    def _reached(self, item: pytest.Item) -> tuple[float, list[tuple[str, int]]] | None:
        measured = coverage.Coverage(data_file=None, source=self._folders, config_file=False)
        started = time.process_time()
        measured.start()
        failed = any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))
        measured.stop()
        data, root = measured.get_data(), Path.cwd()
        lines = [
            (str(Path(file).relative_to(root)), line)
            for file in data.measured_files()
            for line in data.lines(file) or ()
        ]
        return None if failed else (time.process_time() - started, lines)

    def _outcome(self, mutant: Mutant, items: list[pytest.Item], tests: Map) -> str:
        seconds, reached = tests
        path = mutant.module.replace(".", "/") + ".py"
        those = reduce(or_, (reached.get((path, line), 0) for line in mutant.lines))
        reaching = [number for number in self._order if those >> number & 1]
        if not reaching:
            return "not reached"
        quickest = sorted(reaching, key=seconds.__getitem__)
        so_far = accumulate(seconds[number] for number in quickest)
        within = {number for number, passed in zip(quickest, so_far, strict=True) if passed <= _SECONDS}
        chosen = [number for number in reaching if number in within] or quickest[:1]
        patience = 5 + 10 * sum(seconds[number] for number in chosen)
        return self._fork(partial(_meets, mutant, [items[number] for number in chosen]), patience) or "killed"

    def _fork(self, work: Callable[[], Any], seconds: float) -> Any:
        """What the work gives in a process of its own; None where it ends otherwise, or takes longer than it may."""
        folder = Path(tempfile.mkdtemp(dir=self._base))
        child = os.fork()
        if child == 0:
            try:
                resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
                signal.setitimer(signal.ITIMER_PROF, seconds)  # ends the process
                self._config._tmp_path_factory._basetemp = folder
                (folder / "answer").write_bytes(pickle.dumps(work()))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        answer = folder / "answer"
        try:
            return pickle.loads(answer.read_bytes()) if answer.exists() else None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def pytest_configure(self, config: Any) -> None:
        self._config = config


def _meets(mutant: Mutant, items: list[pytest.Item]) -> str:
    try:
        mutant.take_effect()
    except Exception as error:
        return f"not made ({error!r})"
    for item, after in zip(items, [*items[1:], None], strict=True):
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=after)):
            return "killed"
    return "survived"


def _bits(those: int) -> Iterator[int]:
    while those:
        lowest = those & -those
        yield lowest.bit_length() - 1
        those ^= lowest


def _say(text: str) -> None:
    print(text, file=sys.__stdout__, flush=True)


def main(sources: str, *arguments: str) -> int:
    """SOURCES are files and folders of twokeys, with commas between them; what follows goes to pytest."""
    named = [Path(source) for source in sources.split(",")]
    files = [file for path in named for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    options = ["-q", "-p", "no:cacheprovider", "-o", "timeout=0", "-W", "ignore", "--tb=native", "--capture=sys"]
    return int(pytest.main([*options, *arguments], plugins=[Mutation(files)]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
