"""A submitter's own count outlives it."""

from soak.end import End
from soak.journal import Journal, Reader


def test_what_was_written_is_read_as_it_grows(tmp_path):
    journal, reader = Journal(tmp_path / "j"), Reader(tmp_path / "j")
    journal.submitted("t1", model="m")
    assert [entry.ended for entry in reader.read().values()] == [None]

    journal.ended("t1", End.FAILED, "why", "reply")
    journal.note("something else")

    entry = reader.read()["t1"]
    assert (entry.ended, entry.detail, entry.source) == (End.FAILED, "why", "reply")
    assert reader.notes == ["something else"]


def test_an_end_may_be_written_before_its_submission(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.ended("t1", End.ANSWERED, "", "reply")
    journal.submitted("t1", model="m")

    assert Reader(tmp_path / "j").read()["t1"].ended is End.ANSWERED


def test_the_first_end_counts_and_every_one_is_counted(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.ended("t1", End.ANSWERED, "", "reply")
    journal.ended("t1", End.FAILED, "late", "ledger")

    entry = Reader(tmp_path / "j").read()["t1"]
    assert (entry.ended, entry.told) == (End.ANSWERED, 2)


def test_a_line_that_is_not_whole_yet_waits(tmp_path):
    journal, reader = Journal(tmp_path / "j"), Reader(tmp_path / "j")
    journal.submitted("t1", model="m")
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole[:-5])
    assert reader.read() == {}

    (tmp_path / "j").write_bytes(whole)
    assert list(reader.read()) == ["t1"]


def test_before_anything_is_written_nothing_is_known(tmp_path):
    assert Reader(tmp_path / "none").read() == {}
