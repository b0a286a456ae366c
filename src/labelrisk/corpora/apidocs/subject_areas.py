"""Which modules of the installed packages document which subject area."""

from __future__ import annotations

import importlib.util
import platform
import sysconfig
from importlib.metadata import version
from pathlib import Path

from labelrisk.corpora.apidocs.docstrings import Place
from labelrisk.errors import LabelRiskError

STANDARD_LIBRARY = "python"
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn"}  # where the package is not called as its import
# every class of these areas' packages has the same few methods (fit, predict, sample, forward): they tell nothing
WITHOUT_METHODS = ("graphs", "machine_learning", "statistics")

# area -> import name -> patterns under the package's folder; a file belongs to the first area that matches it
AREAS: dict[str, dict[str, tuple[str, ...]]] = {
    "linear_algebra": {
        "numpy": ("linalg/*.py",),
        "scipy": ("linalg/*.py", "sparse/*.py", "sparse/linalg/**/*.py"),
        "torch": ("linalg/*.py",),
        "sympy": ("matrices/**/*.py",),
    },
    "statistics": {
        STANDARD_LIBRARY: ("statistics.py", "random.py"),
        "scipy": ("stats/**/*.py",),
        "torch": ("distributions/*.py",),
    },
    "signal_processing": {
        "numpy": ("fft/*.py",),
        "scipy": ("signal/**/*.py", "fft/**/*.py", "ndimage/*.py"),
        "torch": ("fft/*.py", "signal/**/*.py"),
        "PIL": ("ImageChops.py", "ImageEnhance.py", "ImageFilter.py", "ImageOps.py", "ImageTransform.py"),
    },
    "machine_learning": {
        "sklearn": ("*.py", "[!cu]*/**/*.py", "c[!a]*/**/*.py"),  # all but callback and utils
        "torch": ("nn/*.py", "nn/attention/*.py", "nn/modules/*.py", "nn/utils/*.py", "optim/*.py"),
    },
    "data_frames": {
        "pandas": (
            *(f"core/{name}.py" for name in ("base", "frame", "generic", "indexing", "resample", "series")),
            *(f"core/arrays/{name}.py" for name in ("categorical", "datetimes", "interval", "period", "timedeltas")),
            *(f"core/{name}/*.py" for name in ("groupby", "indexes", "reshape", "strings", "tools", "window")),
        ),
    },
    "plotting": {
        # the rest of matplotlib is about fonts, TeX, coordinates and other tools of drawing
        "matplotlib": (
            *("pyplot.py", "figure.py", "gridspec.py", "axes/*.py", "axis.py", "projections/*.py", "spines.py"),
            *("artist.py", "collections.py", "image.py", "lines.py", "markers.py", "patches.py", "text.py", "tri/*.py"),
            *("colorbar.py", "colors.py", "contour.py", "legend.py", "quiver.py", "sankey.py", "scale.py", "ticker.py"),
            *("animation.py", "backend_bases.py", "container.py", "offsetbox.py", "table.py", "widgets.py"),
        ),
    },
    "graphs": {
        "networkx": ("algorithms/**/*.py", "classes/*.py", "generators/*.py", "linalg/*.py"),
        "scipy": ("sparse/csgraph/*.py",),
    },
    "files": {
        STANDARD_LIBRARY: (
            *("pathlib.py", "pathlib/*.py", "os.py", "posixpath.py", "ntpath.py", "genericpath.py", "shutil.py"),
            *("tempfile.py", "glob.py", "fnmatch.py", "fileinput.py", "filecmp.py", "_pyio.py"),
            *("zipfile.py", "zipfile/*.py", "tarfile.py", "gzip.py", "bz2.py", "lzma.py"),
        ),
        # what fsspec does over a network would fit two areas
        "fsspec": (
            *("archive.py", "compression.py", "core.py", "generic.py", "mapping.py", "spec.py", "transaction.py"),
            *(f"implementations/{name}.py" for name in ("cached", "dirfs", "local", "memory", "tar", "zip")),
        ),
    },
    "networking": {
        STANDARD_LIBRARY: (
            *("http/*.py", "urllib/*.py", "xmlrpc/*.py", "wsgiref/*.py", "socket.py", "socketserver.py", "ssl.py"),
            *("ftplib.py", "smtplib.py", "imaplib.py", "poplib.py", "ipaddress.py"),
        ),
        "aiohttp": ("**/*.py",),
        "requests": ("**/*.py",),
        "urllib3": ("**/*.py",),
        "yarl": ("**/*.py",),
    },
    "concurrency": {
        STANDARD_LIBRARY: (
            # asyncio's streams, transports and protocols would fit networking as well
            *(f"asyncio/{name}.py" for name in ("base_events", "base_subprocess", "events", "futures", "locks")),
            *(f"asyncio/{name}.py" for name in ("queues", "runners", "taskgroups", "tasks", "threads", "timeouts")),
            *("concurrent/**/*.py", "multiprocessing/**/*.py", "threading.py", "queue.py", "sched.py", "subprocess.py"),
        ),
        "anyio": (
            *("from_thread.py", "lowlevel.py", "to_interpreter.py", "to_process.py", "to_thread.py", "abc/_tasks.py"),
            *(f"_core/_{name}.py" for name in ("eventloop", "subprocesses", "synchronization", "tasks")),
        ),
        "joblib": ("executor.py", "parallel.py", "pool.py", "_parallel_backends.py"),
    },
}


def places() -> list[Place]:
    """All places of all areas, on this machine.

    Raises LabelRiskError where a package is not installed.
    """
    return [
        Place(area, _folder(name), patterns, area not in WITHOUT_METHODS, DISTRIBUTIONS.get(name, name))
        for area, packages in AREAS.items()
        for name, patterns in packages.items()
    ]


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that are read, by name."""
    packages = {name for area in AREAS.values() for name in area} - {STANDARD_LIBRARY}
    named = sorted(DISTRIBUTIONS.get(name, name) for name in packages)
    return {STANDARD_LIBRARY: platform.python_version()} | {name: version(name) for name in named}


def _folder(package: str) -> Path:
    """The folder of an installed package; it is found, not imported."""
    if package == STANDARD_LIBRARY:
        return Path(sysconfig.get_path("stdlib"))
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        name = DISTRIBUTIONS.get(package, package)
        raise LabelRiskError(
            f"the corpus 'apidocs' reads the package '{name}', which is not installed; install it (`make setup` in a "
            "checkout)"
        )
    return Path(spec.origin).parent
