"""Why this candidate: the figures of the table in one paragraph for people."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from segml.clusters.candidates import KMEANS
from segml.clusters.choice import Choice
from segml.language import N_, _

_BECAUSE = {
    ("natural", True): N_(
        "{chosen}, because of the divisions that come back in every sample and whose segments stand apart it is the "
        "finest that tells about as much of the next period's revenue as the best ({eta:.1%}, log scale)."
    ),
    ("natural", False): N_(
        "{chosen}, because it is the finest division that comes back in every sample and whose segments stand apart."
    ),
    ("reproducible", True): N_(
        "{chosen}, because of the divisions that come back in every sample it is the finest that tells about as much "
        "of the next period's revenue as the best ({eta:.1%}, log scale)."
    ),
    ("reproducible", False): N_("{chosen}, because it is the finest division that comes back in every sample."),
    ("constructed", True): N_(
        "{chosen}, because no division comes back in every sample, and this is the simplest that tells about as much "
        "of the next period's revenue as any ({eta:.1%}, log scale)."
    ),
    ("constructed", False): N_(
        "{chosen}, because no division comes back in every sample, and this is nearest to the number of segments asked "
        "for."
    ),
}

_NOT_RESAMPLED = {
    True: N_(
        "{chosen}, because it is the simplest division that tells about as much of the next period's revenue as any "
        "({eta:.1%}, log scale)."
    ),
    False: N_("{chosen}, because it is nearest to the number of segments asked for."),
}


def paragraph(choice: Choice, called: Callable[[str], str] = _) -> str:
    """Return why the candidate was chosen, and what spoke against the others; every number is from the table.

    ``called`` returns how people call a simple rule of the table.
    """
    sentences = [_because(choice), _nature(choice), _reproducible(choice), _too_small(choice), _too_much_noise(choice)]
    return " ".join(sentence for sentence in [*sentences, _prediction(choice), _rules(choice, called)] if sentence)


def told(row: pd.Series) -> str:
    """Return how people call a candidate, in the language spoken.

    >>> told(pd.Series({"algorithm": "hdbscan", "size": 50.0, "n_segments": 4.0}))
    'HDBSCAN from 50 customers (k = 4)'
    """
    k = _("k = {k:.0f}").format(k=row["n_segments"])
    if row["algorithm"] == KMEANS:
        return k
    return _("{algorithm} from {size:.0f} customers ({k})").format(
        algorithm=str(row["algorithm"]).upper(), size=row["size"], k=k
    )


def _because(choice: Choice) -> str:
    known = choice.verdict.is_resampled
    message = _(_BECAUSE[choice.kind, choice.by_prediction] if known else _NOT_RESAMPLED[choice.by_prediction])
    return message.format(chosen=told(choice.candidate), eta=choice.candidate["next_period_eta2"])


def _nature(choice: Choice) -> str:
    limit = choice.thresholds.valley
    if not choice.verdict.is_resampled:
        return ""
    if choice.is_natural:
        apart = _(
            "Natural clusters: between any two segments customers are rare, the shallowest valley of density is "
            "{depth:.2f} deep (at least {limit:.2f})."
        )
        return apart.format(depth=choice.candidate["min_valley"], limit=limit)
    if len(choice.verdict.natural):
        coarse = _(
            "Natural clusters there are only for {some} (depth of the shallowest valley of density between two of "
            "them, natural from {limit:.2f}); the finer segments are a convenience that tells clearly more."
        )
        return coarse.format(
            some=_listed(choice.verdict.natural, "min_valley", _("{candidate} ({figure:.2f})")), limit=limit
        )
    depth = choice.candidate["min_valley"]
    if depth >= limit:
        unsure = _(
            "No natural clusters: these segments are a convenience. The shallowest valley of density between two of "
            "them is {depth:.2f} deep (natural from {limit:.2f}), but they do not come back in every sample, or are no "
            "tighter than one group would be."
        )
        return unsure.format(depth=depth, limit=limit)
    none = _(
        "No natural clusters: these segments are a convenience. They cut a continuum: the shallowest valley of density "
        "between two of them is {depth:.2f} deep (natural from {limit:.2f})."
    )
    return none.format(depth=depth, limit=limit)


def _reproducible(choice: Choice) -> str:
    limits, rows = choice.thresholds, choice.verdict.reproducible
    if not choice.verdict.is_resampled:
        return _("Which segments come back when customers are drawn anew was not measured.")
    if rows.empty:
        rows = choice.verdict.measured
        message = _(
            "Wanted: clusterings of two samples that agree by {agreement:.2f}, every segment by {jaccard:.2f}, and a "
            "prediction strength of {strength:.2f}; found: {some}."
        )
    else:
        message = _(
            "Clusterings of two samples agree by at least {agreement:.2f}, every segment by at least {jaccard:.2f}, "
            "and the prediction strength is at least {strength:.2f}, for {some}."
        )
    told_limits = {name: getattr(limits, name) for name in ("agreement", "jaccard", "strength")}
    return message.format(some=_back(rows), **told_limits)


def _back(rows: pd.DataFrame) -> str:
    one = _("{candidate} ({agreement:.2f}, {jaccard:.2f}, {strength:.2f})")
    return ", ".join(
        one.format(
            candidate=told(row),
            agreement=row["agreement"],
            jaccard=row["min_jaccard"],
            strength=row["prediction_strength"],
        )
        for _place, row in rows.iterrows()
    )


def _too_small(choice: Choice) -> str:
    rows, limit = choice.verdict.measured, choice.thresholds.share
    small = rows[rows["smallest_share"] < limit]
    message = _("Too small a segment (under {limit:.1%} of customers): {some}.")
    return message.format(limit=limit, some=_shares(small, "smallest_share")) if len(small) else ""


def _too_much_noise(choice: Choice) -> str:
    rows, limit = choice.verdict.measured, choice.thresholds.noise
    noisy = rows[rows["noise_share"] > limit]
    message = _("Too many customers in no segment (over {limit:.1%}): {some}.")
    return message.format(limit=limit, some=_shares(noisy, "noise_share")) if len(noisy) else ""


def _prediction(choice: Choice) -> str:
    rows = choice.verdict.measured
    known = rows[rows["next_period_eta2"].notna()]
    message = _("Of the next period's revenue are told: {some}.")
    return message.format(some=_shares(known, "next_period_eta2")) if len(known) else ""


def _rules(choice: Choice, called: Callable[[str], str]) -> str:
    rules = choice.rules[choice.rules["next_period_eta2"].notna()] if len(choice.rules) else choice.rules
    if rules.empty or not choice.by_prediction:
        return ""
    best = rules.iloc[int(rules["next_period_eta2"].to_numpy().argmax())]
    if best["next_period_eta2"] > choice.candidate["next_period_eta2"]:
        message = _("A simple rule tells more: {rule} ({eta:.1%}); prefer it where prediction counts.")
    else:
        message = _("The best simple rule tells no more: {rule} ({eta:.1%}).")
    return message.format(rule=called(str(best["candidate"])), eta=best["next_period_eta2"])


def _shares(rows: pd.DataFrame, column: str) -> str:
    return _listed(rows, column, _("{candidate} ({figure:.1%})"))


def _listed(rows: pd.DataFrame, column: str, one: str) -> str:
    return ", ".join(one.format(candidate=told(row), figure=row[column]) for _place, row in rows.iterrows())
