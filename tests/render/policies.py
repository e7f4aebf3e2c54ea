"""Prints as JSON what a linter finds in policies: `policies.py <POLICIES`, a list of names and policies.

What it knows of actions, of the resources that each takes and of the conditions that each has is in a file of its own: nothing is asked
of a network.
"""

import fnmatch
import json
import sys
from collections.abc import Iterator

from parliament import analyze_policy_string, expand_action
from parliament.finding import Finding


def listed(value: str | list[str] | None) -> list[str]:
    """Returns what may be one text or several."""
    return [value] if isinstance(value, str) else value or []


def is_meant(action: str, actions: list[str], misfits: list[str]) -> bool:
    """Returns whether a policy names an action itself, or by a pattern of which nothing fits.

    `lambda:Get*` on a function is also of what is no function: that much of it does nothing.
    """
    for pattern in actions:
        if pattern.lower() == action.lower():
            return True
        if "*" in pattern and fnmatch.fnmatch(action, pattern):
            return len(fnmatch.filter(misfits, pattern)) == len(expand_action(pattern))
    return False


def found(name: str, policy: dict, finding: Finding) -> Iterator[dict[str, str]]:
    """Returns a finding as plain data, one of each action."""
    details = [str(finding.detail)]
    if finding.issue == "RESOURCE_MISMATCH":
        actions = [one for statement in policy["Statement"] for one in listed(statement.get("Action"))]
        misfits = [one["action"] for one in finding.detail]
        meant = [one for one in finding.detail if is_meant(one["action"], actions, misfits)]
        details = [f"{one['action']} on {one['required_format']}" for one in meant]
    for detail in details:
        yield {"policy": name, "issue": finding.issue, "detail": detail}


def main() -> None:
    """Prints the findings."""
    findings = []
    for name, policy in json.load(sys.stdin):
        for finding in analyze_policy_string(json.dumps(policy)).findings:
            findings += found(name, policy, finding)
    json.dump(findings, sys.stdout, indent=2)


main()
