"""One answer for all who ask for the same at the same time."""

from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Sharing(Generic[K, T]):
    """Knows what is under way, by keys, and who waits for it.

    Whoever asks for what is under way already waits for that. Who gives up (whose Deferred is
    cancelled) takes the answer from nobody else; when the last one does, the work is cancelled.
    """

    def __init__(self) -> None:
        self._under_way: dict[K, _Shared[T]] = {}

    def get(self, key: K, begin: Callable[[], Coroutine[Any, Any, T]]) -> Deferred[T]:
        """What the coroutine function ``begin`` returns, which is called now unless the same
        ``key`` is under way.

        The Deferred fails with what it raises, as do those of all others who wait for it.
        """
        shared = self._under_way.get(key)
        if shared is None:
            shared = self._under_way[key] = _Shared(self, key)
            waiting = shared.wait()
            shared.begin(begin)
            return waiting
        return shared.wait()

    def forget(self) -> None:
        """Let those alone who wait now have what is under way: who asks later begins anew."""
        self._under_way.clear()

    def over(self, key: K, shared: "_Shared[T]") -> None:
        """For the work itself: it has ended, or nobody waits for it any more."""
        if self._under_way.get(key) is shared:
            del self._under_way[key]


class _Shared(Generic[T]):
    def __init__(self, sharing: Sharing[K, T], key: K) -> None:
        self._over: Callable[[], None] = lambda: sharing.over(key, self)
        self._work: Deferred[None] | None = None
        self._waiting: dict[Deferred[T], None] = {}

    def begin(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> None:
        work = Deferred.fromCoroutine(begin())
        self._work = work.addCallbacks(self._succeeded, self._failed)

    def wait(self) -> Deferred[T]:
        waiting: Deferred[T] = Deferred(self._given_up)
        self._waiting[waiting] = None
        return waiting

    def _given_up(self, waiting: Deferred[T]) -> None:
        self._waiting.pop(waiting, None)
        if not self._waiting and self._work is not None:
            self._over()
            self._work.cancel()

    def _succeeded(self, result: T) -> None:
        for each in self._take_waiting():
            each.callback(result)

    def _failed(self, failure: Failure) -> None:
        for each in self._take_waiting():
            each.errback(failure)

    def _take_waiting(self) -> tuple[Deferred[T], ...]:
        self._over()
        waiting, self._waiting = tuple(self._waiting), {}
        return waiting
