"""What is made once for everybody who asks: the last of it, as much as fits."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class KeptValues(Generic[Value]):
    """`most` is how much is kept of all together, in whatever `size` counts; what takes more than
    a quarter of that is not. Who asks for one that is being made waits for it, and calls `waits`
    before."""

    def __init__(
        self, most: int, size: Callable[[Value], int], waits: Callable[[], None] = lambda: None
    ) -> None:
        self._most, self._size_of, self._waits = most, size, waits
        self._kept: OrderedDict[bytes, Value] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._making: dict[bytes, threading.Lock] = {}

    def get(self, key: bytes, make: Callable[[], Value]) -> Value:
        with self._lock:
            if (kept := self._found(key)) is not None:
                return kept
            making = self._making.setdefault(key, threading.Lock())
        if making.locked():
            self._waits()
        with making:
            with self._lock:
                if (kept := self._found(key)) is not None:
                    return kept
            try:
                value = make()
                with self._lock:
                    self._keep(key, value)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value

    def _found(self, key: bytes) -> Value | None:
        if (value := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return value

    def _keep(self, key: bytes, value: Value) -> None:
        if self._size_of(value) > self._most // 4 or key in self._kept:
            return
        self._kept[key] = value
        self._size += self._size_of(value)
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= self._size_of(oldest)
