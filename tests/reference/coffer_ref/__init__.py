# SPDX-License-Identifier: Apache-2.0
"""An independent reference implementation of docs/FORMAT.md.

It was written from that page alone, shares no line with the C code, and exists
so that two readers and two writers can disagree in public. It is slow, holds
small things in memory, and takes no care of secrets: it is for tests.
"""
