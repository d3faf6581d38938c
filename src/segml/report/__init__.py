"""One offline HTML page for a run."""
