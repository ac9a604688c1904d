"""`pulumi policy publish`, `validate-config` and `enable` with the pulumi CLI, against a stand-in for Pulumi Cloud.

What the CLI asks of it: https://github.com/pulumi/pulumi/blob/master/pkg/backend/httpstate/client/client.go
"""

import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from twokeys.access.rules import RULES
from twokeys.pack.folder import write_pack
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_box import clean_environment, place_plugins

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


class Cloud(ThreadingHTTPServer):
    """Keeps what is published, and answers with it."""

    published: Any = None
    uploaded = b""
    enabled: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, body: bytes) -> Any:
        if path == "/api/user":
            return {"githubLogin": "me", "organizations": [{"githubLogin": "acme"}]}
        if path == "/uploaded":
            self.uploaded = body
        if method == "POST" and path == "/api/orgs/acme/policypacks":
            self.published = json.loads(body)
            return {"version": 1, "uploadURI": f"{self.url}/uploaded", "requiredHeaders": {}}
        if path.endswith("/schema"):
            return {"configSchema": {one["name"]: one["configSchema"] for one in self.published["policies"]}}
        if method == "PATCH":
            self.enabled = json.loads(body)
        return {}


class Asked(BaseHTTPRequestHandler):
    server: Cloud

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        answer = json.dumps(self.server.answer(self.command, self.path.partition("?")[0], plain)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do  # noqa: N815 - the names that the server calls

    def log_message(self, format: str, *args: object) -> None:
        """Nothing of it is shown."""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(("127.0.0.1", 0), Asked) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_pack_is_published_and_its_configuration_is_checked_before_it_is_enabled(
    cloud: Cloud, tmp_path: Path
) -> None:
    pulumi = find_pulumi()
    assert pulumi is not None, "this test needs the pulumi CLI: `scripts/engine` gets it"
    (tmp_path / "tools").mkdir()
    place_plugins(tmp_path / "tools", pulumi, clean_environment()["PATH"])
    environment = clean_environment() | {
        "PATH": f"{tmp_path / 'tools'}:{clean_environment()['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": cloud.url,
        "PULUMI_ACCESS_TOKEN": "pul-0",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    pack = tmp_path / "policies"
    write_pack(pack, publishable=True)
    (pack / "venv").symlink_to(sys.prefix)  # `pulumi install` makes it, of an index that has TwoKeys

    def policy(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(pulumi), "policy", *arguments, "--non-interactive", "--color", "never"]
        return subprocess.run(command, cwd=pack, env=environment, capture_output=True, text=True, check=False)

    done = policy("publish", "acme")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {rule.name for rule in RULES} < {one["name"] for one in cloud.published["policies"]}
    assert cloud.published["runtime"] == "python"
    with tarfile.open(fileobj=io.BytesIO(cloud.uploaded)) as archive:
        files = {name.removeprefix("package/") for name in archive.getnames()}
    assert files == {"PulumiPolicy.yaml", "__main__.py", "requirements.txt", ".gitignore"}

    config = pack.with_name("config.json")
    config.write_text(json.dumps({"door-expired": {"mostDays": "seven"}}))
    wrong = policy("validate-config", "acme/twokeys", "0.1.0", "--config", str(config))
    assert wrong.returncode != 0
    assert re.search(r"Invalid type\. Expected: integer", wrong.stderr), wrong.stderr
    config.write_text(json.dumps({"door-expired": {"mostDays": 7}, "mfa-for-people": "mandatory"}))
    right = policy("validate-config", "acme/twokeys", "0.1.0", "--config", str(config))
    assert right.returncode == 0, right.stderr
    enabled = policy("enable", "acme/twokeys", "0.1.0", "--config", str(config))
    assert enabled.returncode == 0, enabled.stderr
    assert cloud.enabled["addPolicyPack"]["config"] == {
        "door-expired": {"mostDays": 7},
        "mfa-for-people": {"enforcementLevel": "mandatory"},
    }
