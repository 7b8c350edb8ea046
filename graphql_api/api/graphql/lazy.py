"""What is made when it is first asked for."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - as property and cached_property
    """A property that is computed once.

    functools.cached_property has a lock until Python 3.12, one for all objects of a class: who
    waits for the store meanwhile makes all others wait.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, owner: Any, _: Any = None) -> T:
        """The value, which from now on is the owner's own attribute."""
        value = owner.__dict__[self._name] = self._make(owner)
        return value
