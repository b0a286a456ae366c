"""The charts of the page: Vega-Lite specs made from the files that a study wrote."""
