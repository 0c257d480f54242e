"""The typed errors of the project.

Every error a user can meet is one of these, with a one-sentence message that names the file, row, column or
race key concerned, what was expected and what was found. The command line turns each into exit code 2; the
Dagster assets let them fail the step. Programming errors stay ordinary Python exceptions.
"""


class F1PipelineError(Exception):
    """Base of every error that the project raises on purpose."""


class DataError(F1PipelineError):
    """A fact is missing, malformed or contradicts another one."""


class SourceError(F1PipelineError):
    """A source of facts is out of reach, or sends something else than it should."""


class RuleError(F1PipelineError):
    """A decision breaks a rule of the game, or a rule that is needed is not defined."""


class ServiceError(F1PipelineError):
    """A service of several machines, such as a scheduler or a database, is out of reach or does not fit."""


class WarehouseError(F1PipelineError):
    """The warehouse cannot be opened, locked, read or written, or a table breaks its contract."""


class SolverError(F1PipelineError):
    """The optimiser found no optimal answer, or its answer did not pass validation."""


class UsageError(F1PipelineError):
    """The request itself is wrong: an unknown race key, a bad option, a missing input."""
