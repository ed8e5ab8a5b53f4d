"""A batch's reads and writes beside its work: order, refusals, faults, and what overlaps."""

import threading
import time
from collections.abc import Callable

import pytest

from fashionmap.errors import PhotoRejected, StoreUnavailable
from fashionmap.pipelining import Pipeline, around, in_order, pipelined
from tests.processes import until


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_given_a_batch_when_pipelined_then_all_is_worked_on_and_written(at_once: int) -> None:
    written: dict[int, int] = {}
    errors = pipelined(
        range(20),
        at_once=at_once,
        read=lambda event: None if event % 5 == 0 else event,
        work=lambda item: item * item,
        write=written.__setitem__,
    )
    assert errors == [None] * 20
    assert written == {n: n * n for n in range(20) if n % 5}


def test_given_refusals_when_pipelined_then_the_others_are_done() -> None:
    written: list[int] = []

    def refusing(step: str, event: int) -> int:
        if (step, event) in {("read", 1), ("work", 3), ("write", 5)}:
            raise PhotoRejected(f"{step} {event}")
        return event

    errors = pipelined(
        range(7),
        at_once=2,
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
            at_once=1,
            read=lambda event: act("read", event),
            work=lambda item: act("work", item),
            write=lambda event, _made: act("write", event),
        )
    after = len(at_work)
    time.sleep(0.1)
    assert len(at_work) == after < 50


class Steps:
    """Counts who is at which step, and the most at once."""

    def __init__(self) -> None:
        self.now = {"read": 0, "work": 0, "write": 0}
        self.most = dict(self.now)
        self.beside: set[str] = set()
        self._lock = threading.Lock()

    def during(self, step: str) -> None:
        """A step that takes a while."""
        with self._lock:
            self.now[step] += 1
            self.most[step] = max(self.most[step], self.now[step])
            if self.now["work"]:
                self.beside |= {name for name, count in self.now.items() if count}
        time.sleep(0.01)
        with self._lock:
            self.now[step] -= 1


@pytest.mark.parametrize("at_once", [1, 3])
def test_given_a_batch_when_pipelined_then_reads_and_writes_run_beside_the_work(
    at_once: int,
) -> None:
    steps = Steps()

    def step(name: str, item: int) -> int:
        steps.during(name)
        return item

    pipelined(
        range(30),
        at_once=at_once,
        read=lambda event: step("read", event),
        work=lambda item: step("work", item),
        write=lambda event, _made: step("write", event),
    )
    assert steps.most["work"] == at_once
    assert steps.beside == {"read", "work", "write"}
    assert steps.most["read"] <= around(at_once)


@pytest.mark.parametrize("at_once", [1, 2])
def test_given_two_batches_in_a_pipeline_then_the_later_is_read_while_the_former_is_at_work(
    at_once: int,
) -> None:
    steps, pipeline = Steps(), Pipeline(at_once)
    order: list[tuple[int, str]] = []

    def batch(number: int) -> None:
        def step(name: str, item: int) -> int:
            order.append((number, name))
            steps.during(name)
            return item

        errors = pipeline.run(
            range(11),
            read=lambda event: step("read", event),
            work=lambda item: step("work", item),
            write=lambda event, _made: step("write", event),
        )
        assert errors == [None] * 11

    former, later = (threading.Thread(target=batch, args=(number,)) for number in (1, 2))
    former.start()
    until(lambda: (1, "work") in order, 10, pause=0.001)
    later.start()
    for thread in (former, later):
        thread.join(30)
    pipeline.close()
    assert steps.most["work"] == at_once
    assert steps.most["read"] <= around(at_once)
    works = [number for number, name in order if name == "work"]
    assert works.index(2) >= 11 - around(at_once)  # only its last ones may be overtaken
    last = len(order) - 1 - order[::-1].index((1, "write"))
    assert order.index((2, "read")) < last


def test_given_a_fault_in_one_batch_then_the_other_is_done() -> None:
    pipeline, begun = Pipeline(1), threading.Event()
    written: list[int] = []

    def read(event: int) -> int:
        begun.set()
        if event == 3:
            raise StoreUnavailable("away")
        return event

    def bad() -> None:
        with pytest.raises(StoreUnavailable):
            pipeline.run(range(50), read=read, work=lambda i: i, write=lambda _e, _m: None)

    thread = threading.Thread(target=bad)
    thread.start()
    assert begun.wait(10)
    errors = pipeline.run(
        range(100, 120), read=lambda e: e, work=lambda i: i, write=lambda e, _m: written.append(e)
    )
    thread.join(10)
    pipeline.close()
    assert errors == [None] * 20
    assert sorted(written) == list(range(100, 120))


def test_given_a_single_item_then_it_waits_for_no_batch_but_for_its_turn_alone() -> None:
    pipeline, over = Pipeline(1), threading.Event()
    written: list[str] = []

    def run(name: str, count: int, read: Callable[[int], int]) -> threading.Thread:
        def all_of_it() -> None:
            pipeline.run(
                range(count),
                read=read,
                work=lambda item: item,
                write=lambda _event, _made: written.append(name),
            )

        thread = threading.Thread(target=all_of_it)
        thread.start()
        return thread

    batch = run("batch", 20, lambda event: over.wait(30) or event)
    single = run("single", 1, lambda event: event)
    single.join(10)
    assert written == ["single"]
    over.set()
    batch.join(10)
    assert written == ["single", *["batch"] * 20]


def test_given_slow_items_when_taken_in_order_then_few_are_begun_before_they_are_asked_for() -> (
    None
):
    begun: list[int] = []

    def act(item: int) -> int:
        begun.append(item)
        return -item

    results = in_order(range(100), act, threads=2, most=5)
    assert next(results) == 0
    time.sleep(0.05)
    assert len(begun) <= 6
    assert list(results) == [-n for n in range(1, 100)]
