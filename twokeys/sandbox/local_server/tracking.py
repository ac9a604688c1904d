"""Which entries of a store a request may have changed: those that it looked up or set.

ministack's services keep their objects in dictionaries and change them in place once they looked them up. So what was
neither looked up nor set is as it was, and need not be compared with what is kept. A store of several accounts also
learns here which keys are whose: ministack walks through those of all accounts to list those of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ministack.core.responses import AccountScopedDict, get_account_id


class Tracked(dict[Any, Any]):
    """A dictionary that remembers the keys whose values were handed out or changed."""

    def __init__(self, entries: dict[Any, Any]) -> None:
        super().__init__(entries)
        self._touched = set(entries)

    def take(self) -> set[Any]:
        """The keys touched since the last call; some may be gone from the dictionary."""
        touched, self._touched = self._touched, set()
        return touched

    def _hand_out(self, keys: Iterable[Any]) -> None:
        self._touched.update(keys)

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - as in dict, here and below
        self._hand_out((key,))
        return super().__getitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ANN401
        """Hand out one value, if it is there."""
        if key in self:
            self._hand_out((key,))
        return super().get(key, default)

    def values(self) -> Any:  # noqa: ANN401 - a view
        """Hand out all values."""
        self._hand_out(self)
        return super().values()

    def items(self) -> Any:  # noqa: ANN401 - a view
        """Hand out all values, with their keys."""
        self._hand_out(self)
        return super().items()

    def __setitem__(self, key: Any, value: Any) -> None:  # noqa: ANN401
        self._touched.add(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:  # noqa: ANN401
        self._touched.add(key)
        super().__delitem__(key)

    def setdefault(self, key: Any, default: Any = None) -> Any:  # noqa: ANN401
        """Set where there is none, and hand it out."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: Any, *default: Any) -> Any:  # noqa: ANN401
        """Remove one entry."""
        if key not in self and default:
            return default[0]
        value = super().__getitem__(key)
        del self[key]
        return value

    def popitem(self) -> tuple[Any, Any]:
        """Remove the entry that was set last."""
        key = next(reversed(self))
        return key, self.pop(key)

    def update(self, other: Any = (), /, **more: Any) -> None:  # noqa: ANN401
        """Set all of these."""
        for key, value in dict(other, **more).items():
            self[key] = value

    def clear(self) -> None:
        """Remove all."""
        for key in list(self):
            del self[key]


class TrackedConstants(Tracked):
    """One whose values never change once they are set: handing one out is no reason to look at it again."""

    def _hand_out(self, keys: Iterable[Any]) -> None:
        pass


class _OfAccounts(Tracked):
    """The entries of all accounts by (account, key), with an index by account."""

    def __init__(self, entries: dict[Any, Any]) -> None:
        super().__init__(entries)
        self._of: dict[str, dict[Any, None]] = {}
        for key in entries:
            self._of.setdefault(key[0], {})[key] = None

    def of(self, account: str) -> list[Any]:
        """The keys of one account, in the order in which they were set."""
        return list(self._of.get(account, ()))

    def items_of(self, account: str) -> list[tuple[Any, Any]]:
        """The entries of one account, handed out at once."""
        keys = self.of(account)
        self._hand_out(keys)
        value = super(Tracked, self).__getitem__
        return [(key[1], value(key)) for key in keys]

    def __setitem__(self, key: Any, value: Any) -> None:  # noqa: ANN401
        super().__setitem__(key, value)
        self._of.setdefault(key[0], {})[key] = None

    def __delitem__(self, key: Any) -> None:  # noqa: ANN401
        super().__delitem__(key)
        del self._of[key[0]][key]


class TrackedStore(AccountScopedDict):  # type: ignore[misc] # ministack ships no types
    """A store of ministack's that lists an account's entries without those of others; made with `track`."""

    __slots__ = ()
    _data: _OfAccounts

    def __len__(self) -> int:
        return len(self._mine())

    def __bool__(self) -> bool:
        return bool(self._mine())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def keys(self) -> list[Any]:
        """The keys of the request's account."""
        return [key for _, key in self._mine()]

    def values(self) -> list[Any]:
        """The values of the request's account."""
        return [value for _, value in self.items()]

    def items(self) -> list[tuple[Any, Any]]:
        """The entries of the request's account."""
        return self._data.items_of(get_account_id())

    def _mine(self) -> list[Any]:
        return self._data.of(get_account_id())


def track(store: AccountScopedDict) -> None:
    """Follow this very store from now on: services hold it in variables of their own."""
    store._data = _OfAccounts(store._data)
    store.__class__ = TrackedStore
