"""The page: sections rendered into one offline HTML file."""

from __future__ import annotations

from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from segml.actions import call_list
from segml.features import CATALOG
from segml.report import words
from segml.report.content import ReportContent
from segml.report.sections.calls import calls
from segml.report.sections.came_in import came_in
from segml.report.sections.headline import headline
from segml.report.sections.risk import risk
from segml.report.sections.segments import segments


def build(content: ReportContent) -> str:
    """Return the report as one HTML page that needs nothing else: no network, no script, no other file.

    The same content gives the same bytes. Every value from the data is escaped.
    """
    listed = call_list(content.decisions, content.config.actions)
    return (
        _environment(content.config.report.currency)
        .get_template("report.html.j2")
        .render(
            content=content,
            config=content.config,
            headline=headline(content, listed),
            came_in=came_in(content),
            schemes=segments(content),
            risk=risk(content),
            calls=calls(content, listed),
            settings={key: words.setting(value) for key, value in content.config.flat().items()},
            catalog=CATALOG,
        )
    )


def _environment(currency: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("segml.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "share": words.share,
        "decimal": words.decimal,
        "day": words.day,
        "readable": words.readable,
        "money": partial(words.money, currency=currency),
    }
    return environment
