# SPDX-License-Identifier: Apache-2.0
"""How the reference says no: a class of failure and the rule that was broken."""

FORMAT = "FORMAT"
UNSUPPORTED = "UNSUPPORTED"
AUTH = "AUTH"
NO_MATCH = "NO_MATCH"
LIMIT = "LIMIT"

# The command's exit status for each class word, as the tests compare them.
EXIT_STATUS = {"OK": 0, "WARN": 9, AUTH: 3, FORMAT: 5, UNSUPPORTED: 5, LIMIT: 5, NO_MATCH: 4, "IO": 6}


class Refused(Exception):
    """A reader's refusal: `cls` is one of the classes above, `rule` an id of FORMAT.md."""

    def __init__(self, cls, rule, message):
        super().__init__(f"{cls} {rule}: {message}")
        self.cls = cls
        self.rule = rule
        self.message = message


def need(condition, cls, rule, message):
    """Refuse with `cls` and `rule` unless `condition` holds."""
    if not condition:
        raise Refused(cls, rule, message)
