"""Secrets never leave: by name, by value wherever else it stands, and by their look."""

import copy
import json
import unittest
from unittest import mock
from typing import Any, Dict

import flawless
from flawless import _reporter
from flawless._names import is_secret
from flawless._scrub import Rules, Scrub
from tests.sink import SinkCase, frames, variables


class Names(unittest.TestCase):
    def test_names_that_hold_secrets(self) -> None:
        for name in (
            "password PASSWORD my_password userPassword userpassword password2 passwd pwd db.pwd authToken X-Api-Key apiKey"
            " APIKey api_key apikey Authorization HTTP_AUTHORIZATION Proxy-Authorization Set-Cookie session session_id"
            " sessionid csrfmiddlewaretoken X-CSRFToken credentials private_key privateKey card_number cardNumber"
            " credit_card cvv iban ssn SECRET_KEY aws_secret_access_key AWS_ACCESS_KEY_ID user[password]"
            " user%5Bpassword%5D oauth2_token refreshToken JWT _password __password pw db_pass dbpass otp Kennwort mot_de_passe"
            " contraseña clave senha verification_code"
        ).split():
            self.assertTrue(is_secret(name), name)

    def test_names_that_only_look_like_it(self) -> None:
        for name in (
            "author authors authored_at tokenizer tokenize key sort_key primary_key keyboard secretary compass passenger"
            " passed discard cardinal order_number card obsession monkey max_tokens token_count token_type session_timeout"
            " AuthenticationError a __ i"
        ).split():
            self.assertFalse(is_secret(name), name)

    def test_added_names_are_found_in_every_spelling(self) -> None:
        names = Rules(["shoe-size"]).names
        for name in ("shoe_size", "SHOESIZE", "myShoeSize", "shoe size 2"):
            self.assertIn(name, names)
        self.assertNotIn("shoe", names)
        self.assertIn("password", names)
        with self.assertRaises(TypeError):
            Rules("password")


class Texts(unittest.TestCase):
    def check(self, pairs: Dict[str, str]) -> None:
        for text, expected in pairs.items():
            self.assertEqual(Scrub(Rules()).text(text).replace("[Filtered]", "#"), expected)

    def test_values_behind_secret_names(self) -> None:
        self.check(
            {
                "{'password': 'hunter2', 'user': 'ann'}": "{'password': '#', 'user': 'ann'}",
                '{"api_key": "it\'s", "n": 1}': '{"api_key": "#", "n": 1}',
                "'{\\\"token\\\": \\\"a b\\\", \\\"n\\\": 1}'": "'{\\\"token\\\": \\\"#\\\", \\\"n\\\": 1}'",
                "login(user='ann', password='it\\'s')": "login(user='ann', password='#')",
                "a=b&password=c&d=e": "a=b&password=#&d=e",
                "url=http://x/?a=1&access_token=abc#x": "url=http://x/?a=1&access_token=#",
                "user[password]=x&b=1": "user[password]=#&b=1",
                "user%5Bpassword%5D=x&b=1": "user%5Bpassword%5D=#&b=1",
                "Login: password=SecretStr('x')": "Login: password=SecretStr('#')",
                "token=b'abc'": "token=b'#'",
                "Authorization: Token abc def\nHost: x": "Authorization: #\nHost: x",
                "cookie: a=b; c=d": "cookie: #",
                "password: correcthorse": "password: #",
                "'password': 'cut off": "'password': '#",
                "host=db password=secretive dbname=x": "host=db password=# dbname=x",
            }
        )

    def test_prose_stays(self) -> None:
        for text in (
            "author='Ann'",
            "invalid token: expected a comma",
            "KeyError: 'password'",
            "if password == other:",
            "password=None, token=''",
            "{'token': None}",
            "password='[Filtered]'",
            "the password is wrong",
            "key=value",
            "Basic authentication required",
            "https://example.com/path@2",
        ):
            self.check({text: text.replace("[Filtered]", "#")})

    def test_secrets_that_show_by_their_look(self) -> None:
        key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----"
        self.check(
            {
                f"key {key} end": "key # end",
                key[:50]: "#",
                "curl -H 'Bearer abc123def456'": "curl -H 'Bearer #'",
                "Basic dXNlcjpwYXNz": "Basic #",
                "postgres://shop:hunter2@db:5432/shop": "postgres://#@db:5432/shop",
                "https://ghp0123456789abcdef0123@github.com/x": "https://#@github.com/x",
                "ghp_" + "a1" * 18: "#",
                "AKIAIOSFODNN7EXAMPLE": "#",
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-nature": "#",
                "sk_live_0123456789abcdef": "#",
            }
        )

    def test_a_long_text_is_cut_and_takes_no_time(self) -> None:
        for text in ("a" * 10_000_000, "a=" * 100_000, "'" * 100_000, "password='" * 10_000, "://a" * 50_000, "eyJ" * 50_000):
            self.assertLessEqual(len(Scrub(Rules()).text(text)), 20_000)


class Reports(SinkCase):
    options = {"scrub_names": ["shoe_size"], "scrub_patterns": [r"CUST-\d+"]}

    def test_a_value_known_by_its_name_is_hidden_everywhere(self) -> None:
        secret = "swordfish it's"

        @flawless.wrap_function(reraise_exception=False)
        def fails(settings: Dict[str, Any]) -> None:
            other = f"the answer is {secret}!"
            listed = [secret, {"x": (secret,)}]
            keyed = {secret: 1}
            raw = secret.encode()
            raise ValueError(f"can't use {secret} {len([other, listed, keyed, raw])}")

        flawless.add_information(note=f"tried {secret}", order=5)
        fails({"database": {"password": secret}})
        event = self.only()
        sent = [frame.pop(name, None) for frame in frames(event) for name in ("pre_context", "context_line", "post_context")]
        self.assertTrue(sent)
        self.assertNotIn("swordfish", json.dumps(event))
        self.assertEqual(event["exception"]["values"][-1]["value"], "can't use [Filtered] 4")
        self.assertEqual(event["extra"]["note"], "tried [Filtered]")
        self.assertEqual(event["extra"]["order"], "5")
        self.assertEqual(variables(event, "fails")["other"], "'the answer is [Filtered]!'")

    def test_a_long_secret_leaves_neither_its_end_nor_its_half_behind(self) -> None:
        token = "".join(f"{number:x}-" for number in range(400))
        scrub = Scrub(Rules())
        scrub.learn("session_token", token)
        self.assertEqual(scrub.text(f"refused: {token}, again"), "refused: [Filtered], again")
        short = "correct-horse-battery-staple-9"
        scrub.learn("password", short)
        text = scrub.text("x" * (8_000 - 10) + " " + short + " tail")
        self.assertNotIn("correct-h", text)
        self.assertLess(len(text), 8_100)

    def test_attributes_slots_and_objects_are_searched(self) -> None:
        class Slotted:
            __slots__ = ("password",)

            def __init__(self) -> None:
                self.password = "swordfish-slot"

        class Settings:
            def __init__(self) -> None:
                self.api_key = "swordfish-attribute"
                self.inner = Slotted()

            def __repr__(self) -> str:
                return f"<Settings {self.api_key} {self.inner.password}>"

            def fails(self) -> None:
                raise ValueError(f"{self!r}")

        flawless.wrap_function(reraise_exception=False)(Settings().fails)()
        event = self.only()
        self.assertEqual(event["exception"]["values"][-1]["value"], "<Settings [Filtered] [Filtered]>")
        self.assertNotIn("swordfish", json.dumps([frame.get("vars") for frame in frames(event)]))
        self.assertEqual(variables(event, "fails")["self.api_key"], "[Filtered]")

    def test_names_and_patterns_of_the_application(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            myShoeSize = "forty-three"
            customer = "CUST-12345"
            raise ValueError(f"{customer} wears {myShoeSize}")

        fails()
        event = self.only()
        self.assertEqual(event["exception"]["values"][-1]["value"], "[Filtered] wears [Filtered]")
        self.assertEqual(variables(event, "fails"), {"myShoeSize": "[Filtered]", "customer": "'[Filtered]'"})

    def test_a_secret_at_the_end_of_what_is_kept_does_not_shine_through(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            token = "swordfish" * 10
            padded = "x" * 230 + token
            raise ValueError(str(len(padded)))

        fails()
        self.assertNotIn("sword", variables(self.only(), "fails")["padded"])

    def test_nothing_of_the_applications_is_changed(self) -> None:
        settings = {"password": "swordfish", "list": [{"token": "swordfish"}], "headers": [("Authorization", "swordfish")]}
        before = copy.deepcopy(settings)

        @flawless.wrap_function
        def fails(given: Dict[str, Any]) -> None:
            raise ValueError("no", given)

        flawless.add_information(settings=settings)
        with self.assertRaises(ValueError) as caught:
            fails(settings)
        self.assertEqual(settings, before)
        self.assertIs(caught.exception.args[1], settings)
        event = self.only()
        self.assertNotIn("swordfish", json.dumps([event["extra"], event["exception"]["values"][-1]["value"]]))

    def test_where_scrubbing_fails_the_place_is_sent_and_no_text(self) -> None:
        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            raise ValueError("no swordfish")

        with mock.patch.object(_reporter, "_scrubbed", side_effect=RuntimeError("no")):
            fails()
        event = self.only()
        self.assertEqual(event["exception"]["values"][-1]["value"], "")
        self.assertEqual(frames(event)[-1]["function"], "fails")
        self.assertNotIn("vars", frames(event)[-1])

    def test_breadcrumbs_arguments_and_tags_too(self) -> None:
        import sentry_sdk

        self.begin(max_breadcrumbs=5)

        @flawless.wrap_function(reraise_exception=False)
        def fails() -> None:
            password = "swordfish"
            sentry_sdk.set_tag("note", f"it is {password}")
            sentry_sdk.set_context("shop", {"arguments": ["--password", "carpaccio", "--user", "ann"]})
            sentry_sdk.add_breadcrumb(message=f"tried {password} and carpaccio")
            raise ValueError("no")

        fails()
        event = self.only()
        self.assertEqual(event["tags"]["note"], "it is [Filtered]")
        self.assertEqual(event["contexts"]["shop"]["arguments"], ["--password", "[Filtered]", "--user", "ann"])
        self.assertEqual(event["breadcrumbs"]["values"][-1]["message"], "tried [Filtered] and [Filtered]")


if __name__ == "__main__":
    unittest.main()
