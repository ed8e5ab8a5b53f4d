"""A batch's reads and writes beside its work: order, refusals, faults, and what overlaps."""

import threading
import time

import pytest

from fashionmap.errors import PhotoRejected, StoreUnavailable
from fashionmap.pipelining import AHEAD, pipelined


def test_given_a_batch_when_pipelined_then_work_keeps_its_order_and_all_is_written() -> None:
    worked: list[int] = []
    written: dict[int, int] = {}

    def work(item: int) -> int:
        worked.append(item)
        return item * item

    errors = pipelined(
        range(20),
        read=lambda event: None if event % 5 == 0 else event,
        work=work,
        write=written.__setitem__,
    )
    assert errors == [None] * 20
    assert worked == [n for n in range(20) if n % 5]
    assert written == {n: n * n for n in range(20) if n % 5}


def test_given_refusals_when_pipelined_then_the_others_are_done() -> None:
    written: list[int] = []

    def refusing(step: str, event: int) -> int:
        if (step, event) in {("read", 1), ("work", 3), ("write", 5)}:
            raise PhotoRejected(f"{step} {event}")
        return event

    errors = pipelined(
        range(7),
        read=lambda event: refusing("read", event),
        work=lambda item: refusing("work", item),
        write=lambda event, _made: written.append(refusing("write", event)),
    )
    said = {place: str(error) for place, error in enumerate(errors) if error}
    assert said == {1: "read 1", 3: "work 3", 5: "write 5"}
    assert sorted(written) == [0, 2, 4, 6]


@pytest.mark.parametrize("step", ["read", "work", "write"])
def test_given_a_fault_when_pipelined_then_it_is_raised_and_no_thread_works_on(step: str) -> None:
    at_work: list[int] = []

    def act(name: str, event: int) -> int:
        if name == step and event == 2:
            raise StoreUnavailable("away")
        if name == "write":
            time.sleep(0.02)
            at_work.append(event)
        return event

    with pytest.raises(StoreUnavailable):
        pipelined(
            range(50),
            read=lambda event: act("read", event),
            work=lambda item: act("work", item),
            write=lambda event, _made: act("write", event),
        )
    after = len(at_work)
    time.sleep(0.1)
    assert len(at_work) == after < 50


def test_given_a_batch_when_pipelined_then_reads_and_writes_run_beside_the_work() -> None:
    read_begun = [threading.Event() for _ in range(10)]
    work_begun = [threading.Event() for _ in range(10)]
    most_ahead = 0

    def read(event: int) -> int:
        read_begun[event].set()
        return event

    def work(item: int) -> int:
        nonlocal most_ahead
        work_begun[item].set()
        assert item == 9 or read_begun[item + 1].wait(5), "nothing is read while the model works"
        most_ahead = max(most_ahead, sum(e.is_set() for e in read_begun) - item)
        return item

    def write(event: int, _made: int) -> None:
        assert event == 9 or work_begun[event + 1].wait(5), "the model waits for a write"

    assert pipelined(range(10), read=read, work=work, write=write) == [None] * 10
    assert most_ahead <= AHEAD
