"""
The cases: each compares servers in one kind of call, and says what is to be reached.

To add one, write it beside those that are like it and add it to `ALL`.
"""

from benchmarks.cases import commands, growth, imports, lists, reads, soap, tariffs, workers, writes
from benchmarks.cases.case import Case

ALL: dict[str, Case] = {
    case.name: case
    for module in (reads, writes, soap, lists, tariffs, imports, workers, commands, growth)
    for case in module.CASES
}
