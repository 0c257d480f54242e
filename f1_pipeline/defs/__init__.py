"""The Dagster side: partitions, resources, assets, checks, jobs, automation. The only package that imports dagster."""
