"""The files in deploy/ are valid, and name settings and metrics that exist."""

import http.client
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from tests.core.test_live_server import Live

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


def test_production_never_runs_manage_with_debug():
    """manage.py switches DEBUG on if it is not set."""
    assert "\nDEBUG=off\n" in (DEPLOY / ".env.example").read_text()
    assert re.search(r"^ENV .*\bDEBUG=off\b", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE | re.DOTALL)
    units = [unit.read_text() for unit in (DEPLOY / "systemd").glob("*.service")]
    units_running_manage = [unit for unit in units if "manage.py" in unit]
    assert len(units_running_manage) == 2
    assert all("\nEnvironment=DEBUG=off\n" in unit for unit in units_running_manage)


def test_image_and_repository_exclude_secrets_of_compose():
    assert "deploy" in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/deploy/.env", "/deploy/secrets/"} <= set(ignored)


def test_compose_mounts_files_that_exist_or_that_the_guide_creates():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    volumes = [volume for service in compose["services"].values() for volume in service.get("volumes", ())]
    files = [volume.partition(":")[0] for volume in volumes if volume.startswith("./")]
    assert files
    assert [file for file in files if not (DEPLOY / file).is_file()] == []
    guide = (ROOT / "docs/operations.md").read_text()
    secrets = [secret["file"] for secret in compose["secrets"].values()]
    assert secrets
    assert [file for file in secrets if Path(file).name not in guide] == []


def test_image_has_static_files_under_the_names_that_pages_use(tmp_path):
    """Run the commands of the Dockerfile in a copy of the files that it copies."""
    text = (DEPLOY / "Dockerfile").read_text()
    commands = re.search(r"(DEBUG=on /venv/bin/python .*?collectstatic [^\n]*) \\\n", text, re.DOTALL)
    assert commands
    left_out = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    app = tmp_path / "app"
    shutil.copytree(
        ROOT, app, ignore=shutil.ignore_patterns(*left_out, "__pycache__", "node_modules", "clients", "docs")
    )
    script = commands[1].replace("/venv/bin/python", sys.executable)
    env = {"PATH": os.environ["PATH"]}
    ran = subprocess.run(["sh", "-ec", script], cwd=app, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    names = json.loads((app / "static_root/staticfiles.json").read_text())["paths"]
    assert (app / "static_root" / names["core/favicon.svg"]).is_file()


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


def test_run_starts_a_command_in_the_release_that_gets_the_signals(tmp_path):
    (tmp_path / "env").write_text("EMAIL_FROM=BookBridge <noreply@example.org>\nPORT=8000\n")
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "BOOKBRIDGE_ENV": str(tmp_path / "env"), "DB_TIMEOUT": "60"}
    # As on the page, a second server has another port.
    command = ["env", "PORT=8001", "sh", "-c", 'printf "%s\\n" $$ "$PWD" "$EMAIL_FROM" "$DEBUG" $PORT $DB_TIMEOUT']
    with subprocess.Popen([DEPLOY / "run", *command], cwd="/", env=env, stdout=subprocess.PIPE, text=True) as run:
        printed = run.communicate()[0].splitlines()
    assert printed == [str(run.pid), str(ROOT), "BookBridge <noreply@example.org>", "off", "8001", "60"]


@pytest.mark.parametrize("line", ['EMAIL_FROM="BookBridge <a@example.org>"', "A='b'", "PASSWORD=a\\b", " PORT=8000"])
def test_manage_refuses_lines_that_systemd_reads_differently(tmp_path, line):
    settings = tmp_path / "env"
    settings.write_text(f"SECRET_KEY=x\n{line}\n")
    env = {"PATH": "/usr/bin:/bin", "BOOKBRIDGE_ENV": str(settings), "VENV": str(tmp_path)}
    ran = subprocess.run([DEPLOY / "manage", "check"], env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert line.partition("=")[0].strip() in ran.stderr


def write_nginx_configuration(directory, upstream, *, port):
    """Write the configuration with TLS files of its own; it listens on two ports from `port`."""
    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    files = ["-keyout", str(directory / "tls.key"), "-out", str(directory / "tls.crt")]
    subprocess.run([*key, *files], check=True, capture_output=True)
    (directory / "bookbridge-upstream.conf").write_text(f"server {upstream};\n")
    text = (DEPLOY / "nginx/bookbridge.conf").read_text()
    text = text.replace("/etc/bookbridge/", f"{directory}/").replace("/etc/nginx/", f"{directory}/")
    text = re.sub(r"listen \[::\].*", "", text).replace("/var/log/nginx/", f"{directory}/")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("listen 443", f"listen 127.0.0.1:{port + 1}")
    (directory / "site.conf").write_text(text)
    # Like the nginx.conf that distributions ship, which logs the whole URL.
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)
    http = f"access_log {directory}/access.log; {temporary} include {directory}/site.conf;"
    main = f"pid {directory}/pid; error_log stderr; events {{}} http {{ {http} }}"
    (directory / "nginx.conf").write_text(main)
    return directory / "nginx.conf"


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_accepts_its_configuration(tmp_path):
    file = write_nginx_configuration(tmp_path, "127.0.0.1:8000 max_conns=48 fail_timeout=1s", port=18080)
    tested = subprocess.run(["nginx", "-t", "-c", file], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr


@pytest.mark.skipif(not shutil.which("haproxy"), reason="HAProxy is not installed")
def test_haproxy_accepts_its_configuration():
    command = ["haproxy", "-c", "-f", DEPLOY / "haproxy/haproxy.cfg"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_rejects_requests_over_max_conns(tmp_path):
    """The server accepts connections and does not respond, so each request is active for as long as it is open."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        upstream = f"127.0.0.1:{server.getsockname()[1]} max_conns=2"
        file = write_nginx_configuration(tmp_path, upstream, port=port)
        nginx = subprocess.Popen(["nginx", "-c", file, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        insecure = ssl._create_unverified_context()
        accepted: list[socket.socket] = []
        active = [http.client.HTTPSConnection("127.0.0.1", port + 1, context=insecure) for _ in range(2)]
        try:
            wait_for_port(port + 1)
            for connection in active:
                connection.request("GET", "/api/v1/books/")
                accepted.append(server.accept()[0])
            rejected = http.client.HTTPSConnection("127.0.0.1", port + 1, timeout=10, context=insecure)
            rejected.request(
                "GET", "/email/confirm?token=secret", headers={"Referer": "https://a.example/?token=secret"}
            )
            response = rejected.getresponse()
            body = json.loads(response.read())
            rejected.close()
        finally:
            for link in [*active, *accepted]:
                link.close()
            nginx.terminate()
            nginx.wait(20)
    logged = (tmp_path / "access.log").read_text()
    assert "secret" not in logged
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (body["status"], body["code"]) == (503, "unavailable")
    assert re.fullmatch("[0-9a-f]{32}", body["request_id"])
    assert response.headers["X-Request-ID"] == body["request_id"]
    assert re.search(rf" GET /email/confirm 503 .* {body['request_id']}$", logged, re.MULTILINE)


def serve_ok(port=0):
    """Start an HTTP server that responds to everything with 200, and that ends its connections when it is closed."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def close(server):
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_servers_that_restart_one_after_the_other_interrupt_nothing(tmp_path):
    page = (ROOT / "docs/operations.md").read_text()
    options = re.search(r"server 127\.0\.0\.1:8000 (.*?);", page)[1]
    first, second = serve_ok(), serve_ok()
    upstream = f"127.0.0.1:{first.server_port} {options};\nserver 127.0.0.1:{second.server_port} {options}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = write_nginx_configuration(tmp_path, upstream, port=port)
    nginx = subprocess.Popen(["nginx", "-c", file, "-g", "daemon off;"], stderr=subprocess.DEVNULL)

    def statuses(count):
        found = set()
        for _ in range(count):
            client = http.client.HTTPSConnection("127.0.0.1", port + 1, context=ssl._create_unverified_context())
            client.request("GET", "/api/v1/books/")
            found.add(client.getresponse().status)
            client.close()
        return found

    try:
        wait_for_port(port + 1)
        assert statuses(4) == {200}
        close(first)
        assert statuses(8) == {200}
        first = serve_ok(first.server_port)
        time.sleep(2)  # as on the page
        close(second)
        assert statuses(8) == {200}
    finally:
        nginx.terminate()
        nginx.wait(20)
        close(first)


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_slow_clients_of_nginx_delay_no_others(tmp_path):
    """More requests with half a body than the server has threads: nginx buffers them until they are complete."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    head = b"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    insecure = ssl._create_unverified_context()
    live = Live(tmp_path, TRUSTED_PROXIES="1")
    file = write_nginx_configuration(tmp_path, f"127.0.0.1:{live.port} max_conns=48", port=port)
    nginx = subprocess.Popen(["nginx", "-c", file, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    links = []
    try:
        wait_for_port(port + 1)
        for _ in range(60):
            links.append(insecure.wrap_socket(socket.create_connection(("127.0.0.1", port + 1), timeout=60)))
            links[-1].sendall(head + b'Content-Length: 100\r\n\r\n{"username"')
        for _ in range(20):
            connection = http.client.HTTPSConnection("127.0.0.1", port + 1, timeout=10, context=insecure)
            connection.request("GET", "/api/v1/books/", headers={"Host": "localhost"})
            assert connection.getresponse().status == 200
            connection.close()
        # They are closed without a response after client_body_timeout, and the server has logged none.
        assert [link.recv(65536) for link in links] == [b""] * len(links)
        assert "login" not in (tmp_path / "log/access.log").read_text()
    finally:
        for link in links:
            link.close()
        nginx.terminate()
        nginx.wait(20)
        live.stop()


def wait_for_port(port):
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise AssertionError(port)
