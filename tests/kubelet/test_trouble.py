from pilothouse.kubelet.trouble import Trouble


def told(trouble: Trouble, seconds: int, message: str = "missing", start: float = 0.0) -> list[float]:
    """When it is told, as it is met again and again for a while."""
    now, moments = start, []
    while now < start + seconds:
        if trouble.met("FailedMount", message, now):
            moments.append(now - start)
        now = trouble.retry_at(now)
    return moments


def test_it_is_tried_soon_and_then_every_five_seconds() -> None:
    trouble, now, waits = Trouble(), 100.0, []
    for _ in range(7):
        trouble.met("FailedMount", "missing", now)
        waits.append(trouble.retry_at(now) - now)
    assert waits == [0.5, 1, 2, 4, 5, 5, 5]


def test_it_is_told_less_and_less_often() -> None:
    """Ten minutes of it leave most of the 25 events that a pod may have."""
    moments = told(Trouble(), 600)
    assert moments[:4] == [0, 0.5, 1.5, 3.5]
    assert len(moments) < 13
    assert moments[-1] > 400


def test_another_trouble_is_told_at_once() -> None:
    trouble = Trouble()
    told(trouble, 600)
    assert trouble.met("FailedMount", "something else is missing", 600.0)


def test_the_same_with_another_id_is_the_same() -> None:
    trouble = Trouble()
    assert trouble.met("FailedCreatePodSandBox", f"sandbox {'1a' * 32}: no address left", 0.0)
    assert not trouble.met("FailedCreatePodSandBox", f"sandbox {'2b' * 32}: no address left", 0.1)


def test_what_comes_back_begins_anew() -> None:
    trouble = Trouble()
    told(trouble, 600)
    trouble.over()
    assert told(trouble, 4, start=700.0) == [0, 0.5, 1.5, 3.5]
