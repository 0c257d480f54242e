"""`make audit`: the licences and the known vulnerabilities of what is installed.

Belongs here: the list of licences that are allowed, each decided with its reason, and running the two tools. What is
found is printed, and docs/licences.md written anew; exit code 1 when something must be looked at, or when the
vulnerability service is out of reach, for a check that could not be made has not passed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

from f1_pipeline.report.files import write_file
from f1_pipeline_tests.support import REPO

# A licence's name as pip-licenses gives it matches one of these; the first that matches decides.
ALLOWED = (
    # docutils offers the GPL for one file that is not imported, beside BSD for the rest
    (r"MIT|BSD|ISC|Apache|Python Software|PSF|0BSD|Zlib|Unlicense|Public Domain|CC0|HPND|CMU|Boost|BSL", "permissive"),
    (r"MPL|Mozilla", "weak copyleft of single files, which are used unchanged"),
    (r"LGPL|Lesser General", "weak copyleft: imported as a library that anybody can replace, not linked in or changed"),
    (r"Eclipse", "offered beside BSD or EPL, of command line tools"),
)
OWN = "f1-pipeline"
LICENCES_TOP = (
    "# Licences",
    "",
    "What is installed with every extra but `rl`, the tools of development among it, written by `make audit`.",
    "",
    "| package | licence | why it is allowed |",
    "|---|---|---|",
)
# Packages whose metadata name no licence, with where it was read.
READ_BY_HAND = {
    "skops": "MIT",  # its LICENSE: MIT License, Hugging Face
    "huey": "MIT",  # its LICENSE has the text of the MIT licence; a dependency of mlflow
}


def licence_faults(packages: list[dict[str, str]]) -> list[str]:
    """Name the packages whose licence is unknown or not allowed."""
    faults = []
    for package in packages:
        name, licence = package["Name"], READ_BY_HAND.get(package["Name"], package["License"])
        if name != OWN and not any(re.search(pattern, licence, re.IGNORECASE) for pattern, _ in ALLOWED):
            faults.append(f"{name} {package['Version']}: licence {licence!r} is not on the list in {__file__}")
    return faults


def render_licences(packages: list[dict[str, str]]) -> str:
    """List every package with its licence and why that one is allowed; versions are those of constraints.txt."""
    rows = []
    for package in sorted(packages, key=lambda found: found["Name"].lower()):
        name, licence = package["Name"], READ_BY_HAND.get(package["Name"], package["License"])
        reasons = [reason for pattern, reason in ALLOWED if re.search(pattern, licence, re.IGNORECASE)]
        if name != OWN:
            # some packages name their licence by its whole text
            rows.append(f"| {name} | {licence.splitlines()[0][:80]} | {(reasons or ['undecided'])[0]} |")
    return "\n".join((*LICENCES_TOP, *rows)) + "\n"


def vulnerability_faults() -> list[str]:
    """Ask for the known vulnerabilities; a service that does not answer is a fault as well."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--skip-editable", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        return [f"the vulnerability service cannot be asked, so nothing is known: {reason[0]}"]
    return vulnerabilities(found)


def vulnerabilities(found: list[dict[str, Any]]) -> list[str]:
    """Name what pip-audit found, and what it could not look up."""
    return [*_unknown(found), *_vulnerable(found)]


def _unknown(found: list[dict[str, Any]]) -> list[str]:
    """Name what could not be looked up: pip-audit passes over it and ends well where no index answers."""
    skipped = [package for package in found if package["name"] != OWN and "skip_reason" in package]
    if not skipped:
        return []
    return [f"{len(skipped)} of {len(found)} packages could not be audited; the first: {skipped[0]['skip_reason']}"]


def _vulnerable(found: list[dict[str, Any]]) -> list[str]:
    return [
        f"{package['name']} {package['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'none yet'}"
        for package in found
        for one in package.get("vulns", [])
    ]


def main() -> int:
    """Check both, print what was found, and return the exit code."""
    command = [sys.executable, "-m", "piplicenses", "--format", "json", "--from", "mixed"]
    packages = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    licences = sorted({package["License"] for package in packages})
    print(f"{len(packages)} packages, {len(licences)} licences: {'; '.join(licences)}")
    write_file(REPO / "docs" / "licences.md", render_licences(packages).encode())
    faults = [*licence_faults(packages), *vulnerability_faults()]
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
