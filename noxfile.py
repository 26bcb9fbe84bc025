"""Every check of this repository; `nox` runs all that CI runs.

`requirements.txt` constrains every installation, so environments are the same everywhere.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import nox
import nox.virtualenv

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests", "backend", "house", "alone", "pipeline"]

ROOT = Path(__file__).resolve().parent
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
LIGHT = {"agri-annotate", "agri-classify", "agri-core", "agri-data", "agri-map"}
# Modules that need an extra, so that the package alone cannot import them.
WITH_EXTRA = {"agri-classify": "agri_classify.training."}
HEAVY_MODULES = ("torch", "tensorflow", "lightning", "keras")
PINNED = {
    "UV_CONSTRAINT": str(ROOT / "requirements.txt"),
    "UV_BUILD_CONSTRAINT": str(ROOT / "requirements.txt"),
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "MPLBACKEND": "Agg", "DVC_NO_ANALYTICS": "1"}
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    if not module.name.startswith(tuple(sys.argv[2:])):
        importlib.import_module(module.name)
"""
RESULTS = {
    "groups": "reports/cluster/page/report.html",
    "map": "data/map/*.tif",
    "polygons": "data/map/*.gpkg",
    "table": "reports/*/table.md",
    "areas": "reports/map/*.csv",
    "pictures": "reports/*/*.png",
    "drawings": "reports/annotate/report.html",
}


def pyproject(package: str) -> dict[str, Any]:
    """Return the contents of a package's pyproject.toml, or with "." of the root's."""
    folder = ROOT if package == "." else ROOT / "packages" / package
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def project(package: str) -> dict[str, Any]:
    """Return the `[project]` table of `package`."""
    table: dict[str, Any] = pyproject(package)["project"]
    return table


def test_needs(*packages: str) -> list[str]:
    """Return what the tests of `packages` need: the dependency groups `test`, theirs and ours."""
    groups = (pyproject(name).get("dependency-groups", {}) for name in (".", *packages))
    return sorted({need for group in groups for need in group.get("test", [])})


def editable(*packages: str) -> list[str]:
    """Return installer arguments for `packages`, each editable and with all its extras."""
    arguments = []
    for package in packages:
        extras = ",".join(project(package).get("optional-dependencies", {}))
        arguments += ["-e", f"packages/{package}[{extras}]" if extras else f"packages/{package}"]
    return arguments


def examples(package: str) -> list[str]:
    """Return the modules of `package` whose docstrings hold examples; tests run these as well."""
    modules = sorted((ROOT / "packages" / package / "src").rglob("*.py"))
    found = (path for path in modules if ">>> " in path.read_text(encoding="utf-8"))
    return [str(path.relative_to(ROOT)) for path in found]


def tools() -> list[str]:
    """Return the tools of requirements.in, but for nox, which must not change while it runs."""
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "nox"))]


def install_everything(session: nox.Session) -> None:
    """Install all packages and tools into the session's environment."""
    session.install(*editable(*PACKAGES), *tools(), *test_needs(*PACKAGES), env=PINNED)


@nox.session
def lint(session: nox.Session) -> None:
    """Rules and format of all code; `-- --fix` mends what can be mended."""
    session.install("ruff", env=PINNED)
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []))
    session.run("ruff", "format", *([] if fix else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of each package's source, strictly."""
    install_everything(session)
    session.run("mypy", "--strict", *(f"packages/{package}/src" for package in PACKAGES))


@nox.session
@nox.parametrize("package", PACKAGES, ids=PACKAGES)
def tests(session: nox.Session, package: str) -> None:
    """Test one package where only it, its siblings and its extras are installed."""
    session.install(*editable(package), *test_needs(package), env=PINNED)
    where = [f"packages/{package}/tests", *examples(package)]
    session.run("pytest", "--doctest-modules", *where, *session.posargs, env=OFFLINE)


@nox.session
def backend(session: nox.Session) -> None:
    """Test agri-cluster on torch, the other framework beneath Keras."""
    session.install(*editable("agri-cluster"), *test_needs("agri-cluster"), env=PINNED)
    settings = {**OFFLINE, "KERAS_BACKEND": "torch"}
    session.run("pytest", "packages/agri-cluster/tests", *session.posargs, env=settings)


@nox.session
def house(session: nox.Session) -> None:
    """Test what crosses packages: imports, versions, documents, parameters, safety."""
    install_everything(session)
    session.run("pytest", "tests", *session.posargs, env=OFFLINE)


@nox.session
def alone(session: nox.Session) -> None:
    """Install each package alone from built wheels and start it in an empty folder."""
    chosen = session.posargs or PACKAGES
    with tempfile.TemporaryDirectory(prefix="agri-alone-") as folder:
        wheels = Path(folder, "wheels")
        session.run("uv", "build", "--all-packages", "--wheel", "-q", "-o", str(wheels), env=PINNED)
        for package in chosen:
            try_alone(session, package, wheels, Path(folder, package))


def try_alone(session: nox.Session, package: str, wheels: Path, folder: Path) -> None:
    """Install `package` from `wheels` in `folder`, import all of it, start its commands there."""
    python, empty = folder / "env/bin/python", folder / "empty"
    empty.mkdir(parents=True)
    session.run("uv", "venv", "-q", "--python", sys.executable, str(folder / "env"))
    (wheel,) = wheels.glob(f"{package.replace('-', '_')}-*.whl")
    refresh = [argument for name in PACKAGES for argument in ("--refresh-package", name)]
    source = ["--no-sources", "--find-links", str(wheels), *refresh]
    install = ["uv", "pip", "install", "-q", "--python", str(python), *source, str(wheel)]
    with session.chdir(empty):
        session.run(*install, env=PINNED)
        skipped = [WITH_EXTRA[package]] if package in WITH_EXTRA else []
        names = (package.replace("-", "_"), *skipped)
        session.run(str(python), "-I", "-c", IMPORT_ALL, *names, external=True)
        for script in project(package).get("scripts", {}):
            session.run(str(python.parent / script), "--help", silent=True, external=True)
    if package in LIGHT:
        found = [m for m in HEAVY_MODULES if list(folder.glob(f"env/lib/*/site-packages/{m}"))]
        if found:
            session.error(f"{package} must stay light, but it installs {', '.join(found)}")
    shutil.rmtree(folder)


@nox.session
def pipeline(session: nox.Session) -> None:
    """Run the pipeline, small, in a copy of this repository; a second run has nothing to do.

    Experiments are tried before it, where DVC's cache is empty as in a new clone, and after it.
    """
    install_everything(session)
    with tempfile.TemporaryDirectory(prefix="agri-pipeline-") as folder:
        clone = Path(folder, "clone")
        copy_repository(session, clone)
        settings = {**OFFLINE, "DVC_SITE_CACHE_DIR": str(Path(folder, "site"))}
        with session.chdir(clone):
            check_new_clone(session, settings)
            session.run("dvc", "exp", "run", *small_parameters(), env=settings)
            commit_all(session, "small run")
            check_second_run(session, clone, settings)
            check_encoder(session, settings)
            session.run("dvc", "metrics", "show", env=settings)
            session.run("dvc", "metrics", "diff", "HEAD~1", silent=True, env=settings)
            if "failed" in draw_plots(session, settings, "show"):
                session.error("`dvc plots show` could not load all plots of a finished run")
            draw_plots(session, settings, "diff", "HEAD~1")
        if not list(clone.glob(RESULTS["map"])):
            session.error(f"the pipeline ended without a map: nothing matches {RESULTS['map']}")


def check_new_clone(session: nox.Session, settings: dict[str, str]) -> None:
    """Fail unless experiments are kept, and plots drawn, where DVC's cache holds nothing."""
    draw_plots(session, settings, "show")
    scenes = ("-S", "scenes.size=128", "-S", "scenes.places=1", "scenes")
    for name, how in {"here": (), "apart": ("--temp",)}.items():
        session.run("dvc", "exp", "run", *how, "-n", name, *scenes, env=settings)
        check_listed(session, settings, name)
    draw_plots(session, settings, "diff", "HEAD")
    session.run("git", "checkout", "-q", ".", external=True)


def check_encoder(session: nox.Session, settings: dict[str, str]) -> None:
    """Fail unless another encoder trains one model, and runs no stage but those after it."""
    encoder = ("-n", "inception", "-S", "unet.encoder=inceptionv3")
    said = session.run("dvc", "exp", "run", *encoder, silent=True, env=settings)
    ran = re.findall(r"^Running stage '(.+)'", str(said), re.M)
    if ran != ["train@unet", "compare", "map"]:
        session.error(f"another encoder of the U-Net ran the stages {', '.join(ran)}:\n{said}")
    check_listed(session, settings, "inception")


def check_listed(session: nox.Session, settings: dict[str, str], name: str) -> None:
    """Fail unless DVC lists the experiment `name`."""
    listed = session.run("dvc", "exp", "list", "--name-only", silent=True, env=settings)
    if name not in str(listed).split():
        session.error(f"the experiment {name} was not kept; `dvc exp list` says:\n{listed}")


def draw_plots(session: nox.Session, settings: dict[str, str], *how: str) -> str:
    """Return what `dvc plots` says; fail unless it writes a page with the curves that git holds."""
    page = Path("dvc_plots", "index.html")
    page.unlink(missing_ok=True)
    said = session.run("dvc", "plots", *how, silent=True, env=settings)
    if not page.is_file() or "models/plain/history.csv" not in page.read_text(encoding="utf-8"):
        session.error(f"`dvc plots {' '.join(how)}` drew no curves:\n{said}")
    return str(said)


def check_second_run(session: nox.Session, clone: Path, settings: dict[str, str]) -> None:
    """Fail unless a further `dvc repro` runs no stage and leaves dvc.lock as it is."""
    before = (clone / "dvc.lock").read_bytes()
    said = session.run("dvc", "repro", silent=True, env=settings)
    if "Data and pipelines are up to date" not in str(said):
        session.error(f"the second `dvc repro` still had work to do:\n{said}")
    if (clone / "dvc.lock").read_bytes() != before:
        session.error("the second `dvc repro` changed dvc.lock")


def copy_repository(session: nox.Session, target: Path) -> None:
    """Copy all files that git tracks or would track, changes included, into a new repository."""
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = session.run(*listing, silent=True, external=True)
    for name in sorted(set(str(names).split("\0")) - {""}):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    with session.chdir(target):
        session.run("git", "init", "-q", external=True)
        commit_all(session, "working tree")


def commit_all(session: nox.Session, message: str) -> None:
    """Commit everything in the current folder under a name of no one."""
    identity = ("-c", "user.name=nox", "-c", "user.email=nox@localhost")
    session.run("git", "add", "-A", external=True)
    commit = ("commit", "-q", "--allow-empty", "--no-verify", "-m", message)
    session.run("git", *identity, *commit, external=True)


def small_parameters() -> list[str]:
    """Return the `-S` overrides of tests/small.txt, one `section.key=value` a line."""
    lines = (ROOT / "tests" / "small.txt").read_text(encoding="utf-8").splitlines()
    overrides = [line for line in lines if line and not line.startswith("#")]
    return [argument for override in overrides for argument in ("-S", override)]


@nox.session
def docs(session: nox.Session) -> None:
    """Write the reference of all public names into build/api, from their docstrings."""
    install_everything(session)
    names = (package.replace("-", "_") for package in PACKAGES)
    session.run("pdoc", "-o", "build/api", "-d", "google", *names, env=OFFLINE)
    session.run("python", "docs/api.py", "--write")


@nox.session(venv_backend="none")
def example(session: nox.Session) -> None:
    """Install everything into .venv, run the whole pipeline and say where its results are."""
    bin_folder = ROOT / ".venv" / "bin"
    uv = nox.virtualenv.UV
    if not bin_folder.exists():
        session.run(uv, "venv", "-q", "--seed", str(ROOT / ".venv"), external=True)
    install = (uv, "pip", "install", "-q", "--python", str(bin_folder / "python"))
    session.log("installing all packages into .venv; the first time this fetches about 4 GB")
    needs = [*tools(), *test_needs(*PACKAGES)]
    session.run(*install, *editable(*PACKAGES), *needs, env=PINNED, external=True)
    path = os.pathsep.join((str(bin_folder), os.environ["PATH"]))
    session.run(str(bin_folder / "dvc"), "repro", env={**OFFLINE, "PATH": path}, external=True)
    for title, pattern in RESULTS.items():
        for found in sorted(ROOT.glob(pattern)):
            print(f"{title:>9}  {found.relative_to(ROOT)}")  # noqa: T201
    print("       go  . .venv/bin/activate")  # noqa: T201


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Run one benchmark, `-- NAME.py ARGUMENTS` (not part of CI); startup.py without a name."""
    install_everything(session)
    name, *arguments = session.posargs or ["startup.py"]
    session.run("python", str(Path("benchmarks", name)), *arguments)


@nox.session
def pins(session: nox.Session) -> None:
    """Renew requirements.txt; `-- --upgrade` takes the newest versions of everything."""
    sources = [f"packages/{package}/pyproject.toml" for package in PACKAGES]
    needs = session.create_tmp() + "/tests.in"
    Path(needs).write_text("\n".join(test_needs(*PACKAGES)), encoding="utf-8")
    own = [argument for package in PACKAGES for argument in ("--no-emit-package", package)]
    quiet = ["-q", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    header = ["--custom-compile-command", "nox -s pins"]
    how = ["--universal", "--python-version", "3.11", "--all-extras", "-o", "requirements.txt"]
    compile_pins = ("uv", "pip", "compile", *quiet, *header, *how, *own, *session.posargs)
    session.run(*compile_pins, "requirements.in", needs, *sources)
