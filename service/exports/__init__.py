"""Exports: many jobs with their curves in one streamed answer, as NDJSON, CSV, Parquet or Arrow."""
