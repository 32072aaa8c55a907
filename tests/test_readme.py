"""The commands in the README and in the guide for app developers print what these show."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.server import TOP, running_server

CURL = Path(__file__).with_name("curl.py")
README, GUIDE = TOP / "README.md", TOP / "docs/mobile.md"
MARK = "@@next command@@"


def console_commands(page: Path) -> list[tuple[str, str]]:
    """Return the commands of a page's console blocks with their expected output."""
    steps: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(), re.S | re.M):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    return [(command, "\n".join(printed)) for command, printed in steps]


def test_readme_is_short():
    assert len(README.read_text().splitlines()) <= 150
    assert len(console_commands(README)) > 10


def settings_for(page: Path) -> dict[str, str]:
    """Return the settings of the page's server: the guide needs Web Push, the README must run without any."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {"VAPID_PRIVATE_KEY": pem} if page == GUIDE else {}


@pytest.mark.parametrize("page", [README, GUIDE], ids=lambda page: page.stem)
def test_commands_print_the_shown_output(tmp_path, page):
    steps = console_commands(page)
    script = "\n".join(f"{command}\necho; echo '{MARK}'" for command, _printed in steps)
    if not shutil.which("curl"):
        script = f'curl() {{ "{sys.executable}" "{CURL}" "$@"; }}\n{script}'
    with running_server(tmp_path, ["load_demo"], **settings_for(page)) as address:
        script = script.replace("http://127.0.0.1:8000", address)
        ran = subprocess.run(["sh"], input=script, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    printed = [part.strip() for part in ran.stdout.split(MARK)]
    for (command, expected), got in zip(steps, printed, strict=False):
        pattern = ".*".join(re.escape(part) for part in expected.split("…"))
        assert re.fullmatch(pattern, got, re.S), f"$ {command}\n{got}\n{ran.stderr}"
    assert len(printed) == len(steps) + 1
