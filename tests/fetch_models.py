#!/usr/bin/env python3
"""scripts/fetch-models against a server of its own that cuts, lies and forgets."""

import hashlib
import http.server
import os
import pathlib
import subprocess
import tempfile
import threading
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIG = bytes(range(256)) * 20_000  # 5 MB: several chunks
FILES = {
    "onnx/vision_encoder.onnx": BIG,
    "onnx/embed_tokens.onnx": b"embed" * 1000,
    "onnx/decoder_model_merged.onnx": b"decode" * 1000,
    "config.json": b"{}",
    "tokenizer.json": b'{"t":1}',
}
CATALOGUE = """
id = "toy"
title = "A toy"
licence = "Apache-2.0"
kind = "vlm"
source = "nowhere"
endpoint = "http://127.0.0.1:9"
path = "org/toy/resolve/{{revision}}/{{file}}"
revision = "main"
default_variant = "f32"
files = ["config.json", "tokenizer.json"]
[variants.f32]
vision_encoder = {{ file = "onnx/vision_encoder.onnx", bytes = {size} }}
embed_tokens = {{ file = "onnx/embed_tokens.onnx" }}
decoder = {{ file = "onnx/decoder_model_merged.onnx" }}
"""


class Server(http.server.ThreadingHTTPServer):
    """Serves FILES; `cut` is after how many bytes the next answers break off."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cut, self.asked, self.ranges = dict(FILES), [], [], True
        self.commit = "c0ffee"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append((self.path, asked))
        name = self.path.split("/resolve/", 1)[-1].split("/", 1)[-1]
        body = server.files.get(name)
        if body is None:
            return self.send_error(404)
        start = 0
        if asked and server.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if server.commit:
            self.send_header("X-Repo-Commit", server.commit)
        self.end_headers()
        cut = server.cut.pop(0) if server.cut else None
        try:
            self.wfile.write(body[start:][:cut])
        except OSError:
            pass
        if cut is not None:
            self.close_connection = True


class FetchModels(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        self.catalogue()
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.out = self.path / "out"

    def catalogue(self, size=len(BIG)):
        (self.path / "catalogue").mkdir(exist_ok=True)
        (self.path / "catalogue" / "toy.toml").write_text(CATALOGUE.format(size=size))

    def run_it(self, *args, name="toy"):
        command = [ROOT / "scripts/fetch-models", name, "--catalogue", self.path / "catalogue",
                   "--out", self.out, "--endpoint", self.server.url, *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "FETCH_MODELS_PAUSE": "0"})

    def whole(self):
        for name, body in self.server.files.items():
            self.assertEqual((self.out / name).read_bytes(), body, name)
        self.assertEqual(list(self.out.rglob("*.part")), [])

    def test_a_model_becomes_a_package_with_its_checksums(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.whole()
        self.assertIn("no sha256 is known", done.stderr)
        self.assertIn("MB/s", done.stderr)
        manifest = tomllib.loads((self.out / "model.toml").read_text())
        self.assertEqual(manifest["version"], "c0ffee")
        encoder = manifest["variants"]["f32"]["vision_encoder"]
        self.assertEqual(encoder["sha256"], hashlib.sha256(BIG).hexdigest())
        self.assertEqual(encoder["bytes"], len(BIG))
        self.assertIn("config.json", manifest["files"])

    def test_a_cut_download_goes_on_where_it_stopped(self):
        self.server.cut = [1_500_000, 1_000_000]
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.whole()
        ranges = [asked for path, asked in self.server.asked if path.endswith("vision_encoder.onnx")]
        self.assertEqual(len(ranges), 3)
        self.assertIsNone(ranges[0])
        self.assertTrue(all(r and r != "bytes=0-" for r in ranges[1:]), ranges)

    def test_a_server_without_ranges_begins_again(self):
        self.server.ranges = False
        self.server.cut = [1_500_000]
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.whole()

    def test_a_run_that_gave_up_is_taken_up_by_the_next(self):
        self.server.cut = [700_000, 0, 0, 0, 0]
        done = self.run_it()
        self.assertEqual(done.returncode, 1)
        self.assertIn("run it again", done.stderr)
        part = self.out / "onnx/vision_encoder.onnx.part"
        self.assertGreater(part.stat().st_size, 0)
        self.assertFalse((self.out / "model.toml").exists())
        self.assertEqual(self.run_it().returncode, 0)
        self.whole()

    def test_nothing_is_fetched_twice_and_the_commit_is_kept(self):
        self.assertEqual(self.run_it().returncode, 0)
        asked = len(self.server.asked)
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.server.asked), asked, "all files are here")
        (self.out / "config.json").unlink()
        self.assertEqual(self.run_it().returncode, 0)
        self.assertIn("/resolve/c0ffee/config.json", self.server.asked[-1][0])

    def test_what_differs_from_the_first_download_is_refused(self):
        self.assertEqual(self.run_it().returncode, 0)
        (self.out / "tokenizer.json").unlink()
        self.server.files["tokenizer.json"] = b'{"t":2}'
        done = self.run_it()
        self.assertEqual(done.returncode, 1)
        self.assertIn("sha256", done.stderr)
        self.assertFalse((self.out / "tokenizer.json").exists())

    def test_a_damaged_file_is_fetched_anew(self):
        self.assertEqual(self.run_it().returncode, 0)
        (self.out / "onnx/embed_tokens.onnx").write_bytes(b"x")
        self.assertEqual(self.run_it().returncode, 0)
        self.whole()

    def test_a_size_that_the_catalogue_denies_is_refused(self):
        self.catalogue(size=len(BIG) + 1)
        done = self.run_it()
        self.assertEqual(done.returncode, 1)
        self.assertIn("bytes", done.stderr)

    def test_errors_name_the_thing(self):
        del self.server.files["tokenizer.json"]
        done = self.run_it()
        self.assertEqual(done.returncode, 1)
        self.assertIn("404", done.stderr)
        self.assertIn("tokenizer.json", done.stderr)
        done = self.run_it("--variant", "q4")
        self.assertIn("'q4'", done.stderr)
        self.assertIn("f32", done.stderr)
        done = self.run_it(name="giraffe")
        self.assertIn("'giraffe'", done.stderr)
        self.assertIn("toy", done.stderr)

    def test_the_catalogue_of_the_project_is_whole(self):
        listed = subprocess.run([ROOT / "scripts/fetch-models"], capture_output=True, text=True, check=True)
        for name in ("smolvlm-256m", "smolvlm-500m", "yolox-nano"):
            self.assertIn(name, listed.stdout)


if __name__ == "__main__":
    unittest.main()
