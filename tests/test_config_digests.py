from segml import config


def with_set(*overrides: str) -> config.Config:
    return config.load(None, overrides)


def test_what_has_no_influence_does_not_change_the_digest() -> None:
    elsewhere = with_set("output=there", "threads=1", "tracking.experiment=other", "engine.memory_limit=1GB")
    assert config.digest(elsewhere) == config.digest(with_set())


def test_every_other_key_does() -> None:
    given = ("seed=1", "horizon_days=60", "as_of=2026-01-01", "demo.customers=50", "backtest.dates=2")
    digests = {config.digest(with_set(one)) for one in given}
    assert len(digests | {config.digest(with_set())}) == len(given) + 1


def test_the_recipe_stays_the_same_on_other_data_and_dates() -> None:
    later = with_set("as_of=2026-01-01", "data.transactions=orders.csv", "backtest.dates=2")
    assert config.recipe_digest(later) == config.recipe_digest(with_set())
    assert config.recipe_digest(with_set("horizon_days=60")) != config.recipe_digest(with_set())
