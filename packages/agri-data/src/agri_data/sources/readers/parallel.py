"""Threaded map over many small files, in order, with a bounded number of pending results."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def in_order(
    function: Callable[[A], B], items: Iterable[A], *, workers: int | None = None, ahead: int = 4
) -> Iterator[Future[B]]:
    """Yield a future of `function(item)` per item, in order; at most `workers * ahead` pend.

    A future rather than its result, so that the caller decides what a failed item means.
    """
    count = workers or min(os.cpu_count() or 1, 8)
    stream = iter(items)
    with ThreadPoolExecutor(count) as pool:
        waiting = deque(pool.submit(function, item) for item in islice(stream, count * ahead))
        try:
            while waiting:
                yield waiting.popleft()
                waiting.extend(pool.submit(function, item) for item in islice(stream, 1))
        finally:
            for future in waiting:
                future.cancel()
