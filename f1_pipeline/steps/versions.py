"""What equal results need to be equal: Python, architecture, packages and this package's own code.

Belongs here: saying so, with the standard library alone. Neighbours: `dask_workers` refuses workers that differ,
`recommend` keeps parts only as long as it is the same.
"""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    *("numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "skops", "pulp", "highspy"),
    *("gymnasium", "torch", "sb3-contrib", "cloudpickle", "distributed"),
)
"""What has a say in results, or in how they travel."""
PACKAGE_DIR = Path(__file__).resolve().parent.parent


@cache
def versions() -> dict[str, str]:
    """Return what must be the same for equal results.

    Returns
    -------
    dict of str to str
        Versions by name; that of this package has a hash of its code, that of what is not installed is ``none``.
    """
    code = sha256()
    for path in sorted(PACKAGE_DIR.rglob("*.py")):
        code.update(path.relative_to(PACKAGE_DIR).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "f1_pipeline": f"{_version('f1-pipeline')} ({code.hexdigest()[:12]})",
        **{name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
