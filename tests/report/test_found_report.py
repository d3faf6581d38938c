"""Every claim about found segments is recomputed from the tables that a training run leaves beside the page."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from segml import config, outputs, pipeline
from segml.clusters import RULE, Thresholds, choose, explain_by_tree
from segml.data import connect, load_tables
from support import SMALL, TODAY

OVERRIDES = (*SMALL, "segments.clusters.candidates=[kmeans,hdbscan]", "segments.clusters.hdbscan.shares=[0.03,0.08]")
SEED = 0


@dataclass(frozen=True)
class Left:
    """What a run left: the text of the page about found segments, and the tables."""

    text: str
    training: pipeline.Training
    candidates: pd.DataFrame
    segments: pd.DataFrame
    migration: pd.DataFrame
    refit: pd.DataFrame
    profiles: pd.DataFrame
    decisions: pd.DataFrame
    features: pd.DataFrame

    @property
    def chosen(self) -> pd.Series:
        (row,) = (row for _, row in self.candidates[self.candidates["is_chosen"]].iterrows())
        return row

    @property
    def rules(self) -> pd.DataFrame:
        return self.candidates[self.candidates["algorithm"] == RULE].set_index("candidate")

    @property
    def best_rule(self) -> str:
        return str(list(self.rules.index)[int(self.rules["next_period_eta2"].to_numpy().argmax())])

    @property
    def kmeans(self) -> pd.DataFrame:
        return self.candidates[self.candidates["algorithm"] == "kmeans"]


def with_both() -> pipeline.Training:
    settings = config.load(None, OVERRIDES)
    return pipeline.train(pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY), settings)


@pytest.fixture(scope="module", params=["kmeans", pytest.param("both", marks=pytest.mark.slow)])
def left(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, small_training: pipeline.Training
) -> Left:
    folder: Path = tmp_path_factory.mktemp("run")
    training = with_both() if request.param == "both" else small_training
    outputs.write(training, folder, run_id="run", data_digest="0123")
    tables = [
        pd.read_csv(folder / name, encoding="utf-8-sig")
        for name in (outputs.CLUSTERS, outputs.CLUSTER_SEGMENTS, outputs.MIGRATION, outputs.REFIT, outputs.PROFILES)
    ]
    stored = [pd.read_parquet(folder / name) for name in (outputs.DECISIONS, outputs.FEATURES)]
    return Left(told((folder / outputs.REPORT).read_text(encoding="utf-8")), training, *tables, *stored)


def told(page: str) -> str:
    """Return the text from the heading of the found segments to the next section."""
    bare = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    bare = bare[bare.index('id="segments-cluster"') :]
    bare = bare[bare.index(">") + 1 : bare.index("</section>")]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).replace("\u202f", " ").split())


def test_the_chosen_candidate_follows_from_the_table(left: Left) -> None:
    eligible = pd.concat([left.kmeans, left.rules.reset_index()], ignore_index=True)
    choice = choose(eligible, Thresholds(share=0.02))
    assert choice.name == left.chosen["candidate"]
    assert left.text.startswith(
        f"Found segments Which customers behave alike, when no rule is given? k = {left.chosen['n_segments']:.0f}, "
    )
    assert ("Natural clusters: between any two" in left.text) == choice.is_natural


def test_the_figures_of_the_chosen_one_are_those_of_its_row(left: Left) -> None:
    eta, valley = left.chosen["next_period_eta2"], left.chosen["min_valley"]
    assert f"({eta:.1%}, log scale)" in left.text
    assert f"{valley:.2f} deep" in left.text


def test_the_reproducible_ones_and_their_figures(left: Left) -> None:
    limits = Thresholds(share=0.02)
    rows = left.kmeans
    reached = rows[
        (rows["agreement"] >= limits.agreement)
        & (rows["min_jaccard"] >= limits.jaccard)
        & (rows["prediction_strength"] >= limits.strength)
        & (rows["smallest_share"] >= limits.share)
    ]
    shown = reached if len(reached) else rows
    figures = re.findall(r"k = (\d+) \((0\.\d\d|1\.00), (0\.\d\d|1\.00), (0\.\d\d|1\.00)\)", left.text)
    assert figures == [
        (f"{row['size']:.0f}", *(f"{row[name]:.2f}" for name in ("agreement", "min_jaccard", "prediction_strength")))
        for _, row in shown.iterrows()
    ]


def test_what_each_tells_of_the_next_period(left: Left) -> None:
    (sentence,) = re.findall(r"Of the next period's revenue are told: (.*?%\))\.", left.text)
    assert sentence.split(", ") == [
        f"k = {row['n_segments']:.0f} ({row['next_period_eta2']:.1%})" for _, row in left.kmeans.iterrows()
    ]
    best = left.best_rule
    eta = float(left.rules["next_period_eta2"][best])
    tells_more = eta > left.chosen["next_period_eta2"]
    words = "A simple rule tells more" if tells_more else "The best simple rule tells no more"
    assert re.search(rf"{words}: {plain(best)} \({eta:.1%}\)", left.text)


def plain(rule: str) -> str:
    return rule.replace("_", " ")


def test_the_outlook_is_on_the_period_that_had_no_part_in_the_choice(left: Left) -> None:
    best = left.best_rule
    found, rule = left.chosen["tested_eta2"], float(left.rules["tested_eta2"][best])
    gain, low, high = (left.chosen[f"tested_lead{end}"] for end in ("", "_low", "_high"))
    assert gain == pytest.approx(found - rule)
    assert low <= gain <= high
    words = f"the clusters tell {found:.1%}, {plain(best)} {rule:.1%}: "
    span = f"(difference {gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f})"
    assert "which had no part in the choice" in left.text
    assert words in left.text
    assert span in left.text
    if high < 0:
        verdict = f"a simple rule, {plain(best)}, predicts better than the clusters"
    elif low > 0:
        verdict = "the clusters predict better than the best simple rule"
    else:
        verdict = "the clusters predict about as well as the best simple rule"
    assert words + verdict in left.text


def test_sizes_and_shares_are_those_of_the_decisions(left: Left) -> None:
    names = left.decisions["cluster_name"]
    sizes = left.segments.set_index("name")["customers"]
    assert sizes.to_dict() == names.value_counts().to_dict()
    assert left.segments["customer_share"].to_numpy() == pytest.approx(sizes.to_numpy() / len(names))
    profiles = left.profiles[left.profiles["scheme"] == "cluster_name"].set_index("segment")
    revenue = left.features.set_index("customer_id")["revenue_365d"]
    by_name = revenue.groupby(left.decisions.set_index("customer_id")["cluster_name"]).sum()
    for name, row in zip(profiles.index.astype(str), profiles.to_dict("records"), strict=True):
        assert row["customers"] == sizes[name]
        assert row["revenue"] == pytest.approx(by_name[name])
        assert row["revenue_share"] == pytest.approx(by_name[name] / revenue.sum())
        assert f"{row['customers']:.0f} {percent(row['customer_share'])}" in left.text


def percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share * 100:.1f}%"


def test_each_segment_is_numbered_as_in_the_decisions(left: Left) -> None:
    pairs = left.decisions[["cluster", "cluster_name"]].drop_duplicates().sort_values("cluster")
    assert pairs.to_numpy().tolist() == left.segments[["number", "name"]].to_numpy().tolist()


def test_the_rules_in_words_and_how_far_they_go(left: Left) -> None:
    columns = list(left.training.scorer.config.segments.clusters.kmeans.features)
    customers = left.features.sort_values("customer_id")
    names = left.decisions.set_index("customer_id").loc[customers["customer_id"], "cluster_name"]
    tree = explain_by_tree(customers[columns], names.to_numpy(dtype=object), seed=SEED)
    assert left.segments.set_index("name")["rule"].to_dict() == tree.rules()
    assert (
        f"The rules give {tree.fidelity:.0%} of customers they were not made from their segment; of segment "
        f"{tree.worst_segment} they find fewest, {tree.worst_recall:.0%}."
    ) in left.text
    for rule in left.segments["rule"]:
        assert rule in left.text


def test_the_share_that_kept_its_segment(left: Left) -> None:
    stayed = left.migration.dropna(subset=["from", "to"])
    kept = stayed.loc[stayed["from"] == stayed["to"], "customers"].sum() / stayed["customers"].sum()
    assert f"Over the last horizon {kept:.0%} of customers kept their segment" in left.text
    now = left.migration.dropna(subset=["to"])["customers"].sum()
    assert now == len(left.decisions)
    assert left.training.metrics["segments/kept_share"] == pytest.approx(kept)


def test_how_far_the_refitted_model_agrees_with_the_frozen_one(left: Left) -> None:
    assert left.refit["customers"].sum() == len(left.decisions)
    same = (
        left.refit.loc[left.refit["before"] == left.refit["after"], "customers"].sum() / left.refit["customers"].sum()
    )
    customers = left.refit.loc[left.refit.index.repeat(left.refit["customers"])]
    ari = adjusted_rand_score(customers["before"], customers["after"])
    assert (
        f"gives {same:.0%} of today's customers the same segment as it did before (the model changed; adjusted Rand "
        f"index {ari:.2f})"
    ) in left.text
    frozen = left.migration.dropna(subset=["to"]).groupby("to")["customers"].sum()
    assert left.refit.groupby("before")["customers"].sum().to_dict() == frozen.to_dict()


def test_silhouettes_and_likenesses_are_those_of_the_segments(left: Left) -> None:
    for column, opening in (
        ("silhouette", "Mean silhouette of each segment, for information: "),
        ("jaccard", "Found again when customers are drawn anew (Jaccard; 1 is always, below 0.6 hardly): "),
    ):
        each = [f"{row['name']} {row[column]:.2f}" for _, row in left.segments.iterrows()]
        assert f"{opening}{'; '.join(each)}." in left.text
    assert left.segments["jaccard"].min() == pytest.approx(left.chosen["min_jaccard"])
    assert left.segments["silhouette"].mean() == pytest.approx(left.chosen["silhouette"])


def test_the_tracked_figures_are_those_of_the_table(left: Left) -> None:
    metrics = left.training.metrics
    for column, name in (
        ("n_segments", "n_clusters"),
        ("min_jaccard", "min_jaccard"),
        ("agreement", "agreement"),
        ("smallest_share", "smallest_share"),
        ("next_period_eta2", "validation_eta2"),
        ("tested_eta2", "next_period_eta2"),
        ("tested_eta2_low", "next_period_eta2_low"),
        ("tested_lead", "next_period_lead"),
    ):
        assert metrics[f"segments/{name}"] == pytest.approx(left.chosen[column]), name
    assert metrics["segments/revenue_fifths_eta2"] == pytest.approx(left.rules.loc["revenue fifths", "tested_eta2"])
    assert metrics["segments/rfm_eta2"] == pytest.approx(left.rules.loc["RFM segments", "tested_eta2"])


def test_every_way_to_cluster_is_in_the_table_and_both_algorithms_are_drawn(left: Left) -> None:
    assert left.kmeans["size"].tolist() == [2, 3, 4, 5]
    for words in ("KMeans by size", "Customers in two dimensions", "Customers that moved between"):
        assert words in left.text
    assert ("HDBSCAN by size" in left.text) == (left.candidates["algorithm"] == "hdbscan").any()


def test_the_outlook_is_a_notice_too(left: Left) -> None:
    assert np.sum(["the clusters tell" in notice for notice in left.training.notices]) == 1
