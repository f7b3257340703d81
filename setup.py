"""The C extension; all else stands in pyproject.toml. Where it cannot be built, NumPy counts alone."""

import sys
import sysconfig

from setuptools import Extension, setup

# Builds of Python without the interpreter's lock have no limited API yet.
HAS_LIMITED_API = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=[
        Extension(
            "dicecli.backends._native",
            ["dicecli/backends/_native.c"],
            optional=True,
            py_limited_api=HAS_LIMITED_API,
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if HAS_LIMITED_API else [],
            extra_compile_args=[] if sys.platform == "win32" else ["-O3"],
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if HAS_LIMITED_API else {},
)
