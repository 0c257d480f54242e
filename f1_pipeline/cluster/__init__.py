"""The services of several machines, started on one: what `make cluster` runs.

Belongs here: processes and their addresses. What the pipeline does with them is everywhere else, by the settings;
nothing outside this package and its command imports it.
"""
