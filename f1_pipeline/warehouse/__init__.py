"""The DuckDB warehouse: open, lock, read SQL model files, replace race partitions in one transaction."""
