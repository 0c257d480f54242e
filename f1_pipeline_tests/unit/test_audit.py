"""What the audit calls a fault: a licence nobody decided on, a vulnerability, and not having been able to ask."""

from __future__ import annotations

import pytest

from f1_pipeline_tests.audit import licence_faults, vulnerabilities


@pytest.mark.parametrize(
    ("licence", "is_fault"),
    [
        ("MIT License", False),
        ("Apache-2.0 OR BSD-3-Clause", False),
        ("Mozilla Public License 2.0 (MPL 2.0)", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GNU General Public License v3 (GPLv3)", True),
        ("GNU Affero General Public License v3", True),
        ("Proprietary", True),
        ("UNKNOWN", True),
    ],
)
def test_a_licence_that_nobody_decided_on_is_a_fault(licence: str, is_fault: bool) -> None:
    found = licence_faults([{"Name": "some", "Version": "1.0", "License": licence}])
    assert len(found) == is_fault
    assert all(text.startswith(f"some 1.0: licence '{licence}' is not on the list") for text in found)


def test_what_could_not_be_asked_is_a_fault() -> None:
    known = {"name": "a", "version": "1", "vulns": []}
    bad = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
    skipped = {"name": "c", "skip_reason": "Dependency not found on PyPI"}
    own = {"name": "f1-pipeline", "skip_reason": "distribution marked as editable"}
    assert vulnerabilities([known, own]) == []
    assert vulnerabilities([known, bad]) == ["b 2: CVE-1, mended in 3"]
    assert vulnerabilities([known, skipped]) == [
        "1 of 2 packages could not be audited; the first: Dependency not found on PyPI"
    ]
