from tasks.pace import Pace


def test_the_pace_is_told_every_ten_seconds_of_work():
    now = [0.0]
    pace = Pace(lambda: now[0])
    for second in (3.0, 6.0, 9.0):
        now[0] = second
        assert pace.add(100, second / 10) is None
    now[0] = 10.0
    assert pace.add(100, 0.1) == {"messages": 400, "per_second": 40, "lag": 0.9}
    now[0] = 11.0
    assert pace.add(100, 0.1) is None


def test_time_without_work_does_not_count():
    now = [0.0]
    pace = Pace(lambda: now[0])
    pace.add(100, 5.0)
    now[0] = 60.0
    assert pace.add(100, 0.1) is None
    now[0] = 70.0
    assert pace.add(100, 0.1) == {"messages": 200, "per_second": 20, "lag": 0.1}
