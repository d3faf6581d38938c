"""The page of a replay: refreshes one below the other, with links to the page of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from segml import plots
from segml.display import Grid
from segml.language import _, speaking, spoken
from segml.pipeline import Refresh
from segml.report.build import environment
from segml.report.pictures import Picture, picture
from segml.report.refreshed.part import Part
from segml.report.words import day


def build_replay(found: Sequence[Refresh], table: Grid, address: str) -> str:
    """Return the page of a replay as HTML.

    Parameters
    ----------
    found : the refreshes, the earliest first
    table : a row each
    address : of the page of one, with ``{day}`` for its date
    """
    config = found[0].config
    with speaking(config.report.language):
        links = [(str(one.prepared.as_of.date()), day(one.prepared.as_of)) for one in found]
        part = Part("refreshes", _("Refreshes"), tables=(table,), pictures=tuple(_sizes(found)))
        return (
            environment(config.report.currency)
            .get_template("replay.html.j2")
            .render(
                title=_("How the refreshes would have gone"),
                dateline=_("{first} to {last}").format(first=links[0][1], last=links[-1][1]),
                language=spoken(),
                links=[(address.format(day=date), shown) for date, shown in links],
                part=part,
            )
        )


def _sizes(found: Sequence[Refresh]) -> list[Picture]:
    """Return how many customers each stage and tier had, date by date."""
    titles = {"lifecycle": _("Customers by stage of the lifecycle"), "tier": _("Customers by tier")}
    pictures = []
    for scheme, title in titles.items():
        counts = [one.decided.decisions[scheme].value_counts().rename(one.prepared.as_of) for one in found]
        table = pd.concat(counts, axis=1).fillna(0).T.rename_axis("as_of").reset_index()
        melted = table.melt("as_of", var_name="segment", value_name="customers")
        pictures.append(picture(f"sizes-{scheme}", title, partial(plots.plot_sizes, melted)))
    return pictures
