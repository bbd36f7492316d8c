"""Who is blamed rightly: pure."""

from soak.blamed import SLACK, Befallen, Costly, wrongly_blamed

SILENT = Costly("device-1", 100.0, "silent", "it did not answer")


def test_what_befell_the_device_explains_what_counts_against_it():
    assert wrongly_blamed([SILENT], [Befallen("device-1", 90.0, 95.0)]) == []


def test_what_befell_another_explains_nothing():
    assert wrongly_blamed([SILENT], [Befallen("device-2", 90.0, 95.0)]) == [SILENT]


def test_what_came_later_or_long_before_explains_nothing():
    later, before = Befallen("device-1", 101.0, 110.0), Befallen("device-1", 10.0, 99.0 - SLACK)

    assert wrongly_blamed([SILENT], [later, before]) == [SILENT]


def test_without_faults_nobody_is_to_be_blamed():
    assert wrongly_blamed([SILENT, SILENT], []) == [SILENT, SILENT]
