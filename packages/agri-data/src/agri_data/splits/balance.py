"""Assignment to splits: exact quotas for single chips, best balance for whole units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# An upper bound: passes stop as soon as nothing improves.
PASSES = 4
# A pass of swaps compares each unit with each, so its time grows with the square.
SWAP_LIMIT = 1500


def quotas(total: int, fractions: Floats) -> Ints:
    """Cut `total` into whole numbers within 1 of `total * fractions` (largest remainder).

    Example:
        >>> quotas(10, np.array([0.7, 0.15, 0.15])).tolist()
        [7, 2, 1]
    """
    exact = total * fractions
    # 0.29 * 100 is 28.999999999999996 in floats and must not lose an item here.
    counts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return counts


def deal(strata: Ints, fractions: Floats, rng: np.random.Generator) -> Ints:
    """Assign each item to a split: sizes are the quotas, and each stratum is shared alike.

    Items are dealt in the order given within a shuffled stratum, so the caller fixes the order.
    """
    sizes = np.bincount(strata)
    plan = _plan(sizes, quotas(len(strata), fractions), fractions)
    splits = np.empty(len(strata), np.int64)
    for stratum, row in enumerate(plan):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        splits[members] = np.repeat(np.arange(len(fractions)), row)
    return splits


def _plan(sizes: Ints, totals: Ints, fractions: Floats) -> Ints:
    """Round `sizes x fractions` to whole numbers whose sums are `sizes` and `totals`."""
    exact = sizes[:, None] * fractions
    plan = np.floor(exact + 1e-9).astype(np.int64)
    rows, cols = sizes - plan.sum(1), totals - plan.sum(0)
    for cell in np.argsort((plan - exact).ravel(), kind="stable"):
        row, col = divmod(int(cell), len(fractions))
        if rows[row] > 0 and cols[col] > 0:
            plan[row, col] += 1
            rows[row] -= 1
            cols[col] -= 1
    return _settle(plan, rows, cols)


def _settle(plan: Ints, rows: Ints, cols: Ints) -> Ints:
    """Hand out what one step a cell could not; floors never exceed the totals, so all fits."""
    for row in np.flatnonzero(rows):
        while rows[row] > 0:
            col = int(np.argmax(cols))
            plan[row, col] += 1
            rows[row] -= 1
            cols[col] -= 1
    return plan


def balance(contents: Floats, fractions: Floats, rng: np.random.Generator) -> Ints:
    """Assign whole units to splits so that each comes near its share of every class.

    The largest units are placed first, each where it helps most; then units move and swap while
    that helps. The measure is chi-square: squared distance from the wanted content over the
    wanted content, summed over splits and columns. Every split with a share gets a unit.

    Args:
        contents: what each unit holds of each class, `(U, K)`, U >= the number of splits.
        fractions: of each split, `(P,)`, summing to 1.
        rng: breaks ties.

    Example:
        >>> fields = np.array([[8.0, 0], [4, 0], [4, 0], [0, 3], [0, 3], [0, 6]])
        >>> balance(fields, np.array([0.5, 0.5]), np.random.default_rng(0)).tolist()
        [0, 1, 1, 0, 0, 1]
    """
    # The sum over classes is a column too, so that sizes are balanced, not only classes.
    sized = np.column_stack([contents, contents.sum(1)])
    wanted = np.outer(fractions, sized.sum(0))
    weights = np.divide(1.0, wanted, out=np.zeros_like(wanted), where=wanted > 0)
    shuffled = rng.permutation(len(sized))
    order = shuffled[np.argsort(-sized[shuffled, -1], kind="stable")]
    splits = _place(sized, wanted, weights, fractions, order)
    for _ in range(PASSES):
        moved = _move(sized, wanted, weights, fractions, splits)
        swapped = len(sized) <= SWAP_LIMIT and _swap(sized, wanted, weights, splits)
        if not (moved or swapped):
            break
    return splits


def _place(units: Floats, wanted: Floats, weights: Floats, fractions: Floats, order: Ints) -> Ints:
    splits = np.full(len(units), -1, np.int64)
    have = np.zeros_like(wanted)
    open_, empty = fractions > 0, fractions > 0
    for rank, unit in enumerate(order):
        # The last units go where there is none yet, so that no split stays empty.
        forced = len(order) - rank <= int(empty.sum())
        cost = _cost(units[unit], have - wanted, weights)
        cost[~(empty if forced else open_)] = np.inf
        splits[unit] = int(np.argmin(cost))
        have[splits[unit]] += units[unit]
        empty[splits[unit]] = False
    return splits


def _cost(unit: Floats, excess: Floats, weights: Floats) -> Floats:
    """Return what adding `unit` to each split adds to the chi-square, `(P,)`."""
    added: Floats = ((2 * excess * unit + unit * unit) * weights).sum(-1)
    return added


def _move(units: Floats, wanted: Floats, weights: Floats, fractions: Floats, splits: Ints) -> bool:
    excess = _held(units, splits, len(wanted)) - wanted
    counts = np.bincount(splits, minlength=len(wanted))
    changed = False
    for unit in range(len(units)):
        home, content = splits[unit], units[unit]
        if counts[home] == 1:
            continue
        excess[home] -= content
        cost = _cost(content, excess, weights)
        cost[fractions <= 0] = np.inf
        best = int(np.argmin(cost))
        # A gain within rounding would move units back and forth.
        best = best if cost[best] < cost[home] - 1e-9 else int(home)
        excess[best] += content
        counts[home] -= 1
        counts[best] += 1
        splits[unit] = best
        changed = changed or best != home
    return changed


def _swap(units: Floats, wanted: Floats, weights: Floats, splits: Ints) -> bool:
    excess = _held(units, splits, len(wanted)) - wanted
    changed = False
    for unit in range(len(units)):
        home = splits[unit]
        step = units - units[unit]
        here, there = weights[home], weights[splits]
        # The change of the chi-square if `unit` and each other one swapped, in closed form.
        gain = ((2 * excess[home] + step) * step * here).sum(1)
        gain += ((step - 2 * excess[splits]) * step * there).sum(1)
        gain[splits == home] = 0.0
        other = int(np.argmin(gain))
        if gain[other] < -1e-9:
            excess[home] += step[other]
            excess[splits[other]] -= step[other]
            splits[unit], splits[other] = splits[other], home
            changed = True
    return changed


def _held(units: Floats, splits: Ints, count: int) -> Floats:
    held = np.zeros((count, units.shape[1]))
    np.add.at(held, splits, units)
    return held
