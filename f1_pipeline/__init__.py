"""f1-pipeline: from raw event scores to the optimal F1 Fantasy line-up, one partition per race."""

__version__ = "0.7.0"
