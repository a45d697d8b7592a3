"""The decorators, on every kind of function; one exception makes one report, whoever meets it."""

import asyncio
import concurrent.futures
import contextvars
import inspect
import logging
import sys
import threading
import unittest
from typing import Any, AsyncIterator, Iterator, List

import sentry_sdk
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

import flawless
from tests.sink import PATIENCE, SinkCase, counts, frames, run, variables


def functions_of(event: Any) -> List[str]:
    return [frame["function"] for frame in frames(event)]


class Asynchronous(SinkCase):
    def test_a_coroutine_is_wrapped(self) -> None:
        @flawless.wrap_function
        async def inner(number: int) -> int:
            await asyncio.sleep(0)
            if number:
                raise ValueError("it failed")
            return 5

        @flawless.wrap_function
        async def outer(number: int) -> int:
            return await inner(number)

        async def caller() -> None:
            self.assertEqual(await outer(0), 5)
            await outer(1)

        self.assertTrue(inspect.iscoroutinefunction(outer))
        with self.assertRaises(ValueError):
            asyncio.run(caller())
        functions = functions_of(self.only())
        self.assertEqual(functions[-3:], ["caller", "outer", "inner"])

    def test_a_coroutine_can_swallow(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        async def swallowed() -> int:
            raise ValueError("it failed")

        self.assertIsNone(asyncio.run(swallowed()))
        self.only()

    def test_tasks_keep_their_information_apart(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        async def task(number: int) -> None:
            flawless.add_information(number=number)
            await asyncio.sleep(0.01)
            raise ValueError("it failed")

        async def main() -> None:
            await asyncio.gather(*(task(number) for number in range(5)))

        asyncio.run(main())
        events = self.reported()
        self.assertEqual(sorted(event["extra"]["number"] for event in events), ["0", "1", "2", "3", "4"])

    def test_an_exception_that_crosses_a_task_is_reported_once(self) -> None:
        @flawless.wrap_function
        async def inner() -> None:
            raise ValueError("it failed")

        @flawless.wrap_function
        async def outer() -> None:
            await asyncio.gather(asyncio.create_task(inner()))

        with self.assertRaises(ValueError):
            asyncio.run(outer())
        self.only()

    def test_cancelling_is_no_error(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        async def waits() -> None:
            await asyncio.sleep(60)

        async def main() -> None:
            task = asyncio.create_task(waits())
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        self.assertEqual(self.reported(), [])

    def test_an_async_generator_hands_on_all_that_is_done_to_it(self) -> None:
        seen: List[Any] = []

        @flawless.wrap_function
        async def generator() -> AsyncIterator[Any]:
            try:
                seen.append((yield 1))
                try:
                    yield 2
                except KeyError as error:
                    seen.append(error.args[0])
                yield 3
            finally:
                seen.append("closed")

        async def main() -> None:
            made: Any = generator()
            self.assertTrue(inspect.isasyncgen(made))
            self.assertEqual(await made.__anext__(), 1)
            self.assertEqual(await made.asend("sent"), 2)
            self.assertEqual(await made.athrow(KeyError("thrown")), 3)
            await made.aclose()

        asyncio.run(main())
        self.assertEqual(seen, ["sent", "thrown", "closed"])
        self.assertEqual(self.reported(), [])

    def test_an_async_generator_is_watched_while_it_runs(self) -> None:
        @flawless.wrap_function
        async def generator() -> AsyncIterator[int]:
            yield 1
            raise ValueError("it failed")

        async def main() -> List[int]:
            return [number async for number in generator()]

        with self.assertRaises(ValueError):
            asyncio.run(main())
        self.assertEqual(functions_of(self.only())[-1], "generator")


class Synchronous(SinkCase):
    def test_a_generator_is_watched_while_it_runs(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        def generator() -> Iterator[int]:
            got = yield 1
            yield got
            raise ValueError("it failed")

        made: Any = generator()
        self.assertEqual(next(made), 1)
        self.assertEqual(made.send(9), 9)
        self.assertEqual(list(made), [])
        self.assertEqual(functions_of(self.only())[-1], "generator")

    def test_what_is_no_failure_passes(self) -> None:
        for raised in (KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, asyncio.CancelledError):

            @flawless.wrap_function(reraise_exception=False)
            def stops() -> None:
                raise raised()

            with self.assertRaises(raised):
                stops()
        self.assertEqual(self.reported(), [])

    def test_methods_of_every_kind_are_watched(self) -> None:
        @flawless.wrap_class(reraise_exception=False)
        class Watched:
            def method(self) -> None:
                raise ValueError("1")

            @classmethod
            def of_class(cls) -> None:
                raise ValueError("2")

            @staticmethod
            def static() -> None:
                raise ValueError("3")

            async def coroutine(self) -> None:
                raise ValueError("4")

            def __call__(self) -> None:
                raise ValueError("5")

            def __getattr__(self, name: str) -> Any:
                raise AttributeError(name)

            def _private(self) -> None:
                raise ValueError("6")

        watched = Watched()
        for call in (watched.method, Watched.of_class, watched.static, watched, watched._private):
            self.assertIsNone(call())
        self.assertIsNone(asyncio.run(watched.coroutine()))
        # Part of how Python asks: no failure.
        self.assertFalse(hasattr(watched, "nothing"))
        messages = [event["exception"]["values"][-1]["value"] for event in self.reported()]
        self.assertEqual(messages, ["1", "2", "3", "5", "6", "4"])

    def test_a_constructor_always_raises_again(self) -> None:
        @flawless.wrap_class(reraise_exception=False)
        class Broken:
            def __init__(self) -> None:
                raise ValueError("it failed")

        with self.assertRaises(ValueError):
            Broken()
        self.only()

    def test_inherited_and_wrapped_methods_are_not_wrapped_again(self) -> None:
        @flawless.wrap_class
        class Base:
            @flawless.wrap_function
            def method(self) -> None:
                pass

        before = vars(Base)["method"]
        self.assertIs(vars(flawless.wrap_class(Base))["method"], before)

    def test_what_can_not_be_wrapped_is_told_at_once(self) -> None:
        for wrong in (lambda: flawless.wrap_function(int), lambda: flawless.wrap_class(len), lambda: flawless.wrap_function(3)):  # type: ignore[call-overload]
            with self.assertRaises(TypeError):
                wrong()
        for threshold in (0, -1, 1.5, True, "7"):
            with self.assertRaises(ValueError):
                flawless.wrap_function(error_threshold=threshold)  # type: ignore[call-overload]

    def test_a_runaway_recursion_is_reported_once(self) -> None:
        @flawless.wrap_function
        def recursive(number: int) -> int:
            return recursive(number + 1) + 1

        with self.assertRaises(RecursionError):
            recursive(0)
        event = self.only()
        self.assertEqual(event["exception"]["values"][-1]["type"], "RecursionError")
        self.assertLessEqual(len(frames(event)), 200)
        self.assertIn("number", variables(event, "recursive"))

    def test_an_exception_object_that_is_raised_again_counts_again(self) -> None:
        kept = ValueError("kept")

        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            raise kept.with_traceback(None)

        for _ in range(5):
            fails()
        self.assertEqual(counts(self.reported()), [1] * 5)

    def test_an_exception_of_odd_making_is_reported_once(self) -> None:
        class Odd(Exception):
            def __setattr__(self, name: str, value: Any) -> None:
                raise RuntimeError("no")

            def __str__(self) -> str:
                raise RuntimeError("no text either")

            def __eq__(self, other: object) -> bool:
                raise RuntimeError("nor comparing")

            __hash__ = None  # type: ignore[assignment]

        @flawless.wrap_function
        def inner() -> None:
            raise Odd()

        with self.assertRaises(Odd):
            flawless.wrap_function(lambda: inner())()
        self.only()

    def test_causes_and_groups_arrive(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        def chained() -> None:
            secret = 1
            try:
                raise KeyError("first")
            except KeyError as error:
                raise ValueError("second") from error

        chained()
        event = self.only()
        self.assertEqual([value["type"] for value in event["exception"]["values"]], ["KeyError", "ValueError"])
        self.assertEqual({value["module"] for value in event["exception"]["values"]}, {"builtins"})
        for value in event["exception"]["values"]:
            self.assertEqual(value["stacktrace"]["frames"][-1]["vars"]["secret"], "[Filtered]")
        if sys.version_info >= (3, 11):
            self.sink.events.clear()

            @flawless.wrap_function(reraise_exception=False)
            def grouped() -> None:
                found = []
                for kind in (KeyError, OSError):
                    try:
                        member = kind.__name__
                        raise kind(member)
                    except Exception as error:
                        found.append(error)
                raise ExceptionGroup("both", found)  # noqa: F821

            grouped()
            values = self.only()["exception"]["values"]
            self.assertEqual([value["type"] for value in values], ["OSError", "KeyError", "ExceptionGroup"])
            self.assertTrue(all("member" in value["stacktrace"]["frames"][-1]["vars"] for value in values))

    def test_a_report_can_be_made_by_hand(self) -> None:
        def careful() -> None:
            myvar = 8
            try:
                raise ValueError("it failed")
            except ValueError:
                flawless.report_exception(error_threshold=3)
            del myvar

        careful()
        event = self.only()
        self.assertEqual(event["contexts"]["flawless"], {"count": 1, "error_threshold": 3})
        self.assertEqual(functions_of(event)[-1], "careful")
        self.assertEqual(variables(event, "careful")["myvar"], "8")
        flawless.report_exception()
        self.only()


class Once(SinkCase):
    def test_a_thread_pool_hands_the_exception_on(self) -> None:
        @flawless.wrap_function
        def work() -> None:
            raise ValueError("it failed")

        @flawless.wrap_function
        def outer() -> None:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                pool.submit(contextvars.copy_context().run, work).result(PATIENCE)

        with self.assertRaises(ValueError):
            outer()
        self.only()

    def test_what_was_logged_is_not_reported_again(self) -> None:
        @flawless.wrap_function
        def logs() -> None:
            try:
                raise ValueError("it failed")
            except ValueError:
                logging.getLogger("shop").exception("it went wrong")
                raise

        logging.getLogger("shop").propagate = False
        logging.getLogger("shop").addHandler(logging.NullHandler())
        with self.assertRaises(ValueError):
            logs()
        self.only()

    def test_sentrys_integration_does_not_report_again(self) -> None:
        @flawless.wrap_function
        def application(_environ: Any, _start_response: Any) -> Any:
            raise ValueError("it failed")

        with self.assertRaises(ValueError):
            SentryWsgiMiddleware(application)({"REQUEST_METHOD": "GET", "SERVER_NAME": "x", "SERVER_PORT": "80"}, None)
        self.only()

    def test_what_only_sentrys_integration_sees_is_counted_and_scrubbed_as_well(self) -> None:
        def application(_environ: Any, _start_response: Any) -> Any:
            token = "swordfish-swordfish"
            raise ValueError(f"no {token}")

        watched = SentryWsgiMiddleware(application)
        for _ in range(20):
            with self.assertRaises(ValueError):
                watched({"REQUEST_METHOD": "GET", "SERVER_NAME": "x", "SERVER_PORT": "80"}, None)
        events = self.reported()
        self.assertEqual(counts(events), [1] * 10 + [6])
        self.assertEqual(events[0]["exception"]["values"][-1]["value"], "no [Filtered]")
        self.assertEqual(variables(events[0], "application")["token"], "[Filtered]")

    def test_an_uncaught_exception_is_reported_once(self) -> None:
        program = """
            import flawless
            flawless.init(auto_enabling_integrations=False)
            @flawless.wrap_function
            def main():
                raise ValueError("it failed")
            main()
        """
        ended = run(program, FLAWLESS_DSN=self.sink.dsn)
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stderr.count("ValueError: it failed"), 1)
        self.assertEqual(counts(self.sink.events), [1])
        self.sink.events.clear()
        ended = run(program.replace("@flawless.wrap_function", ""), FLAWLESS_DSN=self.sink.dsn)
        self.assertEqual(counts(self.sink.events), [1])
        self.assertEqual(self.sink.events[0]["exception"]["values"][-1]["module"], "builtins")

    def test_a_before_send_of_the_application_sees_variables_and_can_drop(self) -> None:
        seen: List[Any] = []

        def before_send(event: Any, _hint: Any) -> Any:
            seen.append(variables(event, "fails")["number"])
            return None if event["exception"]["values"][-1]["value"] == "1" else event

        self.begin(before_send=before_send)

        @flawless.wrap_function(reraise_exception=False)
        def fails(number: int) -> None:
            raise ValueError(number)

        fails(1)
        fails(2)
        self.assertEqual(self.only()["exception"]["values"][-1]["value"], "2")
        self.assertEqual(seen, ["1", "2"])

    def test_another_client_of_sentry_gets_nothing_unscrubbed(self) -> None:
        others: List[Any] = []
        self.addCleanup(sentry_sdk.Scope.get_global_scope().set_client, sentry_sdk.get_client())
        other = sentry_sdk.Client(dsn=self.sink.dsn, before_send=lambda event, _hint: others.append(event))
        sentry_sdk.Scope.get_global_scope().set_client(other)

        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            raise ValueError("it failed")

        fails()
        flawless.flush(PATIENCE)
        self.assertEqual((len(others), len(self.sink.events)), (0, 1))

    def test_off_is_off(self) -> None:
        flawless.close()

        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            raise ValueError("it failed")

        self.assertIsNone(fails())
        flawless.flush()
        flawless.report_exception(ValueError("by hand"))
        self.assertEqual(self.reported(), [])
        self.assertNotIn("flawless-repeats", [thread.name for thread in threading.enumerate()])


if __name__ == "__main__":
    unittest.main()
