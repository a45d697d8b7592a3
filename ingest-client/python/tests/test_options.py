"""Where reports go, which revision they name, and what is said of a DSN that can't be used."""

import os
import tempfile
import unittest
from pathlib import Path
from typing import Dict, Optional

import flawless
from flawless._options import InitError, find_dsn, find_release
from flawless._revision import checked_out_at
from tests.sink import KEY, Sink, run

ID = "89e6c98d92887913cadf06b2adb97f26cde4849b"
OTHER = "2b66fd261ee5c6cfc8de7fa466bab600bcfe4f69"


class Dsn(unittest.TestCase):
    def test_an_argument_wins_over_flawless_over_sentry(self) -> None:
        dsn = [f"https://{KEY}@errors.example.com/{number}" for number in range(3)]
        environment = {"FLAWLESS_DSN": dsn[1], "SENTRY_DSN": dsn[2]}
        self.assertEqual(find_dsn(dsn[0], environment), dsn[0])
        self.assertEqual(find_dsn(None, environment), dsn[1])
        self.assertEqual(find_dsn("", {**environment, "FLAWLESS_DSN": " "}), dsn[2])
        self.assertIsNone(find_dsn(None, {"FLAWLESS_DSN": ""}))
        releases = {"FLAWLESS_RELEASE": "two", "SENTRY_RELEASE": "three"}
        self.assertEqual(find_release("one", releases), "one")
        self.assertEqual(find_release(None, releases), "two")
        self.assertEqual(find_release(None, {**releases, "FLAWLESS_RELEASE": ""}), "three")

    def test_a_bad_dsn_is_named_with_its_fault_and_without_its_key(self) -> None:
        cases = {
            "errors.example.com": "it is not a URL",
            "https://[::1/1": "it is not a URL",
            f"https://{KEY}@errors.example.com:port/1": "it is not a URL",
            f"https://{KEY}@/1": "it is not a URL",
            f"ftp://{KEY}@errors.example.com/1": "it begins with neither http:// nor https://",
            "https://errors.example.com/1": "it has no key",
            "https://public@errors.example.com/1": "its key is not 32 hexadecimal digits",
            f"https://{KEY}@errors.example.com": "it does not end in the project's number",
            f"https://{KEY}@errors.example.com/shop": "it does not end in the project's number",
        }
        for dsn, fault in cases.items():
            with self.assertRaises(InitError) as caught:
                find_dsn(None, {"FLAWLESS_DSN": dsn})
            said = str(caught.exception)
            self.assertTrue(said.startswith(f"the DSN in FLAWLESS_DSN can't be used: {fault}"), said)
            self.assertNotIn(KEY, said)
        good = f"https://{KEY}@errors.example.com:8443/prefix/1"
        self.assertEqual(find_dsn(good, {}), good)

    def test_init_says_whether_reporting_is_on(self) -> None:
        program = "import flawless; print(flawless.init())"
        self.assertEqual(run(program, FLAWLESS_DSN="", SENTRY_DSN="").stdout, "False\n")
        self.assertEqual(run(program, FLAWLESS_DSN=f"http://{KEY}@127.0.0.1:1/1").stdout, "True\n")
        bad = run(program, FLAWLESS_DSN=f"http://{KEY}@127.0.0.1:1/shop")
        self.assertIn("flawless._options.InitError: the DSN in FLAWLESS_DSN can't be used", bad.stderr)
        self.assertNotIn(KEY, bad.stderr)

    def test_an_older_reporting_ends_where_a_new_one_begins(self) -> None:
        first, second = Sink(), Sink()
        self.addCleanup(first.stop)
        self.addCleanup(second.stop)
        self.addCleanup(flawless.close)
        for sink in (first, second):
            flawless.init(sink.dsn)
            flawless.report_exception(ValueError("it failed"))
        flawless.flush()
        self.assertEqual((len(first.events), len(second.events)), (1, 1))


class Revision(unittest.TestCase):
    def tree(self, files: Dict[str, str]) -> Path:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in files.items():
            path = Path(folder.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Path(folder.name)

    def check(self, expected: Optional[str], files: Dict[str, str], below: str = ".") -> None:
        self.assertEqual(checked_out_at(self.tree(files) / below), expected)

    def test_a_branch_is_followed_from_any_directory_below(self) -> None:
        files = {".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": f"{ID}\n", "src/deep/file": ""}
        self.check(ID, files, "src/deep")

    def test_a_packed_branch_is_found_by_its_whole_name(self) -> None:
        packed = f"# pack-refs with: peeled\n{OTHER} refs/heads/main-2\n{ID} refs/heads/main\n^{OTHER}\n"
        self.check(ID, {".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": packed})

    def test_a_detached_head_is_the_id_itself(self) -> None:
        self.check(ID, {".git/HEAD": ID})

    def test_a_linked_work_tree_reads_the_branch_of_its_repository(self) -> None:
        files = {
            "repo/.git/refs/heads/topic": ID,
            "repo/.git/worktrees/linked/HEAD": "ref: refs/heads/topic\n",
            "repo/.git/worktrees/linked/commondir": "../..\n",
            "linked/.git": "gitdir: ../repo/.git/worktrees/linked\n",
        }
        self.check(ID, files, "linked")

    def test_what_is_no_commit_gives_none(self) -> None:
        self.check(None, {".git/HEAD": "ref: refs/heads/main\n"})
        self.check(None, {".git/HEAD": "ref: refs/heads/.invalid\n", ".git/reftable/tables.list": ""})
        self.check(None, {".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "not an id"})

    def test_a_program_started_elsewhere_finds_its_own_repository(self) -> None:
        tree = self.tree({".git/HEAD": ID, "app.py": "import flawless._options as o; print(o.find_release(None, {}))"})
        elsewhere = self.tree({})
        program = "import os, runpy, sys; os.chdir(sys.argv[2]); os.execv(sys.executable, [sys.executable, sys.argv[1]])"
        self.assertEqual(run(program, os.path.join(tree, "app.py"), str(elsewhere)).stdout, f"{ID}\n")


if __name__ == "__main__":
    unittest.main()
