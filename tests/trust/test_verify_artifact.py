"""``adjudge verify-artifact``, as people call it: outcomes, what is printed, what is refused."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.trust.conftest import IDENTITY, ISSUER, SHARED, statement
from tests.trust.private_sigstore import IN_TOTO, PEM, PrivateSigstore, b64, new_key, pae, pem_of

from adjudge.cli import main

BUNDLES = SHARED / "data/signatures/sigstore-conformance"
MODELS = SHARED / "data/signatures/model-signing"
CASES = sorted(p.name for p in BUNDLES.iterdir()) if BUNDLES.is_dir() else []
BEACON = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
    ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
needs_data = pytest.mark.skipif(not CASES, reason="the shared data is not there")


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: object) -> Outcome:
        code = main(["verify-artifact", *map(str, arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(code, captured.out, captured.err)

    return call


# --- real signatures --------------------------------------------------------------------------


def _said(path: Path, otherwise: str) -> str:
    return path.read_text().strip() if path.exists() else otherwise


@needs_data
@pytest.mark.parametrize("name", CASES)
def test_conformance(name: str, run: Any) -> None:
    folder = BUNDLES / name
    artifact = folder / "artifact"
    root, key = folder / "trusted_root.json", folder / "key.pub"
    arguments: list[object] = [artifact if artifact.exists() else BUNDLES.parent / "a.txt"]
    arguments += ["--bundle", folder / "bundle.sigstore.json"]
    arguments += ["--trusted-root", root] if root.exists() else []
    if key.exists():
        arguments += ["--key", key]
    else:
        arguments += ["--identity", _said(folder / "identity", BEACON)]
        arguments += ["--issuer", _said(folder / "issuer", ISSUER)]
    found = run(*arguments, "--format", "json")
    if name == "trust-root-tlog-missing-validity-start_fail":
        assert found.code == 2
        assert "trusted_root_invalid" in found.err
        return
    assert found.code == int(name.endswith("_fail")), found.out
    assert found.json["verified"] == (found.code == 0)
    checks = {c["name"]: c["ok"] for c in found.json["signatures"][0]["checks"]}
    assert checks["signature"] == (found.code == 0)


WHOM: dict[str, list[object]] = {
    "v1.0.1-sigstore": [
        "--identity",
        "stefanb@us.ibm.com",
        "--issuer",
        "https://sigstore.verify.ibm.com/oauth2",
    ],
    "v1.0.1-elliptic-key": ["--key", MODELS / "keys/signing-key-pub.pem"],
    "v1.0.1-certificate": ["--ca", MODELS / "keys/ca-cert.pem"],
}


@needs_data
@pytest.mark.parametrize("name", sorted(WHOM))
def test_signed_models(name: str, run: Any, tmp_path: Path) -> None:
    whom = [*WHOM[name], "--ignore-path", "ignore-me"]
    assert run(MODELS / name, *whom).code == 0
    strict = run(MODELS / name, *WHOM[name])
    assert strict.code == 1
    assert "files_unsigned" in strict.out
    assert "--ignore-path 'ignore-me'" in strict.out
    model = Path(shutil.copytree(MODELS / name, tmp_path / name))
    for path in [model, *model.rglob("*")]:
        path.chmod(0o755)
    (model / "ignore-me").unlink()
    assert run(model, *WHOM[name]).code == 0
    (model / "extra").write_text("x")
    assert run(model, *WHOM[name]).code == 1
    (model / "extra").unlink()
    (model / "link").symlink_to("signme-1")
    assert run(model, *WHOM[name]).code == 1
    (model / "link").unlink()
    (model / "signme-1").rename(model / "signme-3")
    assert "files_changed" in run(model, *WHOM[name]).out
    (model / "signme-3").rename(model / "signme-1")
    (model / "signme-1").write_bytes(b"x" + (model / "signme-1").read_bytes()[1:])
    assert "files_changed" in run(model, *WHOM[name]).out


@needs_data
@pytest.mark.parametrize(
    ("name", "whom", "code"),
    [
        ("v1.0.1-sigstore", ["--identity", "a@b.c", "--issuer", ISSUER], "identity_not_allowed"),
        (
            "v1.0.1-sigstore",
            ["--identity", "stefanb@us.ibm.com", "--issuer", ISSUER],
            "identity_not_allowed",
        ),
        ("v1.0.1-sigstore", ["--key", MODELS / "keys/signing-key-pub.pem"], "no_identity_pinned"),
        ("v1.0.1-elliptic-key", ["--key", BUNDLES / "managed-key-happy-path/key.pub"], "key_not"),
        (
            "v1.0.1-certificate",
            ["--ca", MODELS / "keys/ca-cert.pem", "--san", "a@b.c"],
            "identity_not_allowed",
        ),
    ],
)
def test_signed_models_by_somebody_else(name: str, whom: list[object], code: str, run: Any) -> None:
    found = run(MODELS / name, *whom, "--ignore-path", "ignore-me", "--format", "json")
    assert found.code == 1
    assert found.json["reason_code"].startswith(code)


@needs_data
def test_signed_model_by_another_authority(
    run: Any, sigstore: PrivateSigstore, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(sigstore.root.public_bytes(PEM))
    found = run(MODELS / "v1.0.1-certificate", "--ca", tmp_path / "ca.pem", "-f", "json")
    assert found.code == 1
    assert found.json["reason_code"] == "certificate_untrusted"


# --- our own ----------------------------------------------------------------------------------

KEY = new_key()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a signed file ``a``, its key and another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_bytes(b"data")
    (tmp_path / "a.sig").write_bytes(KEY.sign(b"data", ec.ECDSA(hashes.SHA256())))
    (tmp_path / "key.pub").write_bytes(pem_of(KEY))
    (tmp_path / "other.pub").write_bytes(pem_of(new_key()))
    return tmp_path


def test_file_by_key(work: Path, run: Any) -> None:
    found = run("a", "--key", "key.pub")
    assert found.code == 0
    assert "Verified." in found.out
    assert "no trusted clock" in found.out
    assert "no entry in a transparency log" in found.out
    assert run("a.sig", "--key", "key.pub").code == 0
    assert run("a", "--key", "other.pub").code == 1
    assert run("a", "--key", "other.pub", "--key", "key.pub").code == 0
    assert run("a", "--key", "key.pub", "--threshold", "2").code == 1
    assert run("a", "--key", "key.pub", "--max-age", "1d").code == 1
    (work / "a").write_bytes(b"datb")
    assert run("a", "--key", "key.pub").code == 1


def test_bundle_elsewhere(work: Path, run: Any) -> None:
    (work / "sub").mkdir()
    (work / "a.sig").rename(work / "sub/s")
    without = run("a", "--key", "key.pub").out
    assert "no_signature" in without
    assert "--bundle FILE" in without
    assert run("a", "--key", "key.pub", "--bundle", "sub/s").code == 0
    assert run(work / "a", "--key", "key.pub", "--bundle", work / "sub/s").code == 0
    missing = run("a", "--key", "key.pub", "--bundle", "nothing")
    assert missing.code == 2
    assert "file_not_found" in missing.err


def test_link_to_the_artifact(work: Path, run: Any) -> None:
    (work / "deep").mkdir()
    (work / "deep/link").symlink_to("../a")
    assert run("deep/link", "--key", "key.pub").code == 0


def test_working_directory_as_model(work: Path, run: Any, monkeypatch: Any) -> None:
    model = work / "model"
    model.mkdir()
    (model / "a").write_bytes(b"data")
    payload = statement(b"data")
    signature = KEY.sign(pae(IN_TOTO, payload), ec.ECDSA(hashes.SHA256()))
    envelope = {
        "payload": b64(payload),
        "payloadType": IN_TOTO,
        "signatures": [{"sig": b64(signature)}],
    }
    (work / "signature.json").write_text(json.dumps(envelope))
    monkeypatch.chdir(model)
    given = ("--key", "../key.pub", "--bundle", "../signature.json")
    assert run(".", *given).code == 0
    (model / "signature.json").write_text("not the signature, though named like it")
    found = run(".", *given, "-f", "json")
    assert found.code == 1
    assert found.json["coverage"]["unsigned"] == ["signature.json"]
    assert run(".", *given, "--ignore-path", "signature.json").code == 0


def test_age_and_source(work: Path, run: Any, sigstore: PrivateSigstore, root_file: Path) -> None:
    key, certificate = sigstore.issue(
        IDENTITY, ISSUER, extensions={12: "https://github.com/acme/model"}
    )
    bundle = sigstore.sign_artifact(b"data", key, certificate)
    (work / "b.json").write_text(json.dumps(bundle))
    given = ["a", "--bundle", "b.json", "--trusted-root", root_file]
    given += ["--identity", IDENTITY, "--issuer", ISSUER]
    found = run(*given, "--as-of", "2026-05-02T12:00:00Z", "--max-age", "2d")
    assert found.code == 0, found.out
    assert "https://github.com/acme/model" in found.out
    old = run(*given, "--as-of", "2026-05-04", "--max-age", "2d")
    assert "too_old" in old.out
    early = run(*given, "--as-of", "2026-04-01")
    assert "signed_in_future" in early.out
    assert run(*given, "--source-repository", "https://github.com/acme/model").code == 0
    other = run(*given, "--source-repository", "https://github.com/evil/model")
    assert "source_not_allowed" in other.out
    assert run(*given, "--source-ref", "refs/heads/main").code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nothing", "--key", "key.pub"], "file_not_found"),
        (["a"], "nobody_trusted"),
        (["a", "--key", "nothing"], "trust_file_unreadable"),
        (["a", "--key", "a"], "key_unusable"),
        (["a", "--ca", "a"], "certificate_unusable"),
        (["a", "--key", "key.pub", "--tsa", "a"], "certificate_unusable"),
        (["a", "--identity", "x"], "issuer_missing"),
        (["a", "--issuer", "x"], "identity_missing"),
        (["a", "--key", "key.pub", "--source-ref", "main"], "source_without_identity"),
        (["a", "--key", "key.pub", "--max-age", "soon"], "age_invalid"),
        (["a", "--key", "key.pub", "--as-of", "soon"], "time"),
        (["a", "--key", "key.pub", "--threshold", "0"], "0 is not in the range"),
        (["a", "--key", "key.pub", "--bundle", "."], "not_a_file"),
        (["/dev/null", "--key", "key.pub"], "not_a_file"),
        ([], "Missing argument"),
    ],
)
def test_unusable_input(arguments: list[str], code: str, work: Path, run: Any) -> None:
    found = run(*arguments)
    assert found.code == 2, found.out
    assert code in found.err
    assert found.out == ""


def test_what_is_printed_is_safe(work: Path, run: Any) -> None:
    payload = statement(b"data", "https://x/\x1b[2J")
    (work / "a.dsse").write_text(
        json.dumps(
            {
                "payload": b64(payload),
                "payloadType": IN_TOTO,
                "signatures": [
                    {"sig": b64(KEY.sign(pae(IN_TOTO, payload), ec.ECDSA(hashes.SHA256())))}
                ],
            }
        )
    )
    found = run("a", "--key", "key.pub")
    assert found.code == 0
    assert "\x1b" not in found.out


def test_empty_directory_and_no_signature(work: Path, run: Any) -> None:
    (work / "empty").mkdir()
    assert "no_signature" in run("empty", "--key", "key.pub").out
    (work / "b").write_bytes(b"x")
    assert run("b", "--key", "key.pub").code == 1


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_odd_certificates_print_no_warnings(work: Path) -> None:
    long_name = x509.NameAttribute(x509.NameOID.COMMON_NAME, "x" * 70, _validate=False)
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([long_name]))
        .issuer_name(x509.Name([long_name]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=9000))
        .sign(KEY, hashes.SHA256())
    )
    (work / "a.pem").write_bytes(certificate.public_bytes(PEM))
    call = "import sys; from adjudge.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = [sys.executable, "-c", call, "verify-artifact", "a", "--ca", "a.pem"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 1
    assert "certificate_invalid" in done.stdout
