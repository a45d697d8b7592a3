"""The commit that is checked out in a directory, read from git's files: servers often have no git."""

import os
import re
from pathlib import Path
from typing import Optional

# `.git`, `HEAD` and references are lines; anything longer is something else.
POINTER_BYTES = 4096

# `packed-refs` of the largest repositories have a few hundred thousand lines; more is not worth a slow start.
PACKED_BYTES = 32 << 20

_ID = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")


def checked_out_at(directory: Path) -> Optional[str]:
    """The id of the commit that is checked out in the directory or the nearest one above it that is a work tree.

    None where there is none, before the first commit, and for what this does not read (reftables).
    """
    directory = Path(os.path.abspath(directory))
    for work_tree in (directory, *directory.parents):
        git = _git_directory(work_tree)
        if git is not None:
            return _head(git)
    return None


def _git_directory(work_tree: Path) -> Optional[Path]:
    """`.git`, or where the file `.git` points (linked work trees and submodules)."""
    git = work_tree / ".git"
    if git.is_dir():
        return git
    pointer = _pointer(git)
    if pointer is None or not pointer.startswith("gitdir:"):
        return None
    return work_tree / pointer[len("gitdir:") :].strip()


def _head(git: Path) -> Optional[str]:
    head = _pointer(git / "HEAD")
    if head is None:
        return None
    if not head.startswith("ref:"):
        return _id(head)
    reference = head[len("ref:") :].strip()
    # In a linked work tree, branches stand in the repository that it is linked to.
    linked = _pointer(git / "commondir")
    common = git / linked if linked is not None else git
    loose = _pointer(common / reference)
    return _id(loose) if loose is not None else _packed(common, reference)


def _packed(common: Path, reference: str) -> Optional[str]:
    for line in (_text(common / "packed-refs", PACKED_BYTES) or "").splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return _id(commit)
    return None


def _pointer(path: Path) -> Optional[str]:
    text = _text(path, POINTER_BYTES)
    return text.strip() if text is not None else None


def _text(path: Path, at_most: int) -> Optional[str]:
    try:
        with open(path, "rb") as file:
            return file.read(at_most).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None


def _id(text: str) -> Optional[str]:
    return text if _ID.fullmatch(text) else None
