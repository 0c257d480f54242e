"""Timings of the parts that must be fast, each against an alternative measured in the same run."""
