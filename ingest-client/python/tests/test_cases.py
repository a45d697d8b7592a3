"""The numbered cases of the client of Flawless 0.4.5, C1 to C11."""

import socket
import time
import unittest

import flawless
from tests.sink import KEY, SinkCase, counts, frames, variables


def fail() -> None:
    raise Exception("it failed")


@flawless.wrap_class
class Till:
    """A class as applications have them."""

    def __init__(self) -> None:
        self.drawer = {"coins": 3}
        self.name = "front"

    def add(self, one: int, other: int) -> int:
        return one + other

    @classmethod
    def kind(cls, suffix: str) -> str:
        return cls.__name__ + suffix

    @staticmethod
    def twice(number: int) -> int:
        return 2 * number

    def outer(self) -> None:
        amount = 12
        self.inner(amount)

    def inner(self, amount: int) -> None:
        price = amount * 2
        raise KeyError(price)


class Cases(SinkCase):
    def test_c1_a_wrapped_method_returns_its_value(self) -> None:
        self.assertEqual(Till().add(1, 2), 3)
        self.assertEqual(self.reported(), [])

    def test_c2_class_and_static_methods_still_work(self) -> None:
        self.assertEqual(Till.kind("!"), "Till!")
        self.assertEqual(Till().kind("!"), "Till!")
        self.assertEqual(Till.twice(4), 8)
        self.assertEqual(Till().twice(4), 8)

    def test_c3_nested_wrapped_methods_make_one_report_with_every_frame(self) -> None:
        def caller() -> None:
            Till().outer()

        with self.assertRaises(KeyError) as caught:
            caller()
        self.assertEqual(caught.exception.args, (24,))
        event = self.only()
        functions = [frame["function"] for frame in frames(event)]
        mine = functions[functions.index("caller") :]
        # No frame of the wrappers, and none twice.
        self.assertEqual(mine, ["caller", "outer", "inner"])
        # The callers' frames: Flawless 0.4.5 ended at the wrapper.
        self.assertIn("test_c3_nested_wrapped_methods_make_one_report_with_every_frame", functions)
        inner = frames(event)[-1]
        self.assertEqual(inner["context_line"].strip(), "raise KeyError(price)")
        self.assertTrue(inner["abs_path"].endswith("test_cases.py"))
        self.assertTrue(all(frame["in_app"] for frame in frames(event)[-3:]))
        outer = frames(event)[-2]
        self.assertEqual(outer["context_line"].strip(), "self.inner(amount)")

    def test_c4_nested_wrapped_methods_bring_the_attributes_of_self(self) -> None:
        with self.assertRaises(KeyError):
            Till().outer()
        event = self.only()
        for function in ("outer", "inner"):
            found = variables(event, function)
            self.assertEqual(found["self.drawer"], "{'coins': 3}")
            self.assertEqual(found["self.name"], "'front'")
            self.assertIn("Till object", found["self"])
        self.assertEqual(variables(event, "inner")["price"], "24")

    def test_c5_a_wrapped_function_returns_its_value(self) -> None:
        @flawless.wrap_function
        def plain(one: int, *, other: int = 2) -> int:
            """Adds."""
            return one + other

        self.assertEqual(plain(1), 3)
        self.assertEqual((plain.__name__, plain.__doc__), ("plain", "Adds."))
        self.assertEqual(self.reported(), [])

    def test_c6_the_type_is_named_in_full(self) -> None:
        with self.assertRaises(Exception):
            flawless.wrap_function(fail)()
        value = self.only()["exception"]["values"][-1]
        self.assertEqual((value["module"], value["type"], value["value"]), ("builtins", "Exception", "it failed"))

    def test_c7_a_server_that_is_down_changes_nothing(self) -> None:
        flawless.close()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        flawless.init(f"http://{KEY}@127.0.0.1:{port}/7", clock=self.clock)
        wrapped = flawless.wrap_function(fail)
        began = time.monotonic()
        for _ in range(200):
            with self.assertRaises(Exception) as caught:
                wrapped()
            self.assertIs(type(caught.exception), Exception)
            self.assertIsNone(caught.exception.__cause__ or caught.exception.__context__)
        self.assertLess(time.monotonic() - began, 5)
        # Back at once when the server is: Flawless 0.4.5 was silent for over an hour.
        flawless.close()
        self.begin()
        with self.assertRaises(Exception):
            wrapped()
        self.only()

    def test_c8_twenty_identical_errors_make_eleven_requests(self) -> None:
        wrapped = flawless.wrap_function(fail)
        for _ in range(20):
            with self.assertRaises(Exception):
                wrapped()
        self.assertEqual(counts(self.reported()), [1] * 10 + [6])
        self.assertEqual(self.sink.requests, 11)

    def test_c9_a_threshold_arrives_and_the_exception_can_end_here(self) -> None:
        wrapped = flawless.wrap_function(error_threshold=7, reraise_exception=False)(fail)
        self.assertIsNone(wrapped())
        self.assertEqual(self.only()["contexts"]["flawless"], {"count": 1, "error_threshold": 7})

    def test_c10_local_variables_arrive(self) -> None:
        @flawless.wrap_function
        def with_variable() -> None:
            myvar = 7
            fail()
            del myvar

        with self.assertRaises(Exception):
            with_variable()
        self.assertEqual(variables(self.only(), "with_variable"), {"myvar": "7"})

    def test_c11_secrets_are_scrubbed_by_name(self) -> None:
        @flawless.wrap_function
        def sign_in() -> None:
            password = "swordfish-1"
            my_password = "swordfish-2"
            PASSWORD = "swordfish-3"
            form = {"user": "ann", "password": "swordfish-4", "more": [{"New-Password": "swordfish-5"}]}
            raise ValueError(f"{len([password, my_password, PASSWORD, form])} tries")

        with self.assertRaises(ValueError):
            sign_in()
        event = self.only()
        found = variables(event, "sign_in")
        self.assertEqual([found[name] for name in ("password", "my_password", "PASSWORD")], ["[Filtered]"] * 3)
        self.assertEqual(
            found["form"], "{'user': 'ann', 'password': [Filtered], 'more': [{'New-Password': [Filtered]}]}"
        )
        self.assertNotIn("swordfish", str([frame.get("vars") for frame in frames(event)]))


if __name__ == "__main__":
    unittest.main()
