"""The files in deploy/ are valid, and name settings and metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
# Suffixes that Prometheus adds to the name of a histogram.
HISTOGRAM_SUFFIX = re.compile(r"_(bucket|count|sum)$")


def test_alerts_and_dashboard_name_existing_metrics():
    sources = "".join(path.read_text() for path in (ROOT / "core").rglob("*.py"))
    existing = set(re.findall(r'"(bookbridge_[a-z_]+)"', sources))
    for file in (DEPLOY / "prometheus/alerts.yml", DEPLOY / "grafana/bookbridge.json"):
        named = {HISTOGRAM_SUFFIX.sub("", name) for name in re.findall(r"bookbridge_[a-z_]+", file.read_text())}
        assert named
        assert named - existing == set()


def test_every_alert_is_explained():
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"][0]["rules"]
    explained = re.findall(r"^\| `(BookBridge\w+)` \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert sorted(rule["alert"] for rule in rules) == sorted(explained)


def test_dashboard_is_json_with_distinct_panels():
    panels = json.loads((DEPLOY / "grafana/bookbridge.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 5


def test_settings_of_the_examples_are_documented():
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs/settings.md").read_text()))
    example = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    compose = set(yaml.safe_load((DEPLOY / "compose.yaml").read_text())["x-app"]["environment"])
    assert (example | compose) - documented == set()


def test_manage_reads_the_settings_literally(tmp_path):
    settings = tmp_path / "env"
    settings.write_text('# a comment\nSECRET_KEY=$(touch x) "quoted" `y`\nAPP_URL=https://clubs.example.org\n')
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$SECRET_KEY" "$APP_URL" "$DEBUG" "$@"\n')
    python.chmod(0o755)
    # As a user that is not root; root switches to the user bookbridge.
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "BOOKBRIDGE_ENV": str(settings), "VENV": str(tmp_path / "venv")}
    printed = subprocess.run([DEPLOY / "manage", "check", "a b"], env=env, capture_output=True, text=True, check=True)
    assert printed.stdout.splitlines() == [
        '$(touch x) "quoted" `y`',
        "https://clubs.example.org",
        "off",
        "manage.py",
        "check",
        "a b",
    ]


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_accepts_its_configuration(tmp_path):
    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    files = ["-keyout", str(tmp_path / "tls.key"), "-out", str(tmp_path / "tls.crt")]
    subprocess.run([*key, *files], check=True, capture_output=True)
    (tmp_path / "bookbridge-upstream.conf").write_text("server 127.0.0.1:8000;\n")
    text = (DEPLOY / "nginx/bookbridge.conf").read_text()
    text = text.replace("/etc/bookbridge/", f"{tmp_path}/").replace("/etc/nginx/", f"{tmp_path}/")
    (tmp_path / "site.conf").write_text(text)
    main = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ include {tmp_path}/site.conf; }}"
    (tmp_path / "nginx.conf").write_text(main)
    tested = subprocess.run(["nginx", "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
