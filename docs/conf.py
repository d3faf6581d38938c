"""The documentation site: ``sphinx-build -W -n -E docs docs/_build/html``; needs the extra ``docs`` and no network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

import segml

project = "segml"
author = "the segml authors"
release = version = segml.__version__
html_title = "segml"
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "myst_nb",
    "docstrings",  # these three are our own, in _extensions
    "reference",
    "mirror",
]
exclude_patterns = ["_build", "_extensions"]

nb_execution_mode = "off"  # notebooks/run.py runs them, and its test compares the outputs
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

highlight_language = "none"  # of what names no language: commands and their output

autodoc_member_order = "groupwise"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autosummary_generate = False
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}
python_maximum_signature_line_length = 88
add_module_names = False

nitpick_ignore_regex = [
    # other packages, whose lists of names would have to be downloaded
    (r"py:.*", r"(pandas|pd|numpy|np|matplotlib|ibis|sklearn|pyspark|pydantic)\..*"),
    (r"py:.*", r"(collections|datetime|pathlib|os|types|abc)\..*|Path|date"),
    # parts of results, which are reached as attributes and not exported
    (r"py:.*", r"segml(\.\w+){3,}|segml\.\w+\._\w+|segml\.summary_tables\.\w+"),
    # type variables and aliases; a part of Callable[[tuple[str, ...]], …], which autodoc splits
    (r"py:.*", r".*\.[A-Z]|ArrayLike|TypeAliasForwardRef|CohortPeriod|Progress|Enough|tuple\[str"),
]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["segml.css"]
html_favicon = "_static/mark.svg"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options = {
    "light_logo": "wordmark-light.svg",
    "dark_logo": "wordmark-dark.svg",
    "sidebar_hide_name": True,
    "light_css_variables": {"color-brand-primary": "#1f5f8b", "color-brand-content": "#1f5f8b"},
    "dark_css_variables": {"color-brand-primary": "#7fb7de", "color-brand-content": "#7fb7de"},
}
