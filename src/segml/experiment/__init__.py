"""Studies: a question, variants of a configuration, and what each of them gives, as ``python -m segml.experiment``.

A file tells what is compared (``study``, ``naming``, ``metrics``); every variant runs as its command would run it and
is kept when it is finished (``jobs``, ``measuring``, ``kept``, ``running``); what they gave becomes a table with
intervals, a picture and a page (``comparison``, ``picture``, ``page``, ``results``), and a row of the ``index``.
"""

from segml.experiment.study import Study, Variant, load

__all__ = ["Study", "Variant", "load"]
