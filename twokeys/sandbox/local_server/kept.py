"""What the local AWS keeps on disk: an SQLite table with one row per leaf of its states.

A change is written at a cost that depends on what changed, however much is kept: a new inline policy is one new row
among the thousand policies of its group. A dictionary is a row without a value, followed by a row for each of its
entries; everything else is a leaf, written as JSON. A list is one leaf, so a list that grows is rewritten.

A transaction that was committed is in the write-ahead log when `commit` returns. The log is a file, so `kill -9` at any
moment loses nothing that was committed, and what was not is rolled back at the next start. The machine losing power may
lose the last transactions, never the order: SQLite's `synchronous=NORMAL` in WAL mode
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import ast
import copy
import functools
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

from twokeys.sandbox.local_server.tracking import Tracked

State: TypeAlias = dict[str, Any]

_FILE: Final = "kept.sqlite"
_FORMAT: Final = 1
_CARRIED: Final = "carried-over"
# JSON escapes control characters, so the separator is in no part of a path, and the next character ends its subtree.
_SEPARATOR: Final = "\x1f"
_AFTER_SEPARATOR: Final = "\x20"
_LEAF: Final = "leaf"
_DICT: Final = "dict"
_OF_ACCOUNTS: Final = "accounts"
_OF_REGIONS: Final = "accounts and regions"
_MISSING: Final = object()
_decode: Final = json.JSONDecoder(object_hook=persistence._json_object_hook).decode


class NotKeptError(Exception):
    """A change could not be written."""


class DamagedError(Exception):
    """What is kept cannot be read; it is left as it is. The message says what to do."""


class _Store(dict[Any, Any]):
    """What is kept of a store of ministack's, of either kind; what is kept of a dictionary is a dictionary."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        """A store of the other kind, or a dictionary, may have the same entries: only entries are compared."""
        return self is other

    __hash__ = None


class Kept:
    """The states as they are on disk, and how changes get there.

    Args:
        directory: where the file is, or is made from the states of the form of before (`iam.json`), which are then
            moved aside.

    Raises DamagedError when what is there is damaged, of a later version, or in use; OSError when nothing can be made.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / _FILE
        if not self._path.exists():
            _make(self._path, _states_of_before(directory))
        self._database = sqlite3.connect(self._path, isolation_level=None, timeout=1)
        try:
            _prepare(self._database, self._path)
            self._states = _read(self._database)
        except (sqlite3.Error, ValueError, SyntaxError, KeyError, TypeError) as error:
            self._database.close()
            raise _damaged(self._path, error) from error
        self._inode = self._path.stat().st_ino
        _move_aside(directory)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def state(self, service: str) -> State | None:
        """A service's state as it was kept, in ministack's types; None when there is none."""
        kept = self._states.get(service)
        return None if kept is None else {name: _revived(member) for name, member in kept.items()}

    def keep(self, states: Mapping[str, State]) -> None:
        """Write what changed in these states (service -> member -> objects) since they were kept, all or nothing.

        Of members that are tracked only the touched entries are compared. Raises NotKeptError, after which what is
        remembered here and what is on disk may differ: such a process has to end.
        """
        writer = _Writer(self._database)
        try:
            for service, state in states.items():
                writer.keep(self._states, service, state)
            if self._database.in_transaction:
                if self._path.stat().st_ino != self._inode:
                    raise NotKeptError(f"{self._path} is another file by now")
                self._database.execute("COMMIT")
        except (OSError, sqlite3.Error, TypeError, ValueError) as error:
            raise NotKeptError(str(error)) from error


class _Writer:
    """Compares states with what is kept and writes the rows that differ, in one transaction that it begins if needed.

    `True` for `1` is no difference here, nor is another order of the same entries.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def keep(self, states: dict[str, dict[Any, Any]], service: str, state: State) -> None:
        """Bring `states[service]`, and its rows, to `state`."""
        path = _component(service)
        if service not in states:
            states[service] = {}
            self._write(path, _DICT, str(persistence._state_format_version(service)))
        known = states[service]
        for name in known.keys() - state.keys():
            self._forget(path, name, known)
        for name, member in state.items():
            entries, kept = _entries(member), known.get(name)
            if isinstance(entries, Tracked):
                touched = entries.take()
                if isinstance(kept, dict) and _kind(kept) == _kind(member):
                    self._keep_touched(_join(path, name), kept, entries, touched)
                    continue
            self._keep_entry(path, name, known, member)

    def _keep_touched(self, path: str, known: dict[Any, Any], entries: Tracked, touched: set[Any]) -> None:
        for key in touched:
            if key not in entries:
                if key in known:
                    self._forget(path, key, known)
            elif known.get(key, _MISSING) != (value := dict.__getitem__(entries, key)):
                self._keep_entry(path, key, known, value)

    def _keep_entry(self, parent: str, key: Any, known: dict[Any, Any], value: Any) -> None:  # noqa: ANN401 - any key or object
        kept, kind = known.get(key, _MISSING), _kind(value)
        if kept is value or kept == value:
            return
        path = _join(parent, key)
        if isinstance(kept, dict) and _kind(kept) != kind:
            self._forget(parent, key, known)
            kept = _MISSING
        if kind == _LEAF:
            self._write(path, _LEAF, json.dumps(value, default=persistence._json_default))
            known[key] = _copy(value)
            return
        if not isinstance(kept, dict):
            self._write(path, kind, None)
            kept = known[key] = _node(kind)
        entries = _entries(value)
        for gone in kept.keys() - entries.keys():
            self._forget(path, gone, kept)
        for name, entry in dict.items(entries):
            if kept.get(name, _MISSING) is not entry:
                self._keep_entry(path, name, kept, entry)

    def _write(self, path: str, kind: str, value: str | None) -> None:
        self._begin()
        self._database.execute(
            "INSERT INTO kept (path, kind, value) VALUES (?, ?, ?) "
            "ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, value = excluded.value",
            (path, kind, value),
        )

    def _forget(self, parent: str, key: Any, known: dict[Any, Any]) -> None:  # noqa: ANN401
        self._begin()
        path = _join(parent, key)
        self._database.execute("DELETE FROM kept WHERE path = ?", (path,))
        if isinstance(known.pop(key), dict):
            below = (path + _SEPARATOR, path + _AFTER_SEPARATOR)
            self._database.execute("DELETE FROM kept WHERE path > ? AND path < ?", below)

    def _begin(self) -> None:
        if not self._database.in_transaction:
            self._database.execute("BEGIN IMMEDIATE")


def _make(path: Path, states: Mapping[str, State]) -> None:
    """A new file with these states, in place all at once: a start that was killed leaves none."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    database = sqlite3.connect(new, isolation_level=None)
    try:
        database.execute(f"PRAGMA user_version = {_FORMAT}")
        # Rows stay in the order in which they were written, and so do the entries of a dictionary.
        database.execute("CREATE TABLE kept (path TEXT PRIMARY KEY, kind TEXT NOT NULL, value TEXT)")
        kept: dict[str, dict[Any, Any]] = {}
        writer = _Writer(database)
        for service, state in states.items():
            writer.keep(kept, service, state)
        if database.in_transaction:
            database.execute("COMMIT")
    finally:
        database.close()
    new.replace(path)


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size == 0:
        raise ValueError("it is empty")
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise ValueError(found)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version != _FORMAT:
        raise ValueError(f"its format is {version}, and this version reads {_FORMAT}")


def _read(database: sqlite3.Connection) -> dict[str, dict[Any, Any]]:
    root: dict[str, dict[Any, Any]] = {}
    nodes: dict[str, dict[Any, Any]] = {"": root}
    for path, kind, value in database.execute("SELECT path, kind, value FROM kept ORDER BY rowid"):
        parent, _, key = path.rpartition(_SEPARATOR)
        if kind == _LEAF:
            nodes[parent][_key(key)] = _decode(value)
        else:
            nodes[path] = nodes[parent][_key(key)] = _node(kind)
            if parent == "":
                _refuse_later_format(_key(key), int(value))
    return root


def _refuse_later_format(service: str, version: int) -> None:
    if version > persistence._state_format_version(service):
        raise ValueError(f"its state of {service} has format {version}, which a later ministack wrote")


def _states_of_before(directory: Path) -> dict[str, State]:
    states: dict[str, State] = {}
    for path in sorted(directory.glob("*.json")):
        try:
            kept = _decode(path.read_text())
            _refuse_later_format(path.stem, kept["__ministack_format__"])
            states[path.stem] = kept["payload"]
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(path, error) from error
    return states


def _move_aside(directory: Path) -> None:
    """The states of before, once they were carried over, so that nobody takes them for those of now."""
    for path in directory.glob("*.json"):
        (directory / _CARRIED).mkdir(exist_ok=True)
        path.replace(directory / _CARRIED / path.name)


def _damaged(path: Path, error: Exception) -> DamagedError:
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return DamagedError(f"The kept state {path} is in use by another process. End that process first.")
    return DamagedError(f"The kept state {path} is damaged: {error}. Restore it, or move it away to start without it.")


def _kind(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        return value.kind if isinstance(value, _Store) else _DICT
    if isinstance(value, AccountRegionScopedDict):
        return _OF_REGIONS
    return _OF_ACCOUNTS if isinstance(value, AccountScopedDict) else _LEAF


def _node(kind: str) -> dict[Any, Any]:
    return {} if kind == _DICT else _Store(kind)


def _entries(value: Any) -> Any:  # noqa: ANN401
    return value._data if isinstance(value, AccountScopedDict | AccountRegionScopedDict) else value


def _revived(kept: Any) -> Any:  # noqa: ANN401
    """The same in ministack's types, sharing nothing that can change."""
    if not isinstance(kept, dict):
        return _copy(kept)
    entries = {key: _revived(entry) for key, entry in kept.items()}
    if not isinstance(kept, _Store):
        return entries
    return (AccountScopedDict if kept.kind == _OF_ACCOUNTS else AccountRegionScopedDict).from_dict(entries)


def _copy(leaf: Any) -> Any:  # noqa: ANN401
    return leaf if isinstance(leaf, str | int | float | bytes | None) else copy.deepcopy(leaf)


def _join(path: str, key: Any) -> str:  # noqa: ANN401
    return f"{path}{_SEPARATOR}{_component(key)}"


def _component(key: Any) -> str:  # noqa: ANN401
    """A key as text: JSON where JSON tells it apart, Python's own notation for the rest (numbers, mixed tuples)."""
    if isinstance(key, str) or (isinstance(key, tuple) and all(isinstance(part, str) for part in key)):
        return json.dumps(key)
    return ascii(key)


@functools.lru_cache(2**14)
def _key(component: str) -> Any:  # noqa: ANN401
    if component.startswith('"'):
        return json.loads(component)
    return tuple(json.loads(component)) if component.startswith("[") else ast.literal_eval(component)
