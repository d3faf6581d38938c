"""Which items are bought together more often than chance has it, among baskets of the same breadth.

Large customers buy everything, so that nearly any two items look associated. Baskets are therefore compared with those
of like breadth only, as Mantel and Haenszel did with strata (J. Natl. Cancer Inst. 22, 1959): given how many of the n
baskets of a stratum hold the one item and how many the other, a and b, the joint count has the mean a·b/n and the
variance of the hypergeometric distribution, and strata add up. Only the joint count itself has to look at pairs.

One thing is left: inside a stratum items are not quite independent even where nobody prefers anything. Baskets of
exactly r items that hold the one have r − 1 places left for the other, and a wide stratum still holds broad and narrow
baskets. Both show in the variance of the breadth: it is the sum of the items' variances v and of their covariances. The
covariances that all pairs have together are divided among them in proportion to v·v′, as by a model of one factor; a
pair is associated where it exceeds its part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, issparse, vstack
from scipy.special import betainc

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK = 4_000_000
"""Pairs looked at together: some 32 MB in each of a few matrices."""

PAIRS = {
    "first": "int64",
    "second": "int64",
    "together": "int64",
    "expected": "float64",
    "p_value": "float64",
    "p_adjusted": "float64",
}
"""Columns of ``associated``, with their types."""

STRATA, LEAST_BASKETS = 50, 50
"""At most so many strata of breadth, and so many baskets in each at least."""

_TINY = 1e-9


def associated(bought: csr_array, strata: Ints, *, at_least: int, min_lift: float, rate: float) -> pd.DataFrame:
    """Return the pairs of items that are associated by more than ``min_lift``, sorted by item: ``PAIRS``.

    ``first < second`` are columns of the baskets; ``together`` baskets hold both, where breadth alone has ``expected``
    of them. ``p_value`` is one-sided, ``p_adjusted`` is over all pairs of items, those never bought together included.

    A pair is tested against a joint count that is larger than expected by (``min_lift`` − 1) times its variance. For
    items that few buy this is ``min_lift`` times the expected count; for others it is an odds ratio of about
    ``min_lift``, as a lift of common items cannot be large. The tail is that of the binomial distribution with the
    same mean and variance: sums of hypergeometric counts are sums of independent trials, which it approximates well
    (Ehm, Stat. Probab. Lett. 11, 1991).

    Parameters
    ----------
    bought : baskets × items, 0 and 1
    strata : of each basket, from 0; baskets are compared within them
    at_least : baskets that hold both items; pairs below count as tests that found nothing
    rate : of false discoveries (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995)
    """
    is_compared = np.bincount(strata)[strata] > 1
    bought, items = bought[is_compared], bought.shape[1]
    chance = _Chance.of(bought, strata[is_compared])
    tested = (_tested(counted, chance, min_lift) for counted in joint_counts(bought, at_least))
    # What is not significant alone is not among others either.
    likely = [block[block["p_value"] <= rate] for block in tested]
    pairs = pd.concat([pd.DataFrame(columns=list(PAIRS)).astype(PAIRS), *likely], ignore_index=True)
    pairs["p_adjusted"] = false_discovery_rates(pairs["p_value"].to_numpy(), items * (items - 1) // 2)
    found = pairs[pairs["p_adjusted"] <= rate]
    return found.astype(PAIRS).sort_values(["first", "second"], ignore_index=True)


def joint_counts(bought: csr_array, at_least: int = 1) -> Iterator[pd.DataFrame]:
    """Yield blocks of the pairs of items that at least so many baskets hold both of: ``first, second, together``.

    The product of the sparse matrix with itself takes, for each basket, the square of its items. One block of items is
    multiplied with those behind it at a time, so that memory is bounded whatever the number of pairs.
    """
    items = bought.shape[1]
    by_item = bought.T.tocsr()
    step = max(1, BLOCK // max(items, 1))
    for start in range(0, items, step):
        product = (by_item[start : start + step] @ by_item[start:].T).tocoo()
        is_pair = (product.col > product.row) & (product.data >= at_least)
        rows, columns, together = (part[is_pair].astype("int64") for part in (product.row, product.col, product.data))
        yield pd.DataFrame({"first": rows + start, "second": columns + start, "together": together})


def breadth_strata(breadth: Ints) -> Ints:
    """Return the stratum of each basket by the number of its items: at most ``STRATA``, equal breadths together.

    A stratum holds at least ``LEAST_BASKETS``, but for a base that has fewer.
    """
    values, counts = np.unique(breadth, return_counts=True)
    target = max(LEAST_BASKETS, len(breadth) / STRATA)
    of_value, stratum, held = np.zeros(len(values), dtype=np.int64), 0, 0
    for place, count in enumerate(counts):
        of_value[place] = stratum
        held += count
        if held >= target:
            stratum, held = stratum + 1, 0
    if held and stratum:
        of_value[of_value == stratum] = stratum - 1
    strata: Ints = of_value[np.searchsorted(values, breadth)]
    return strata


def false_discovery_rates(p_values: Floats, tests: int) -> Floats:
    """Return the adjusted p-values of Benjamini and Hochberg, where tests that are not among the given found nothing.

    >>> false_discovery_rates(np.array([0.02, 0.001]), tests=10).round(3).tolist()
    [0.1, 0.01]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * tests / np.arange(1, len(order) + 1)
    rates = np.empty(len(order))
    rates[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1.0)
    return rates


def upper_tail(counts: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return the probability of so many successes or more, of the binomial distribution of this mean and variance.

    More than the trials of that distribution are judged by the inequality of Bennett (J. Am. Stat. Assoc. 57, 1962),
    which holds for any sum of independent trials.

    >>> from scipy.stats import binom
    >>> upper_tail(np.array([7.0]), np.array([4.0]), np.array([3.2])).round(6) == binom.sf(6, 20, 0.2).round(6)
    array([ True])
    """
    share = 1 - np.clip(variance / mean, _TINY, 1 - _TINY)
    trials = mean / share
    tail = betainc(counts, np.maximum(trials - counts + 1, 1.0), share)
    times = np.maximum(counts / mean - 1, 0.0) * mean / variance
    bound = np.exp(-variance * ((1 + times) * np.log1p(times) - times))
    return np.where(counts <= trials, tail, bound)


def _tested(pairs: pd.DataFrame, chance: _Chance, min_lift: float) -> pd.DataFrame:
    mean, variance = chance.at(pairs)
    most = mean + (min_lift - 1) * np.minimum(variance, mean)
    return pairs.assign(expected=mean, p_value=upper_tail(pairs["together"].to_numpy(float), most, variance))


@dataclass(frozen=True)
class _Chance:
    """Mean and variance of joint counts without association: products of matrices, strata × items."""

    mean: tuple[Any, Any]
    variance: tuple[Any, Any]

    @classmethod
    def of(cls, bought: csr_array, strata: Ints) -> _Chance:
        """Learn from baskets; no stratum has only one of them."""
        _, stratum = np.unique(strata, return_inverse=True)
        size = np.bincount(stratum).astype(float)
        own = csr_array((np.ones(len(stratum)), (stratum, np.arange(len(stratum)))), shape=(len(size), len(stratum)))
        held = own @ bought
        # The rows of a few strata are nearly full, those of many are not.
        held = held.toarray() if len(size) <= STRATA else held
        share = _scaled(held, 1 / size)
        spread = share - share * share
        excess = _excess(spread, own, np.asarray(bought.sum(axis=1)), size)
        thinned = spread - spread * share
        unbiased = size**2 / (size - 1)
        stacked = vstack if issparse(held) else np.vstack
        return cls(
            (stacked([share, _scaled(spread, size * excess)]), stacked([held, spread])),
            (stacked([_scaled(spread, unbiased), _scaled(thinned, unbiased * excess)]), stacked([spread, thinned])),
        )

    def at(self, pairs: pd.DataFrame) -> tuple[Floats, Floats]:
        """Return mean and variance of the joint counts of pairs of items."""
        mean, variance = (_product_at(factors, pairs) for factors in (self.mean, self.variance))
        # Libraries of linear algebra add up in an order of their own; the last digits are left out.
        return mean.round(9).clip(min=_TINY), variance.round(9).clip(min=_TINY)


def _excess(spread: Any, own: csr_array, breadth: Ints, size: Floats) -> Floats:
    """Return the covariance of a pair of items in each stratum, over the product of their variances."""
    square = (own @ breadth.astype(float) ** 2) / size - ((own @ breadth) / size) ** 2
    total, squares = (np.asarray(part.sum(axis=1)).ravel() for part in (spread, spread * spread))
    products = total**2 - squares
    excess: Floats = np.divide(square - total, products, out=np.zeros_like(size), where=products > _TINY)
    return excess


def _scaled(matrix: Any, by: Floats) -> Any:
    """Return a matrix with its rows multiplied."""
    return diags_array(by) @ matrix if issparse(matrix) else by[:, None] * matrix


def _product_at(factors: tuple[Any, Any], pairs: pd.DataFrame) -> Floats:
    """Return the elements of leftᵀ·right at pairs of items; of the rows, only those between the first and the last."""
    left, right = factors
    first, second = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    if not len(pairs):
        return np.zeros(0)
    begin = first.min()
    product = left[:, begin : first.max() + 1].T @ right
    product = product.toarray() if issparse(product) else product
    values: Floats = product[first - begin, second]
    return values
