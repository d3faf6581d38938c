"""The page: sections rendered into one offline HTML file."""

from __future__ import annotations

from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from segml.actions import call_list
from segml.features import CATALOG
from segml.language import _, ngettext, speaking, spoken
from segml.report import words
from segml.report.content import ReportContent
from segml.report.sections.calls import calls
from segml.report.sections.came_in import came_in
from segml.report.sections.cohorts import cohorts
from segml.report.sections.headline import headline
from segml.report.sections.money import money
from segml.report.sections.products import products
from segml.report.sections.risk import risk
from segml.report.sections.scrutiny import scrutiny
from segml.report.sections.segments import off, segments


def build(content: ReportContent) -> str:
    """Return the report as one HTML page that needs nothing else: no network, no script, no other file.

    The same content gives the same bytes. Every value from the data is escaped. The page speaks the language that the
    configuration names as ``report.language``; labels, names of columns and what the content holds stay as they are.
    """
    with speaking(content.config.report.language):
        return _render(content)


def _render(content: ReportContent) -> str:
    listed = call_list(content.decisions, content.config.actions)
    return (
        environment(content.config.report.currency)
        .get_template("report.html.j2")
        .render(
            content=content,
            config=content.config,
            language=spoken(),
            headline=headline(content, listed),
            came_in=came_in(content),
            schemes=segments(content),
            schemes_off=off(content),
            products=products(content),
            cohorts=cohorts(content),
            risk=risk(content),
            scrutiny=scrutiny(content),
            money=money(content),
            calls=calls(content, listed),
            settings={key: words.setting(value) for key, value in content.config.flat().items()},
            catalog=CATALOG,
        )
    )


def environment(currency: str) -> Environment:
    """Return what renders templates of pages: values are escaped, words translated, money in a currency."""
    environment = Environment(
        loader=PackageLoader("segml.report"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(_, ngettext, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    environment.filters |= {
        "number": words.number,
        "share": words.share,
        "decimal": words.decimal,
        "day": words.day,
        "translated": _,
        "money": partial(words.money, currency=currency),
    }
    return environment
