"""Ensembles: students put together by vote, by weights and by stacking; how stable that is; what it costs."""
