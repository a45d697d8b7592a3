"""What is sent of variables has limits, whatever they are; and reporting holds nobody up."""

import json
import socket
import threading
import time
import unittest
from typing import Any

import flawless
from flawless import _describe
from tests.sink import KEY, PATIENCE, SinkCase, frames, run, variables


class Limits(SinkCase):
    def test_only_the_innermost_frames_have_variables(self) -> None:
        def deep(left: int) -> None:
            if left == 0:
                raise ValueError("deep enough")
            deep(left - 1)

        flawless.wrap_function(reraise_exception=False)(deep)(40)
        written = frames(self.only())
        self.assertEqual(["vars" in frame for frame in written[-40:]], [False] * 20 + [True] * 20)

    def test_variables_attributes_and_values_have_limits(self) -> None:
        class Large:
            def __init__(self) -> None:
                for number in range(300):
                    setattr(self, f"attribute_{number}", number)

            def fails(self) -> None:
                text = "x" * 5_000_000
                numbers = list(range(1_000_000))
                table = {number: number for number in range(100_000)}
                huge = 7 ** 100_000
                nested: Any = []
                nested.append(nested)
                raise ValueError(str(len([text, numbers, table, huge, nested])))

        flawless.wrap_function(reraise_exception=False)(Large().fails)()
        found = variables(self.only(), "fails")
        self.assertEqual(sum(name.startswith("self.") for name in found), 100)
        self.assertTrue(all(len(value) <= 250 for value in found.values()))
        self.assertTrue(found["numbers"].startswith("[0, 1, 2"))
        self.assertTrue(found["huge"].startswith("<int of 2807"))
        self.assertTrue(found["nested"].startswith("[[["))
        self.sink.events.clear()
        scope: Any = {}
        names = "; ".join(f"v{number} = {number}" for number in range(300))
        exec(f"def many():\n {names}\n raise ValueError", scope)
        flawless.wrap_function(reraise_exception=False)(scope["many"])()
        self.assertEqual(len(variables(self.only(), "many")), 100)

    def test_the_total_has_a_limit_and_the_innermost_come_first(self) -> None:
        scope: Any = {}
        names = "; ".join(f"v{number} = 'x' * 240" for number in range(100))
        exec(f"def deep(left):\n {names}\n if not left: raise ValueError\n deep(left - 1)", scope)
        flawless.wrap_function(reraise_exception=False)(scope["deep"])(15)
        written = frames(self.only())
        self.assertLess(len(json.dumps(written)), 2 * _describe.MAX_TOTAL)
        self.assertEqual(len(written[-1]["vars"]), 100)
        self.assertNotIn("vars", written[-15])

    def test_values_that_can_not_be_shown_are_named(self) -> None:
        class Odd:
            def __repr__(self) -> str:
                raise RuntimeError("no")

        class Endless:
            def __repr__(self) -> str:
                return repr(self)

        class Lying:
            def __repr__(self) -> str:
                return "x" * 10_000_000

            @property
            def __class__(self) -> Any:
                raise RuntimeError("no")

            @__class__.setter
            def __class__(self, value: Any) -> None:
                pass

        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            odd, endless, lying = Odd(), Endless(), Lying()
            fine = 5
            raise ValueError(f"{len([1, 2])}")

        fails()
        found = variables(self.only(), "fails")
        self.assertEqual(found["odd"], "<Odd: can't be shown (RuntimeError)>")
        self.assertEqual(found["endless"], "<Endless: can't be shown (RecursionError)>")
        self.assertEqual(found["fine"], "5")
        self.assertTrue(found["lying"].startswith("xxx"))

    def test_variables_can_be_left_out(self) -> None:
        self.begin(include_local_variables=False)

        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            password = "swordfish"
            raise ValueError(password)

        fails()
        event = self.only()
        self.assertNotIn("vars", frames(event)[-1])
        self.assertEqual(event["exception"]["values"][-1]["value"], "[Filtered]")

    def test_information_ends_where_it_belongs(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            raise ValueError("it failed")

        with flawless.information(order=17, items=[1, 2], paid=True):
            flawless.add_information(step="pay")
            fails()
        fails()
        first, second = self.reported()
        first["extra"].pop("sys.argv")
        self.assertEqual(first["extra"], {"order": "17", "items": "[1, 2]", "paid": "True", "step": "pay"})
        self.assertNotIn("order", second["extra"])


class Waiting(SinkCase):
    def test_a_server_that_hangs_holds_nobody_up(self) -> None:
        self.sink.go_on.clear()
        scope: Any = {}
        names = []
        for number in range(130):
            exec(compile(f"def fails():\n raise ValueError({number})", f"made{number}.py", "exec"), scope)
            names.append(flawless.wrap_function(reraise_exception=False)(scope["fails"]))
        took = []
        for fails in names:
            began = time.monotonic()
            fails()
            took.append(time.monotonic() - began)
        # The slowest of many on a busy machine; the server does not answer at all.
        self.assertLess(max(took), 15)
        self.assertEqual(self.sink.events, [])
        import sentry_sdk

        waiting = sentry_sdk.get_client().transport._worker._queue.qsize()
        self.assertLessEqual(waiting, 100)
        began = time.monotonic()
        flawless.close()
        self.assertLess(time.monotonic() - began, 8)
        self.sink.go_on.set()

    def test_a_program_ends_as_it_would_without_a_server(self) -> None:
        program = """
            import sys, flawless
            if sys.argv[1:]:
                flawless.init(sys.argv[1], auto_enabling_integrations=False)
            @flawless.wrap_function
            def main():
                print("working")
                raise ValueError("it failed")
            main()
        """
        with socket.socket() as silent:
            # Takes connections and never answers.
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            dsn = f"http://{KEY}@127.0.0.1:{silent.getsockname()[1]}/7"
            hanging = run(program, dsn)
        plain = run(program)
        refused = run(program, dsn)
        for ended in (hanging, refused):
            self.assertEqual((ended.returncode, ended.stdout), (plain.returncode, plain.stdout))
            self.assertEqual(ended.stderr.count("Traceback"), 1)
            # But for the wrapper's frames, of which plain has them too: the very same text.
            self.assertEqual(ended.stderr, plain.stderr)

    def test_a_server_that_refuses_is_not_asked_for_ever(self) -> None:
        self.sink.status = 429

        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            raise ValueError("it failed")

        for _ in range(40):
            fails()
        self.reported()
        self.assertLessEqual(self.sink.requests, 12)

    def test_no_thread_is_left_behind(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            raise ValueError("it failed")

        for _ in range(12):
            fails()
        self.assertIn("flawless-repeats", [thread.name for thread in threading.enumerate()])
        flawless.close(PATIENCE)
        for thread in threading.enumerate():
            if thread.name == "flawless-repeats":
                thread.join(PATIENCE)
        self.assertNotIn("flawless-repeats", [thread.name for thread in threading.enumerate()])


if __name__ == "__main__":
    unittest.main()
