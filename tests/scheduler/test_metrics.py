from pilothouse.runtime.metrics import Metrics
from pilothouse.scheduler.metrics import SchedulerMetrics


def test_names_are_those_of_upstream() -> None:
    metrics = Metrics()
    places = {"active": 1, "backoff": 2, "waiting": 3, "gated": 4, "tried": 5}
    counted = SchedulerMetrics(metrics, "default-scheduler", lambda: places)
    counted.attempted("scheduled", 0.003)
    counted.attempted("unschedulable", 0.003)
    counted.scheduled(3)
    counted.preempting()
    counted.preempted(2)
    page = metrics.page().decode()
    for line in (
        'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 1.0',
        'scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"} 1.0',
        'scheduler_scheduling_attempt_duration_seconds_count{profile="default-scheduler",result="scheduled"} 1.0',
        'scheduler_pod_scheduling_attempts_bucket{le="4.0"} 1.0',
        "scheduler_preemption_attempts_total 1.0",
        "scheduler_preemption_victims_sum 2.0",
        'scheduler_pending_pods{queue="active"} 1.0',
        'scheduler_pending_pods{queue="backoff"} 2.0',
        'scheduler_pending_pods{queue="unschedulable"} 3.0',
        'scheduler_pending_pods{queue="gated"} 4.0',
    ):
        assert line in page, line
    places["gated"] = 0
    assert 'scheduler_pending_pods{queue="gated"} 0.0' in metrics.page().decode()
