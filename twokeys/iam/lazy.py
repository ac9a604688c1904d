"""An attribute that is worked out when it is first read: `functools.cached_property` without the lock of Python 3.11.

That lock costs more than most of what is kept here; Python 3.12 has taken it out.
https://docs.python.org/3/library/functools.html#functools.cached_property
"""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

_T = TypeVar("_T")


class lazy(Generic[_T]):  # noqa: N801 - it stands where `property` does
    """Keeps what a method returns in the instance, where it is found before this is asked again.

    Set as an attribute, since an instance whose `__dict__` is asked for is read more slowly from then on.
    """

    def __init__(self, work: Callable[[Any], _T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | _T:
        if instance is None:
            return self
        value = self._work(instance)
        object.__setattr__(instance, self._name, value)
        return value
