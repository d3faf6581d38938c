from pathlib import Path

import pytest

from segml import config
from segml.schema import ConfigError


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_defaults_are_complete_and_survive_a_round_trip(tmp_path: Path) -> None:
    assert config.load(write(tmp_path, config.Config().to_yaml())) == config.Config()


def test_overrides_come_after_the_file(tmp_path: Path) -> None:
    loaded = config.load(write(tmp_path, "horizon_days: 60\nseed: 3\n"), ["horizon_days=30", "data.columns.amount=Sum"])
    assert (loaded.horizon_days, loaded.seed, loaded.data.columns.amount) == (30, 3, "Sum")


def test_every_key_can_be_set_to_its_own_value() -> None:
    for key, value in config.Config().flat().items():
        text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
        assert config.load(None, [f"{key}={text}"]) == config.Config(), key


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("horizon_day=60", "horizon_day: unknown key; did you mean 'horizon_days'?"),
        ("churn.boosting.max_itr=3", "churn.boosting.max_itr: unknown key; did you mean 'max_iter'?"),
        ("spacing_days=30", "spacing_days: unknown key; did you mean 'churn.spacing_days'?"),
        ("churn.boosting.learning_rate=1e-2", "found '1e-2'.*YAML reads this as text; write 0.01"),
        ("horizon_days=yes", "found True.*YAML reads yes, no, on and off as true and false"),
        ("horizon_days=ninety", "horizon_days: this should be a valid integer.*found 'ninety'"),
        ("horizon_days=2", "horizon_days: this should be greater than or equal to 7; found 2"),
        ("output=no", "output: this should be a valid string; found False"),
        ("as_of=13.03.2011", "as_of: this should be a valid date.*found '13.03.2011'"),
        ("churn.boosting.l2_regularization=.inf", "finite number"),
        ("segments.clusters.kind=kmens", "segments.clusters.kind: this should be 'kmeans' or 'hdbscan'"),
        ("churn=3", "churn: this should be an object"),
        ("engine.kind=sparc", "engine.kind: this should be 'duckdb', 'spark' or 'postgres'"),
        ("engine.memory_limit=lots", "engine.memory_limit: .*'lots' is not a size in memory; write it as 4GB"),
        ("engine.memory_limit=1MB", "engine.memory_limit: .*'1MB' is too little memory; give at least 100MB"),
        ("horizon_days", "not of the form KEY=VALUE"),
        ("data.transactions=[", "--set data.transactions is not valid YAML"),
    ],
)
def test_a_bad_value_is_explained(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.load(None, [override])


def test_all_errors_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(None, ["horizon_days=x", "sead=1", "churn.risk_bands=[0.5, 0.2, 0.9]"])
    assert str(caught.value).startswith("3 errors in --set")
    assert all(word in str(caught.value) for word in ("horizon_days", "did you mean 'seed'", "three rising"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nseed: 2\n", "line 2: the key 'seed' is given twice"),
        ("data:\n  columns:\n    yes: a\n", "line 3: the key 'yes' is read by YAML as True"),
        ("- 1\n", "must hold keys and values; found list"),
        ("seed: [1\n", "not valid YAML"),
        ("data:\n  columns: {customer_id: a, order_id: a}\n", "'a' is mapped twice, to customer_id and order_id"),
    ],
)
def test_a_bad_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.load(write(tmp_path, text))


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert config.load(write(tmp_path, "# nothing\n")) == config.Config()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml does not exist"):
        config.load(tmp_path / "nowhere.yaml")


def test_the_configuration_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        config.Config().seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://anna:s3cret@db/sales#orders",
        "sftp://anna:s3c/s3cret@host/a.csv",
        "https://s3cret@host/a.parquet",
        "https://host/a.parquet?X-Amz-Credential=s3cret&X-Amz-Signature=s3cret",
        "https://host/a.parquet?access_token=s3cret",
        "abfs://box/a.parquet?sig=s3cret&se=2030",
    ],
)
def test_passwords_are_masked_wherever_the_configuration_is_shown(address: str) -> None:
    loaded = config.load(None, [f"data.transactions={address}"])
    assert "s3cret" in loaded.data.transactions
    assert "s3cret" not in loaded.to_yaml() + str(loaded.flat())


@pytest.mark.parametrize(
    "text", ["postgresql://anna@db:5432/sales#select a from b where c=1", "key==3 and token == 2", "sales/a@v3"]
)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert config.without_secrets(text) == text
