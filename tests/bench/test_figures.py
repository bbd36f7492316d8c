"""Statistics of measurements."""

import pytest

from bench.figures import growth, interleaved, median, percentile, spread


def test_a_percentile_lies_between_the_values_around_it():
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert percentile([0.0, 10.0], 0.95) == pytest.approx(9.5)


def test_no_values_have_neither_percentile_nor_median():
    with pytest.raises(ValueError, match="no percentile"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="no median"):
        median([])


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two():
    assert median([1.0, 9.0, 3.0, 5.0]) == 4.0


def test_the_spread_is_the_range_relative_to_the_median():
    assert spread([9.0, 10.0, 12.0]) == pytest.approx(0.3)


def test_growth_is_how_far_a_later_value_exceeds_the_first():
    assert growth([10.0, 13.0, 7.0]) == pytest.approx(0.3)
    assert growth([10.0, 7.0]) == 0.0


def test_runs_are_interleaved():
    assert list(interleaved("AB", 2)) == [(1, "A"), (1, "B"), (2, "A"), (2, "B")]
