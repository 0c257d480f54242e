"""What each asset does, without the orchestrator: read what some races need, call the pure core, write the rows."""
