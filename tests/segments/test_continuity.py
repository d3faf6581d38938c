import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from bases import outcomes
from segml.clusters import HDBSCANSegments, KMeansSegments
from segml.language import speaking
from segml.segments import ClusterModel, earlier
from segml.segments.continuity import Continuity, continuity
from segml.segments.past import Earlier

FEATURES = ("revenue_365d", "recency_days", "order_count_365d")


@pytest.fixture
def before(base: pd.DataFrame) -> Earlier:
    return earlier(base, outcomes(base, 0))


def followed(before: Earlier, customers: pd.DataFrame, k: int = 3) -> Continuity:
    found = continuity(ClusterModel(KMeansSegments(k), FEATURES), before, customers)
    assert found is not None
    return found


def test_where_nothing_happened_everybody_keeps_the_segment(before: Earlier, base: pd.DataFrame) -> None:
    found = followed(before, base)
    assert found.metrics == {"segments/kept_share": 1.0, "segments/refit_agreement": 1.0}
    assert (found.migration["from"] == found.migration["to"]).all()
    assert (found.updates["before"] == found.updates["after"]).all()
    assert "100% of customers kept their segment" in found.remark


def test_customers_who_swap_places_move_and_the_model_stays(before: Earlier, base: pd.DataFrame) -> None:
    swapped = base.assign(customer_id=base["customer_id"].to_numpy()[::-1])  # 300 customers: kinds 0 and 2 swap
    found = followed(before, swapped)
    assert found.metrics["segments/kept_share"] == pytest.approx(1 / 3, abs=0.05)
    assert found.metrics["segments/refit_agreement"] == 1.0
    flows = found.migration.set_index(["from", "to"])["customers"]
    small, large = found.names[3], found.names[1]
    assert min(flows[small, large], flows[large, small]) > 90


def test_the_cross_table_of_models_tells_what_the_agreement_says(before: Earlier, next_base: pd.DataFrame) -> None:
    later = next_base.assign(recency_days=next_base["recency_days"] * 3)
    found = followed(before, later, k=5)
    assert found.refitted is not None
    each = found.updates.loc[found.updates.index.repeat(found.updates["customers"])]
    assert len(each) == len(later)
    assert (each["before"] == each["after"]).mean() == pytest.approx(found.refitted.agreement.share)
    assert adjusted_rand_score(each["before"], each["after"]) == pytest.approx(found.refitted.agreement.ari)
    assert set(each["before"]) <= set(found.names.values())


def test_new_and_gone_customers_come_from_and_go_to_nowhere(before: Earlier, base: pd.DataFrame) -> None:
    renamed = base.assign(customer_id=np.where(base.index < 10, "new" + base["customer_id"], base["customer_id"]))
    flows = followed(before, renamed).migration
    assert flows.loc[flows["from"].isna(), "customers"].sum() == 10
    assert flows.loc[flows["to"].isna(), "customers"].sum() == 10


def test_nobody_there_at_both_dates_is_told_in_words(before: Earlier, base: pd.DataFrame) -> None:
    found = followed(before, base.assign(customer_id="x" + base["customer_id"]))
    assert found.remark.startswith("None of today's customers was there one horizon ago.")
    assert set(found.metrics) == {"segments/refit_agreement"}


def test_dense_segments_are_followed_without_a_refit(before: Earlier, base: pd.DataFrame) -> None:
    way = ClusterModel(HDBSCANSegments(15), ("revenue_365d", "recency_days", "gap_shrunk_days"))
    found = continuity(way, before, base)
    assert found is not None
    assert found.refitted is None
    assert list(found.updates.columns) == ["before", "after", "customers"]
    assert found.updates.empty
    assert set(found.metrics) == {"segments/kept_share"}


@pytest.mark.parametrize("clusterer", [HDBSCANSegments(290), KMeansSegments(3)])
def test_without_segments_one_horizon_ago_there_is_nothing_to_follow(clusterer: object, base: pd.DataFrame) -> None:
    alike = base.assign(**dict.fromkeys(FEATURES, 5.0))
    way = ClusterModel(clusterer, FEATURES)  # type: ignore[arg-type]
    assert continuity(way, earlier(alike, outcomes(alike, 0)), base) is None


def test_it_speaks_russian(before: Earlier, base: pd.DataFrame) -> None:
    found = followed(before, base)
    with speaking("ru"):
        assert "100\u00a0%" in found.remark
        assert "customers" not in found.remark
