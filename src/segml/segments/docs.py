"""The list of schemes as a page; ``python -m segml.segments.docs > docs/schemes.md`` writes it."""

from __future__ import annotations

from collections.abc import Iterable

from segml.config import SegmentsConfig
from segml.features import source_of
from segml.schemes import Scheme
from segml.segments.rules import CORE, schemes

_HEAD = """\
# Segmentation schemes

Every scheme gives every customer exactly one label, "not enough data" included. The labels stand in
`decisions.parquet` in a column of the scheme's name; the thresholds are keys under `segments` in the configuration.
This page is written by `python -m segml.segments.docs > docs/schemes.md`, with the default thresholds.

`lifecycle`, `rfm_segment`, `abc`, `xyz` and `tier` are always on. The others are on where the data tell the columns
that they need, and otherwise off, with the reason in the report. `segments.schemes` names those you want, and makes a
missing one an error.

In a notebook a scheme is one line on a table of features, and gives ordered categoricals:

```python
from segml.schemes import Abc
from segml.segments import label

Abc(a_share=0.7).assign(features)
label(features, "abc_xyz")  # finds the labels that it rests on by itself
```

## Your own

Rules are boolean expressions over features, described columns ([features](features.md)) and labels of schemes before
them; the first that holds wins, and an unknown value makes an answer unknown unless the rule asks `is_known(column)`.
Nested schemes split each level by the next, as Bonoma and Shapiro advise (*Segmenting the Industrial Market*, 1983);
five questions – who, what, when, where, why – make levels as well.

```yaml
segments:
  custom:
    win_back_value:
      title: Win-back value
      rules:
        worth a visit: lifecycle == "inactive" and revenue_total > 50000
        worth a letter: lifecycle == "inactive"
      otherwise: leave alone
  nested:
    approach:
      levels: {demographics: company_size, operating: sales_channel, purchasing: price_behaviour}
      min_customers: 20
```

## Cut points

Some schemes compare customers: fifths of RFM, shares of revenue, medians, most frequent values. They learn where their
cut points lie anew of each base, so that a label may change because the others changed. Cut points can be given
instead: the keys that a scheme names under *Learns*. `fixed` takes them from a base:

```python
from segml.config import Config
from segml.segments import fixed

kept = fixed(data.config.segments, features)  # the table that assign_rules takes
Config(segments=kept).to_yaml()
```

The base keeps its labels. Customers of a later date, labelled by `kept`, differ from them only because they changed
themselves; what differs beyond that, the cut points changed. Features that rest on the whole base themselves
(`gap_shrunk_days`, `affinity_lift`) are data like any other. `Scheme.fixed` does the same for one scheme.

## Names and strategies

What a segment is called and what one might do about it stands in a playbook,
[configs/playbook.yaml](../configs/playbook.yaml), in English and Russian. Copy it, keep what you change, and name it
under `segments.playbook`.
"""


def render() -> str:
    """Return the page, with the thresholds of the default configuration."""
    return "\n".join([_HEAD, *(_section(scheme) for scheme in schemes(SegmentsConfig()))])


def _section(scheme: Scheme) -> str:
    needs = "; ".join(dict.fromkeys(filter(None, map(source_of, scheme.requires)))) or "nothing but transactions"
    head = [
        f"## {scheme.title}: `{scheme.name}`",
        "",
        scheme.question,
        "",
        f"Reads {_code(scheme.requires) or 'whatever of the following is there'}"
        + (f", and where known {_code(scheme.uses)}" if scheme.uses else "")
        + ("." if scheme.name in CORE else f". Needs {needs}.")
        + (f" Learns {_code(scheme.learns)}." if scheme.learns else ""),
        "",
        "| label | rule |",
        "| --- | --- |",
    ]
    return "\n".join([*head, *(f"| {label} | {rule} |" for label, rule in scheme.rules().items()), ""])


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names if not name.startswith("_"))


if __name__ == "__main__":
    print(render(), end="")
