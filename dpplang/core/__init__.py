"""Spans, sources, diagnostics, errors and packaged resources: what every other floor stands on."""
