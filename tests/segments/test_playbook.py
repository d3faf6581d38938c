from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segml.config import SegmentsConfig
from segml.language import _, speaking
from segml.schema import NOT_ENOUGH_DATA, ConfigError
from segml.segments import Playbook, load_playbook, schemes
from segml.segments import playbook as module
from segml.segments.playbook import Play, Words, built_in

SCHEMES = schemes(SegmentsConfig())
BY_NAME = {scheme.name: scheme for scheme in SCHEMES}
FIXED = [(scheme.name, label) for scheme in SCHEMES for label in scheme.labels]
FULLY_PLANNED = ("lifecycle", "tier", "rfm_segment", "rfm_activity", "abcdx", "value", "health")
PARTS = ("offer", "terms", "contact", "owner")

OwnFile = Callable[[str], Path]


@pytest.fixture
def own_file(tmp_path: Path) -> OwnFile:
    """Return a writer of playbooks."""

    def write(text: str) -> Path:
        path = tmp_path / "my_playbook.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def plays() -> Iterator[tuple[str, str, Play]]:
    """Yield every segment of the built-in playbook."""
    for scheme, segments in built_in().plays.items():
        for segment, play in segments.items():
            yield scheme, segment, play


def texts(play: Play) -> list[Words]:
    """Return the name and the parts of the strategy that there are."""
    return [words for part in ("name", *PARTS) if (words := getattr(play, part)) is not None]


def russian(text: str) -> bool:
    """Tell whether there is a Cyrillic letter in a text."""
    return any("а" <= letter <= "я" for letter in text.lower())


# The built-in playbook


@pytest.mark.parametrize(("scheme", "label"), FIXED)
def test_every_label_has_a_name_and_a_strategy(scheme: str, label: str) -> None:
    play = built_in().plays[scheme][label]
    expected = set(PARTS) if scheme in FULLY_PLANNED else {"offer", "contact"}
    assert expected <= {part for part in PARTS if getattr(play, part) is not None}


def test_every_text_is_in_both_languages() -> None:
    for _scheme, _segment, play in plays():
        for words in texts(play):
            assert words.en.strip() == words.en != ""
            assert not russian(words.en), words.en
            assert words.ru is not None
            assert russian(words.ru), words.en


def test_texts_are_short_enough_to_be_read_in_a_table() -> None:
    assert [
        words.en for *_key, play in plays() for words in texts(play) if max(len(words.en), len(words.ru or "")) > 90
    ] == []


def test_nothing_is_described_that_there_is_not() -> None:
    assert set(built_in().plays) <= set(BY_NAME)
    unknown = [(scheme, name) for scheme, name, _play in plays() if name not in (BY_NAME[scheme].labels or (name,))]
    assert unknown == []


@pytest.mark.parametrize("scheme", built_in().plays)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_two_segments_of_a_scheme_share_a_name_or_a_strategy(scheme: str, language: str) -> None:
    with speaking("ru" if language == "ru" else "en"):
        names = [str(play.name) for play in built_in().plays[scheme].values()]
        strategies = [play.strategy for play in built_in().plays[scheme].values()]
    assert len(set(names)) == len(names)
    assert len(set(strategies)) == len(strategies)


def test_the_file_among_the_examples_is_the_one_that_is_installed() -> None:
    source = Path(module.__file__).with_name("playbook.yaml")
    example = Path(__file__).parents[2] / "configs" / "playbook.yaml"
    assert example.is_symlink()
    assert example.resolve() == source.resolve()


# One's own playbook


def test_without_a_file_the_playbook_is_the_built_in_one() -> None:
    assert load_playbook(None, SCHEMES) is built_in()


def test_a_copy_of_the_built_in_playbook_is_a_playbook_of_ones_own(own_file: OwnFile) -> None:
    source = Path(module.__file__).with_name("playbook.yaml")
    assert load_playbook(own_file(source.read_text(encoding="utf-8")), SCHEMES) == built_in()


def test_an_empty_file_changes_nothing(own_file: OwnFile) -> None:
    assert load_playbook(own_file("# all as it is\n"), SCHEMES) == built_in()


def test_a_changed_name_leaves_the_rest_as_it_is(own_file: OwnFile) -> None:
    path = own_file("tier:\n  key: {name: {en: VIP, ru: ВИП}}\n")
    book = load_playbook(path, SCHEMES)
    assert book.name("tier", "key") == "VIP"
    assert book.strategy("tier", "key") == built_in().strategy("tier", "key") != ""
    changed = [(scheme, name) for scheme, name, play in plays() if book.plays[scheme][name] != play]
    assert changed == [("tier", "key")]
    assert built_in().name("tier", "key") == "Key customers"


def test_a_changed_part_of_a_strategy_leaves_the_others_and_null_takes_one_away(own_file: OwnFile) -> None:
    path = own_file("abc:\n  B:\n    name: {en: Middle}\n    offer: {en: A second category}\n    owner: null\n")
    play = load_playbook(path, SCHEMES).plays["abc"]["B"]
    assert str(play.offer) == "A second category"
    assert play.contact == built_in().plays["abc"]["B"].contact
    assert built_in().plays["abc"]["B"].owner is not None
    assert play.owner is None


def test_segments_that_data_name_may_be_described(own_file: OwnFile) -> None:
    text = (
        "industry_group:\n  Metalworking: {name: {en: Metal}}\ncluster_name:\n  large revenue: {name: {en: Giants}}\n"
    )
    book = load_playbook(own_file(text), SCHEMES)
    assert book.name("industry_group", "Metalworking") == "Metal"
    assert book.name("industry_group", "other") == "Other industries"
    assert book.name("cluster_name", "large revenue") == "Giants"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("teir:\n  key: {name: {en: VIP}}\n", r"describes 'teir', which is no scheme; did you mean 'tier'\?"),
        (
            "tier:\n  growin: {name: {en: Up}}\n",
            r"segment 'growin' of 'tier', which has the segments .*; did you mean 'growing'\?",
        ),
        (
            f"tier:\n  {NOT_ENOUGH_DATA}: {{name: {{en: Nothing}}}}\n",
            rf"segment '{NOT_ENOUGH_DATA}' of 'tier', which has the segments \['key', 'growing', 'standard', 'small'\]",
        ),
        (
            "tier:\n  key: {name: {en: VIP}, ofer: {en: All}}\n",
            r"(?s)1 error in the playbook .*tier\.key\.ofer: unknown key; did you mean 'offer'\?",
        ),
        (
            "tier:\n  key: {name: {en: VIP, rus: ВИП}}\n",
            r"tier\.key\.name\.rus: unknown key; did you mean 'ru'\?",
        ),
        (
            "tier:\n  key: {name: {en: VIP}, price: {en: All}}\n",
            r"tier\.key\.price: unknown key; known here: name, offer, terms, contact, owner",
        ),
        (
            "tier:\n  key: {offer: {en: All}}\n  small: {name: {en: 5}}\n",
            r"(?s)2 errors in the playbook .*tier\.key\.name: Field required"
            r".*tier\.small\.name\.en: .*found 5 \(put it in quotes",
        ),
        ("tier:\n  key: {name: VIP}\n", r"tier\.key\.name: this should be .*; found 'VIP'"),
        ("tier:\n", r"tier: this should be a valid dictionary; found None"),
        ("tier: {key: [\n", r"my_playbook\.yaml is not valid YAML"),
        ("tier: {}\ntier: {}\n", r"line 2: the key 'tier' is given twice"),
        ("- tier\n", r"must hold keys and values; found list"),
    ],
    ids=[
        "scheme",
        "segment",
        "not enough data",
        "part",
        "language",
        "strange part",
        "two errors",
        "no languages",
        "no segments",
        "broken",
        "twice",
        "list",
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_the_reason(own_file: OwnFile, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_playbook(own_file(text), SCHEMES)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml does not exist; give the path of a YAML file"):
        load_playbook(tmp_path / "nowhere.yaml", SCHEMES)


# Names and strategies

HALF_TRANSLATED = Playbook(
    {
        "tier": {
            "key": Play(
                name=Words(en="VIP", ru="ВИП"),
                offer=Words(en="Stock", ru="Резерв"),
                contact=Words(en="call once a week"),
            ),
            "small": Play(name=Words(en="Tail")),
        }
    }
)


def test_names_and_strategies_are_in_the_language_spoken_and_english_where_there_is_no_russian() -> None:
    assert HALF_TRANSLATED.name("tier", "key") == "VIP"
    assert HALF_TRANSLATED.strategy("tier", "key") == "Stock; call once a week"
    with speaking("ru"):
        assert HALF_TRANSLATED.name("tier", "key") == "ВИП"
        assert HALF_TRANSLATED.strategy("tier", "key") == "Резерв; call once a week"
        assert HALF_TRANSLATED.name("tier", "small") == "Tail"


def test_a_strategy_tells_offer_terms_contact_and_owner_in_this_order() -> None:
    words = {part: Words(en=part) for part in reversed(PARTS)}
    play = Play.model_validate({"name": Words(en="VIP"), **words})
    assert play.strategy == "offer; terms; contact; owner"


@pytest.mark.parametrize(("scheme", "segment"), [("tier", "middling"), ("climate", "cold")])
def test_a_segment_that_is_not_in_it_goes_by_its_label_and_has_no_strategy(scheme: str, segment: str) -> None:
    assert HALF_TRANSLATED.name(scheme, segment) == segment
    assert HALF_TRANSLATED.strategy(scheme, segment) == ""


def test_a_segment_without_a_strategy_has_none() -> None:
    assert HALF_TRANSLATED.strategy("tier", "small") == ""


def test_not_enough_data_is_told_in_the_language_spoken() -> None:
    assert HALF_TRANSLATED.name("tier", NOT_ENOUGH_DATA) == NOT_ENOUGH_DATA
    with speaking("ru"):
        told = HALF_TRANSLATED.name("tier", NOT_ENOUGH_DATA)
        assert told == _("not enough data")
        assert russian(told)


def test_one_playbook_over_another_keeps_its_own_and_adds_what_only_the_other_has() -> None:
    other = Playbook(
        {
            "tier": {
                "key": Play(name=Words(en="Key"), offer=Words(en="Price"), terms=Words(en="deferral")),
                "growing": Play(name=Words(en="Up")),
            },
            "abc": {"A": Play(name=Words(en="Most"))},
        }
    )
    both = HALF_TRANSLATED.over(other)
    assert (both.name("tier", "key"), both.name("tier", "small")) == ("VIP", "Tail")
    assert both.strategy("tier", "key") == "Stock; deferral; call once a week"
    assert (both.name("tier", "growing"), both.name("abc", "A")) == ("Up", "Most")
    assert (other.name("tier", "key"), HALF_TRANSLATED.name("tier", "growing")) == ("Key", "growing")
