from services.standalone.watch import measure

METRICS = """\
# HELP watercooler_records_total Records handled.
# TYPE watercooler_records_total counter
watercooler_records_total{outcome="done",service="enrich",stage="read"} 100.0
watercooler_records_total{outcome="dropped",service="enrich",stage="read"} 7.0
watercooler_records_total{outcome="done",service="enrich",stage="write"} 90.0
# TYPE watercooler_lag_records gauge
watercooler_lag_records{partition="0",service="enrich",topic="a"} 5.0
watercooler_lag_records{partition="1",service="enrich",topic="a"} 6.0
"""


def test_the_busiest_stage_and_the_sum_of_lags_count() -> None:
    assert measure(METRICS) == (107.0, 11)


def test_a_service_that_counts_nothing_has_no_lag() -> None:
    assert measure("") == (0.0, None)
