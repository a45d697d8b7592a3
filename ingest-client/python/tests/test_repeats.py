"""Counting repeats: when they are told, that none is lost, and that the memory of them has an end."""

import threading
import unittest
from typing import Any, Dict
from unittest import mock

import flawless
from flawless import _repeats, _reporter
from flawless._repeats import LONGEST_WAIT, MAX_KINDS, Repeats
from tests.sink import PATIENCE, Clock, SinkCase, counts, frames, run


def fail(message: str = "it failed") -> None:
    raise ValueError(message)


@flawless.wrap_function(reraise_exception=False)
def swallowed(message: str = "it failed") -> None:
    fail(message)


@flawless.wrap_function(reraise_exception=False)
def another() -> None:
    fail()


class Told(SinkCase):
    def test_powers_of_two_are_told_and_the_rest_by_flush(self) -> None:
        for _ in range(70):
            swallowed()
        self.assertEqual(counts(self.reported()), [1] * 10 + [6, 16, 32])
        flawless.flush(PATIENCE)
        self.assertEqual(counts(self.sink.events), [1] * 10 + [6, 16, 32, 6])
        self.assertEqual(frames(self.sink.events[-1])[-1]["function"], "fail")
        self.assertEqual(self.sink.events[-1]["release"], "1.0")
        self.assertEqual(len({event["event_id"] for event in self.sink.events}), 14)
        flawless.flush(PATIENCE)
        self.assertEqual(len(self.sink.events), 14)

    def test_messages_do_not_matter_and_lines_and_types_do(self) -> None:
        for number in range(11):
            swallowed(f"number {number}")
        self.assertEqual(counts(self.reported()), [1] * 10)
        another()
        self.assertEqual(counts(self.reported()), [1] * 11)

    def test_a_repeat_is_told_after_ten_minutes(self) -> None:
        for _ in range(13):
            swallowed()
        self.clock.now += LONGEST_WAIT
        swallowed()
        self.assertEqual(counts(self.reported()), [1] * 10 + [4])

    def test_a_repeat_is_told_after_ten_minutes_though_no_other_comes(self) -> None:
        with mock.patch.object(_reporter, "LONGEST_PAUSE", 0.02):
            for _ in range(13):
                swallowed()
            self.clock.now += LONGEST_WAIT - 1
            self.assertFalse(self._comes(11, 0.2))
            self.clock.now += 1
            self.assertTrue(self._comes(11, PATIENCE))
        self.assertEqual(counts(self.sink.events), [1] * 10 + [3])

    def _comes(self, number: int, within: float) -> bool:
        waiting = threading.Event()
        for _ in range(int(within / 0.02)):
            if len(self.sink.events) >= number:
                return True
            waiting.wait(0.02)
        return False

    def test_a_threshold_goes_with_the_count(self) -> None:
        wrapped = flawless.wrap_function(error_threshold=50, reraise_exception=False)(fail)
        for _ in range(12):
            wrapped()
        flawless.flush(PATIENCE)
        self.assertEqual(self.sink.events[-1]["contexts"]["flawless"], {"count": 2, "error_threshold": 50})

    def test_what_waits_is_sent_in_pieces_that_fit_the_queue(self) -> None:
        pieces = mock.patch.object(_reporter, "MAX_AT_ONCE", 5)
        pieces.start()
        self.addCleanup(pieces.stop)
        kinds = 12
        for number in range(kinds):
            scope: Dict[str, Any] = {}
            exec(compile("def made():\n raise ValueError", f"made{number}.py", "exec"), scope)
            wrapped = flawless.wrap_function(reraise_exception=False)(scope["made"])
            for _ in range(12):
                wrapped()
            self.reported()
        flawless.flush(PATIENCE)
        self.assertEqual(sum(counts(self.sink.events)), 12 * kinds)

    def test_many_threads_lose_no_count(self) -> None:
        def work() -> None:
            for _ in range(100):
                swallowed()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        flawless.flush(PATIENCE)
        self.assertEqual(sum(counts(self.sink.events)), 800)
        self.assertEqual(len(self.sink.events), 10 + 6 + 1)


class Counting(unittest.TestCase):
    def test_the_sequence(self) -> None:
        repeats = Repeats(Clock())
        told = [repeats.seen("a") for _ in range(64)]
        self.assertEqual(told[:10], [1] * 10)
        self.assertEqual({at + 1: count for at, count in enumerate(told) if at >= 10 and count}, {16: 6, 32: 16, 64: 32})

    def test_what_makes_room_is_told(self) -> None:
        repeats = Repeats(Clock())
        for _ in range(12):
            repeats.seen("first")
        repeats.keep("first", {"kind": "first"})
        self.assertEqual(repeats.wait(), LONGEST_WAIT)
        for number in range(MAX_KINDS):
            repeats.seen(number)
        self.assertEqual(repeats.wait(), 0.0)
        self.assertEqual(repeats.take(10), [({"kind": "first"}, 2)])
        self.assertIsNone(repeats.wait())

    def test_memory_has_an_end(self) -> None:
        repeats = Repeats(Clock())
        for number in range(5 * MAX_KINDS):
            for _ in range(11):
                repeats.seen(number)
            repeats.keep(number, {})
        self.assertEqual(len(repeats._kinds), MAX_KINDS)
        self.assertEqual(len(repeats._evicted), _repeats.MAX_EVICTED)


class Ending(SinkCase):
    def test_the_end_of_a_program_tells_what_waits(self) -> None:
        program = """
            import flawless
            flawless.init(auto_enabling_integrations=False)
            @flawless.wrap_function(reraise_exception=False)
            def swallowed():
                raise ValueError("it failed")
            for _ in range(13):
                swallowed()
        """
        ended = run(program, FLAWLESS_DSN=self.sink.dsn, FLAWLESS_RELEASE="2.0")
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))
        self.assertEqual(counts(self.sink.events), [1] * 10 + [3])
        self.assertEqual({event["release"] for event in self.sink.events}, {"2.0"})

    def test_a_child_process_does_not_tell_its_parents_counts(self) -> None:
        program = """
            import os, flawless
            flawless.init(auto_enabling_integrations=False)
            @flawless.wrap_function(reraise_exception=False)
            def swallowed():
                raise ValueError("it failed")
            for _ in range(13):
                swallowed()
            import sentry_sdk
            sentry_sdk.flush(10)
            child = os.fork()
            if child == 0:
                swallowed()
                flawless.close()
                os._exit(0)
            os.waitpid(child, 0)
        """
        ended = run(program, FLAWLESS_DSN=self.sink.dsn)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(counts(self.sink.events), [1] * 10 + [1, 3])


if __name__ == "__main__":
    unittest.main()
