import threading
import time

from structbert_lite.inference.batcher import FairSemaphore


def test_never_more_at_a_time_than_permits() -> None:
    slots, lock = FairSemaphore(2), threading.Lock()
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with slots:
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.0001)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 2
    with slots, slots:  # all permits came back
        pass


def test_who_asked_first_is_served_first() -> None:
    slots = FairSemaphore(1)
    served: list[int] = []

    def work(number: int) -> None:
        with slots:
            served.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    with slots:
        for asked, thread in enumerate(threads, 1):
            thread.start()
            while len(slots._turns) < asked:
                time.sleep(0.001)
    # Whoever gave it back asks again, behind those who wait.
    work(99)
    for thread in threads:
        thread.join(30)
    assert served == [0, 1, 2, 3, 4, 99]


def test_a_failure_gives_the_permit_back() -> None:
    slots = FairSemaphore(1)
    for _ in range(3):
        try:
            with slots:
                raise ValueError
        except ValueError:
            pass
    with slots:
        pass
