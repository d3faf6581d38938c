import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from segml.clusters import HDBSCANSegments, Refits
from segml.clusters.refits import RESTARTS, few_restarts


def dense(customers: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    centres = np.array([[3.0, 3.0], [6.0, 6.0]])[np.arange(customers) % 2]
    return pd.DataFrame(rng.lognormal(centres, 0.2), columns=["a", "b"])


def test_sizes_of_one_tree_give_what_fits_of_their_own_would() -> None:
    refits, customers = Refits(), dense()
    for sample in (customers, customers.iloc[:120], customers):
        for size in (5, 20, 60):
            model = HDBSCANSegments(size, min_samples=5)
            assert np.array_equal(refits(model, sample).labels_, model.fit(sample).labels_)


def test_models_that_differ_in_more_than_size_share_no_tree() -> None:
    refits, customers = Refits(), dense()
    for near in (3, 30):
        model = HDBSCANSegments(10, min_samples=near)
        assert np.array_equal(refits(model, customers).core_distances_, model.fit(customers).core_distances_)


def test_the_model_that_is_given_stays_unfitted() -> None:
    model = HDBSCANSegments(10, min_samples=5)
    fitted = Refits()(model, dense())
    assert not hasattr(model, "labels_")
    assert fitted is not model


def test_a_few_restarts_where_there_are_any() -> None:
    assert few_restarts(KMeans(3, n_init=50)).n_init == RESTARTS
    assert few_restarts(HDBSCANSegments(9)).min_cluster_size == 9
