"""Reports the errors of a Python program to Flawless, which finds the line to blame and tells its author once.

    import flawless

    flawless.init()  # the address comes from FLAWLESS_DSN

    @flawless.wrap_function
    def nightly():
        ...

A server that is down, slow or refusing changes nothing for the program.
"""

from flawless import asgi, wsgi
from flawless._information import add_information, information
from flawless._options import InitError
from flawless._setup import close, flush, init, report_exception
from flawless._wrap import wrap_class, wrap_function

__all__ = [
    "InitError",
    "add_information",
    "asgi",
    "close",
    "flush",
    "information",
    "init",
    "report_exception",
    "wrap_class",
    "wrap_function",
    "wsgi",
]
