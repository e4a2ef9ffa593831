"""The command-line tool itself: what it finds, what it says when something fails, what survives."""

import ast
import errno
import fcntl
import importlib.machinery
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]


def load_dev():
    """Return the command-line tool as a fresh module."""
    loader = importlib.machinery.SourceFileLoader("dev", str(ROOT / "dev"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dev", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def dev(tmp_path, monkeypatch):
    """The tool in an empty repository of its own, without any server of the environment."""
    module = load_dev()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "HOME", tmp_path / ".odoo")
    for name in [name for name in os.environ if name.startswith("PG")] + ["ODOO_HOME"]:
        monkeypatch.delenv(name, raising=False)
    module.HOME.mkdir()
    return module


@pytest.fixture
def with_venv(dev):
    """Lend the tool this run's Python environment, and with it PostgreSQL's programs."""
    (dev.HOME / "venv").symlink_to(Path(sys.prefix))


@pytest.fixture
def pg(dev, with_venv):
    """A database server of the tool's own."""
    with dev.postgres() as variables:
        yield variables


def copy_repository(target):
    """Copy what a set-up needs into a new repository."""
    shutil.copy(ROOT / "dev", target)
    shutil.copy(ROOT / "requirements.txt", target)


def run_python(dev, code, **options):
    """Start a Python process that has the tool of the test's repository as ``dev``."""
    prelude = (
        "import importlib.machinery, importlib.util, os, pathlib, sys, time\n"
        f"loader = importlib.machinery.SourceFileLoader('dev', {str(ROOT / 'dev')!r})\n"
        "spec = importlib.util.spec_from_loader('dev', loader)\n"
        "dev = importlib.util.module_from_spec(spec)\n"
        "loader.exec_module(dev)\n"
        f"dev.ROOT, dev.HOME = pathlib.Path({str(dev.ROOT)!r}), pathlib.Path({str(dev.HOME)!r})\n"
    )
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", prelude + code], **streams, **options)


def wait_until(condition, seconds=20):
    """Wait until a condition holds; fail if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def is_alive(pid):
    """Tell whether a process runs (a dead one that nobody has asked after does not)."""
    stat = Path("/proc", str(pid), "stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


# --- Python -------------------------------------------------------------------------------------


def test_an_old_python_can_read_the_tool():
    ast.parse((ROOT / "dev").read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("version", [(2, 7), (3, 9), (3, 14)])
def test_wrong_python(dev, monkeypatch, version):
    monkeypatch.setattr(dev.sys, "version_info", version)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(dev.Failure, match=r"This is Python .*needs 3.10 to 3.13: install one"):
        dev.choose_python()


def test_wrong_python_beside_a_right_one(dev, monkeypatch, tmp_path):
    taken = []
    for name, code in [("python3.13", 1), ("python3.12", 0)]:  # 3.13 here lacks venv.
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(dev.sys, "version_info", (3, 9))
    monkeypatch.setattr(dev.sys, "argv", ["dev", "test"])
    monkeypatch.setattr(dev.os, "execv", lambda *command: taken.append(command))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(dev.Failure):  # Only because this execv comes back.
        dev.choose_python()
    python = str(tmp_path / "python3.12")
    assert taken == [(python, [python, "dev", "test"])]


def test_python_without_venv(dev, monkeypatch):
    def step(title, command, log, **options):
        dev.log_path(log).write_text("ensurepip is not available")
        raise dev.Failure("it failed")

    monkeypatch.setattr(dev, "step", step)
    with pytest.raises(dev.Failure, match="apt-get install python3-venv"):
        dev.make_venv()


# --- Sentences ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "output",
    [
        "W: Failed to fetch http://x/ Temporary failure resolving 'deb.example'",
        "Err:1 http://x sid InRelease\n  Could not connect to x:80 (127.0.0.1)",
        "NewConnectionError: Failed to establish a new connection: [Errno -3]",
        "npm error code ENOTFOUND\nnpm error network request failed",
        "fatal: unable to access 'https://x/': Could not resolve host: x",
        "fatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
        "ReadTimeoutError: HTTPSConnectionPool: Read timed out.",
    ],
)
def test_no_network_is_told(dev, output):
    sentence = dev.explain("Odoo 19: download", output)
    assert re.match(r"Odoo 19: download: no network.* run the same command again", sentence)


@pytest.mark.parametrize(
    "output",
    [
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "npm error code ENOSPC",
        "could not extend file: No space left on device\nHINT: Check free disk space.",
    ],
)
def test_full_disk_is_told(dev, output):
    sentence = dev.explain("PostgreSQL", output)
    assert re.match(r"PostgreSQL: the disk is full. Free some space.* again", sentence)


def test_other_failure_is_told_with_its_last_line(dev):
    sentence = dev.explain("Odoo", "much\n\nKeyError: 'x'\n\n", "/a/log")
    assert sentence == "Odoo failed: KeyError: 'x' (the whole output is in /a/log)"


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "No right to use /x"),
        (ZeroDivisionError("division by zero"), "./dev itself has a fault"),
        (KeyboardInterrupt(), "carries on from here"),
    ],
)
def test_no_failure_shows_a_traceback(dev, monkeypatch, capsys, raised, words):
    def verb(arguments):
        raise raised

    monkeypatch.setitem(dev.VERBS, "test", verb)
    monkeypatch.setattr(dev.signal, "signal", lambda *args: None)
    assert dev.main(["test"]) in (1, 130)
    message = capsys.readouterr().err
    assert words in message
    assert "Traceback" not in message
    assert len(message.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [["fly"], ["run", "--fast"], ["pot", "x"], ["db", "a b"]])
def test_wrong_arguments(arguments):
    result = subprocess.run([ROOT / "dev", *arguments], capture_output=True, text=True)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1


def test_help_names_every_verb():
    text = subprocess.run([ROOT / "dev"], capture_output=True, text=True).stdout
    for verb in ("run", "test", "odoo", "db", "lint", "bench", "pot", "shots"):
        assert f"./dev {verb}" in text


# --- Network, disk, ports -----------------------------------------------------------------------


def test_set_up_without_network(tmp_path):
    copy_repository(tmp_path)
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    command = [sys.executable, tmp_path / "dev", "run"]
    result = subprocess.run(command, env=env, capture_output=True, text=True)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Python packages: download: no network")
    assert not (tmp_path / ".odoo/venv/stamp").exists()


def test_neither_debian_nor_git_answer(dev, monkeypatch, capsys):
    (dev.HOME / "odoo.part").mkdir()
    (dev.HOME / "odoo.part/half").touch()
    source = "Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: sid\nComponents: main\n"
    monkeypatch.setattr(dev, "find_debian_source", lambda folder: source)
    monkeypatch.setattr(dev, "ODOO_GIT", "http://127.0.0.1:9/odoo")
    with pytest.raises(dev.Failure, match="no network"):
        dev.find_odoo()
    assert "taking Odoo's git branch 19.0" in capsys.readouterr().err
    assert not (dev.HOME / "odoo").exists()


def make_git_odoo(folder, release="version_info = (19, 0, 0, FINAL, 0, '')"):
    """Make a folder that looks like a checkout of Odoo."""
    (folder / "odoo").mkdir(parents=True)
    (folder / "odoo-bin").touch()
    (folder / "odoo/release.py").write_text(release)


def test_git_takes_the_place_of_debian(dev, monkeypatch, tmp_path):
    origin = tmp_path / "origin"
    make_git_odoo(origin)
    git = ["git", "-C", origin, "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for arguments in (["init", "-qb", "19.0"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], check=True)
    monkeypatch.setattr(dev, "find_debian_source", lambda folder: None)
    monkeypatch.setattr(dev, "ODOO_GIT", origin.as_uri())
    (dev.HOME / "odoo.part").mkdir()  # of a run that was killed
    assert dev.find_odoo().script == dev.HOME / "odoo/odoo-bin"
    assert not (dev.HOME / "odoo.part").exists()


def test_full_disk_before_the_set_up(dev, monkeypatch):
    usage = SimpleNamespace(free=dev.DISK_NEEDED - 1)
    monkeypatch.setattr(dev.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(dev.Failure, match=r"Only 4.0 GB are free .* needs 4 GB"):
        dev.make_venv()
    assert not (dev.HOME / "venv").exists()


def test_full_disk_while_downloading_odoo(dev, monkeypatch):
    """Git, which needs more space, is not tried then."""
    monkeypatch.setattr(dev, "find_debian_source", lambda folder: "x")
    full = ["sh", "-c", "echo 'E: write error: No space left on device'; exit 100"]
    monkeypatch.setattr(dev, "apt_get", lambda *arguments: full)
    with pytest.raises(dev.Failure, match="the disk is full"):
        dev.find_odoo()


def test_taken_port(dev):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert dev.free_port(port) > port


def test_all_ports_taken(dev, monkeypatch):
    class Taken(socket.socket):
        def bind(self, address):
            raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(dev.socket, "socket", Taken)
    with pytest.raises(dev.Failure, match="8069 to 8168 are all taken"):
        dev.free_port(8069)


def test_port_taken_between_look_and_start(dev, monkeypatch):
    tried = []

    def serve(pg, odoo, database, port):
        tried.append(port)
        if len(tried) == 1:
            dev.log_path(f"server-{port}").write_text("OSError: Address already in use")
            raise dev.Failure("it ended")
        return "server"

    monkeypatch.setattr(dev, "need_demo_database", lambda pg, odoo: None)
    monkeypatch.setattr(dev, "serve", serve)
    assert dev.start_demo({}, None) == ("server", tried[-1])
    assert len(tried) == 2


def test_server_that_ends_at_once(dev, with_venv, monkeypatch):
    monkeypatch.setattr(dev, "environment", lambda pg, odoo: dict(os.environ))
    script = dev.ROOT / "odoo-bin"
    script.write_text("raise SystemExit('no such database')")
    with pytest.raises(dev.Failure, match="The server failed: no such database"):
        dev.serve({}, SimpleNamespace(script=script), "x", dev.free_port())


# --- Killed in the middle -----------------------------------------------------------------------


def test_python_packages_are_ready_only_when_all_are_there(dev, monkeypatch):
    steps = []

    def step(title, command, log, **options):
        steps.append(title)
        assert not dev.venv_ready()
        if title == broken:
            raise dev.Failure("killed")
        (dev.HOME / "venv/bin").mkdir(parents=True, exist_ok=True)
        (dev.HOME / "venv/bin/python").touch()
        (dev.HOME / "wheels").mkdir(exist_ok=True)

    monkeypatch.setattr(dev, "step", step)
    for broken in ("Python packages: download", "Python packages: install"):  # noqa: B007
        with pytest.raises(dev.Failure):
            dev.make_venv()
        assert not dev.venv_ready()
    broken = None
    dev.make_venv()
    assert dev.venv_ready()
    steps.clear()
    (dev.ROOT / "requirements.txt").write_text("more")
    assert not dev.venv_ready()
    dev.make_venv()
    assert steps == ["Python packages: download", "Python packages: install"]
    broken = "Python packages: install"
    (dev.ROOT / "requirements.txt").write_text("even more")
    with pytest.raises(dev.Failure):
        dev.make_venv()
    (dev.ROOT / "requirements.txt").write_text("more")
    assert not dev.venv_ready(), "some packages are already those of the other list"


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_a_step_ends_with_the_tool(dev, tmp_path, death):
    pid_file = tmp_path / "pid"
    code = (
        "import signal\n"
        "signal.signal(signal.SIGTERM, dev.terminate)\n"
        f"dev.step('Sleep', ['sh', '-c', 'echo $$ > {pid_file}; exec sleep 60'], 'sleep')\n"
    )
    process = run_python(dev, code)
    wait_until(lambda: pid_file.exists() and pid_file.read_text().strip())
    pid = int(pid_file.read_text())
    assert is_alive(pid)
    process.send_signal(death)
    process.communicate()
    assert process.returncode in (-signal.SIGKILL, 128 + signal.SIGTERM)
    wait_until(lambda: not is_alive(pid))


def test_half_made_cluster(dev, with_venv):
    (dev.HOME / "pg.part").mkdir()
    (dev.HOME / "pg.part/PG_VERSION").write_text("18")
    with dev.postgres() as pg:
        assert dev.sql(pg, "SELECT 'ПРИВІТ' ILIKE 'привіт'") == "t"
    assert not (dev.HOME / "pg.part").exists()


def test_database_server_after_a_killed_user(dev, with_venv):
    code = "with dev.postgres():\n    print('up', flush=True)\n    time.sleep(60)\n"
    killed = run_python(dev, code)
    assert killed.stdout.readline() == "up\n"
    killed.kill()
    killed.communicate()
    server = int((dev.HOME / "pg/postmaster.pid").read_text().split()[0])
    assert is_alive(server)
    with dev.postgres() as pg:
        assert dev.sql(pg, "SELECT 1") == "1"
    wait_until(lambda: not is_alive(server))


@pytest.fixture
def addon(dev, monkeypatch):
    """One addon, and a false Odoo that notes what it is asked to install."""
    fake = SimpleNamespace(folder=dev.ROOT / "crm_x", installed=[], broken=False)
    for name in ("models", "tests", "static", "i18n"):
        (fake.folder / name).mkdir(parents=True)
        (fake.folder / name / "file").write_text("old")
    (fake.folder / "__manifest__.py").write_text("{'depends': ['crm', 'base']}")

    def install(pg, odoo, database, modules, demo, title, log):
        fake.installed.append(list(modules))
        for module in modules:
            dev.sql(pg, f"CREATE TABLE {module} ()", database)
        dev.filestore(database).mkdir(parents=True, exist_ok=True)
        (dev.filestore(database) / modules[-1]).touch()
        if fake.broken:
            raise dev.Failure("killed")

    monkeypatch.setattr(dev, "install", install)
    return fake


ODOO = SimpleNamespace(key=lambda: "19")


def test_a_change_installs_only_ours_again(dev, pg, addon):
    first = dev.need_template(pg, ODOO, False, ["crm_x"])
    assert addon.installed == [["base", "crm"], ["crm_x"]]
    assert dev.need_template(pg, ODOO, False, ["crm_x"]) == first
    for folder in ("tests", "static", "i18n"):
        (addon.folder / folder / "file").write_text("new")
    assert dev.need_template(pg, ODOO, False, ["crm_x"]) == first
    assert len(addon.installed) == 2
    (addon.folder / "models/file").write_text("new")
    second = dev.need_template(pg, ODOO, False, ["crm_x"])
    assert second != first
    assert addon.installed[2:] == [["crm_x"]]
    assert first not in dev.databases(pg, "%")
    assert sorted(path.name for path in dev.filestore(second).iterdir()) == ["crm", "crm_x"]


def test_a_half_made_template_is_made_anew(dev, pg, addon):
    addon.broken = True
    with pytest.raises(dev.Failure):
        dev.need_template(pg, ODOO, False)
    addon.broken = False
    name = dev.need_template(pg, ODOO, False)
    assert dev.sql(pg, "SELECT count(*) FROM pg_tables WHERE tablename = 'crm'", name) == "1"


def test_scratch_databases_of_the_dead_are_swept_up(dev, pg, monkeypatch):
    dead = subprocess.Popen(["true"])
    dead.wait()
    pid = os.getpid()
    living = f"crm_wholesale_test_{pid}"
    monkeypatch.setattr(dev.os, "getpid", lambda: pid // 10)
    left = f"crm_wholesale_test_{dead.pid}"
    for name in (living, left, left + "-gw1"):
        dev.copy_database(pg, None, name)
    with dev.scratch_database(pg, "template1", "test") as name:
        assert living.startswith(name)
        dev.copy_database(pg, name, name + "-gw0")
        assert set(dev.databases(pg, "crm%")) == {name, name + "-gw0", living}
    assert dev.databases(pg, "crm%") == [living]


# --- Two at once --------------------------------------------------------------------------------


def test_two_runs_make_a_thing_once(dev):
    code = (
        "made = dev.HOME / 'made'\n"
        "def make():\n"
        "    time.sleep(1)\n"
        "    with (dev.HOME / 'count').open('a') as file: file.write('x')\n"
        "    made.touch()\n"
        "dev.once('thing', made.exists, make)\n"
    )
    runs = [run_python(dev, code) for _ in range(2)]
    messages = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert (dev.HOME / "count").read_text() == "x"
    assert sum("Waiting for another ./dev" in message for message in messages) == 1


def test_the_last_user_stops_the_database_server(dev, with_venv):
    use = "print(dev.sql(pg, 'SELECT 1'), flush=True); input()"
    code = f"with dev.postgres() as pg: {use}"
    runs = [run_python(dev, code, stdin=subprocess.PIPE) for _ in range(2)]
    assert [run.stdout.readline() for run in runs] == ["1\n", "1\n"]
    server = int((dev.HOME / "pg/postmaster.pid").read_text().split()[0])
    runs[0].communicate("\n")
    assert is_alive(server)
    runs[1].communicate("\n")
    assert [run.returncode for run in runs] == [0, 0]
    wait_until(lambda: not is_alive(server))


def test_a_second_run_points_to_the_first(dev, capsys):
    with (dev.HOME / "run.lock").open("a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        (dev.HOME / "run.address").write_text("http://127.0.0.1:8070")
        assert dev.verb_run([]) == 0
    assert "already serving http://127.0.0.1:8070" in capsys.readouterr().err


# --- What is already there ----------------------------------------------------------------------

DEBIAN = "Types: deb\nURIs: {}\nSuites: sid\nComponents: main\n{}"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "sources.list.d/debian.sources",
            "# a comment\nTypes: deb\nURIs: http://security.example/debian-security\nSuites: x\n"
            "Components: main\n\nTypes: deb\nURIs: http://mirror.example/debian/\nSuites: stable\n"
            "Components: main contrib\nSigned-By: /usr/share/keyrings/k.gpg\n",
            ("http://mirror.example/debian/", "Signed-By: /usr/share/keyrings/k.gpg\n"),
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb deb-src\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: x\n"
            "Components: main\nSigned-By:\n -----BEGIN PGP-----\n .\n abc\n",
            (
                "mirror+file:///etc/apt/mirrors/debian.list",
                "Signed-By: -----BEGIN PGP-----\n .\n abc\n",
            ),
        ),
        (
            "sources.list",
            "# deb http://old.example/debian x main\ndeb-src http://src.example/debian x main\n"
            "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian stable main\n",
            ("http://mirror.example/debian", "Signed-By: /k.gpg\n"),
        ),
        ("sources.list", "deb http://mirror.example/debian stable main\n", None),
        (
            "sources.list.d/vendor.sources",
            "Types: deb\nURIs: https://vendor.example/apt\nSuites: x\nComponents: main\n\n"
            "Types: deb\nURIs: http://x/debian\nSuites: x\nComponents: main\nEnabled: no\n",
            False,
        ),
        ("sources.list", "deb http://mirror.example/ubuntu noble main\n", False),
    ],
)
def test_debian_mirror_of_the_machine(dev, tmp_path, file, text, expected):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / file).write_text(text)
    if expected is None:
        expected = ("http://mirror.example/debian", "")
    assert dev.find_debian_source(tmp_path) == (DEBIAN.format(*expected) if expected else None)


def test_odoo_home_with_git(dev, monkeypatch, tmp_path):
    make_git_odoo(tmp_path / "checkout")
    monkeypatch.setenv("ODOO_HOME", str(tmp_path / "checkout"))
    odoo = dev.find_odoo()
    assert (odoo.script, odoo.path) == (
        tmp_path / "checkout/odoo-bin",
        tmp_path / "checkout",
    )


@pytest.mark.parametrize(
    ("release", "words"),
    [(None, "holds no Odoo"), ("version_info = (18, 0, 0", "another version than Odoo 19.0")],
)
def test_odoo_home_without_odoo_19(dev, monkeypatch, tmp_path, release, words):
    (tmp_path / "checkout").mkdir()
    if release:
        make_git_odoo(tmp_path / "checkout/a", release)
    monkeypatch.setenv("ODOO_HOME", str(tmp_path / "checkout/a" if release else tmp_path))
    with pytest.raises(dev.Failure, match=f"{words}.* ODOO_HOME, or unset it"):
        dev.find_odoo()


def test_database_server_of_the_environment(dev, pg, monkeypatch):
    for name, value in pg.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGDATABASE", "other")
    with dev.postgres() as variables:
        assert variables == pg
    assert dev.sql(pg, "SELECT 1") == "1", "it was stopped, but is not ours to stop"


def test_database_server_that_does_not_answer(dev, with_venv, monkeypatch):
    monkeypatch.setenv("PGHOST", str(dev.ROOT))
    with pytest.raises(dev.Failure, match=r"PG\* variables name does not"), dev.postgres():
        pass


def test_role_that_odoo_refuses(dev, monkeypatch):
    monkeypatch.setenv("PGHOST", "localhost")
    monkeypatch.setenv("PGUSER", "postgres")
    with pytest.raises(dev.Failure, match="set PGUSER to another role"), dev.postgres():
        pass


def test_too_long_path(dev, monkeypatch):
    monkeypatch.setattr(dev, "HOME", dev.HOME / ("x" * 100))
    with pytest.raises(dev.Failure, match="too long for PostgreSQL's socket"):
        dev.make_cluster()


@pytest.mark.parametrize("there", ["system", "playwright", "debian", "nowhere"])
def test_where_chromium_comes_from(dev, monkeypatch, capsys, there):
    """The system's, else Playwright's, else Debian's after saying so, else one sentence."""
    asked, found = [], {"system"}
    monkeypatch.setattr(dev, "find_browser", lambda: "chromium" if there in found else None)

    def get_playwright_browser():
        asked.append("playwright")
        found.add("playwright")

    def step(title, command, *arguments, **options):
        asked.append(command[0])
        found.add("debian")

    monkeypatch.setattr(dev, "get_playwright_browser", get_playwright_browser)
    monkeypatch.setattr(dev.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(dev, "works", lambda command: there == "debian")
    monkeypatch.setattr(dev.shutil, "which", lambda *args, **options: "/usr/bin/apt-get")
    monkeypatch.setattr(dev, "step", step)
    if there == "nowhere":
        with pytest.raises(dev.Failure, match=r"run 'apt-get install chromium' as root.*--no-brow"):
            dev.need_browser()
    else:
        assert dev.need_browser() == "chromium"
    said = "for the whole machine" in capsys.readouterr().err
    assert said == (there == "debian")
    expected = {"system": [], "debian": ["playwright", "sudo"]}
    assert asked == expected.get(there, ["playwright"])


# --- What the test run itself guards ------------------------------------------------------------

GUARDED = """
import logging, unittest

class Test(unittest.TestCase):
    def test_skip(self):
        self.skipTest("%s")

    def test_complaint(self):
        logging.getLogger("odoo.addons.x").warning("It is broken")

    def test_expected_complaint(self):
        with self.assertLogs("odoo.addons.x", "WARNING"):
            logging.getLogger("odoo.addons.x").warning("It is broken")
"""


@pytest.mark.parametrize(
    ("reason", "options", "outcome"),
    [
        ("Chrome executable not found", [], "2 failed, 1 passed"),
        ("Chrome executable not found", ["--no-browser"], "1 failed, 1 passed, 1 skipped"),
        ("not today", ["--no-browser"], "2 failed, 1 passed"),
    ],
)
def test_skips_and_complaints_fail(tmp_path, reason, options, outcome):
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(GUARDED % reason)
    command = [sys.executable, "-m", "pytest", "-p", "no:odoo", *options, tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 1
    assert outcome in result.stdout.splitlines()[-1]
    assert "Odoo's log complains:\nWARNING odoo.addons.x: It is broken" in result.stdout


def test_complaints_in_a_log(dev):
    log = (
        "2026-11-23 10:00:00,123 42 INFO db odoo.modules: fine\n"
        "2026-11-23 10:00:00,124 42 WARNING db odoo.addons.crm_x.models: Two fields\n"
        "Traceback (most recent call last):\n"
        "2026-11-23 10:00:00,125 42 ERROR ? odoo.sql_db: bad query\n"
    )
    assert dev.complaints(log) == [
        "WARNING odoo.addons.crm_x.models: Two fields",
        "ERROR odoo.sql_db: bad query",
    ]


def test_installing_our_addons_writes_no_complaint(dev):
    log = Path(os.environ["INSTALL_LOG"]).read_text()
    assert "odoo.modules.loading" in log
    assert dev.complaints(log) == []
