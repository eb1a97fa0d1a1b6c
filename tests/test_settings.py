"""Settings: where a value comes from, and that each is documented."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from mailsacd.configuration import default_data_dir, explain_settings, flatten, load_settings
from mailsacd.core.errors import ConfigurationError
from mailsacd.ports import listeners
from mailsacd.settings import Settings

ROOT = Path(__file__).parent.parent
DOCUMENTED = ROOT / "etc" / "mailsacd.toml"


def test_the_documented_file_holds_every_setting_at_its_default() -> None:
    documented = tomllib.loads(DOCUMENTED.read_text(encoding="utf-8"))
    assert documented == msgspec.json.decode(msgspec.json.encode(Settings()))


@pytest.mark.parametrize("name", flatten(Settings()))
def test_a_setting_is_explained(name: str) -> None:
    section, _, key = name.rpartition(".")
    in_section = DOCUMENTED.read_text(encoding="utf-8").partition(f"[{section}]")[2]
    lines = in_section.partition(f"\n{key} = ")[0].splitlines()
    # a comment stands before it, at most the other key of a pair between
    assert any(line.startswith("# ") for line in lines[-2:])
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert f"`{name}`" in page


def test_the_settings_page_names_no_setting_that_is_gone() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    sections = "|".join(msgspec.to_builtins(Settings()))
    named = set(re.findall(rf"`((?:{sections})\.[a-z_.]+)`", page))
    assert named == set(flatten(Settings()))


def test_the_example_for_production_is_one() -> None:
    settings = load_settings(ROOT / "etc" / "production.toml", {})
    sockets = (ROOT / "systemd" / "mailsacd.socket").read_text(encoding="utf-8")
    opened = {int(port) for port in re.findall(r"^ListenStream=(\d+)$", sockets, re.MULTILINE)}
    listening = [msgspec.to_builtins(section) for section in listeners(settings).values()]
    wanted = {each[kind] for each in listening for kind in ("port", "tls_port")}
    assert opened == {port for port in wanted if 0 < port < 1024}


def test_a_credential_of_the_service_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "database.dsn").write_text("host=db.example password=secret\n")
    (tmp_path / "smtp.port").write_text("26\n")
    (tmp_path / "another.pem").write_text("of another program")
    file = tmp_path / "settings.conf"
    file.write_text("[smtp]\nport = 1\n[database]\ndsn = 'host=file'\n")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "MAILSACD_SMTP_PORT": "27"}
    settings = load_settings(file, environment)
    assert settings.database.dsn == "host=db.example password=secret"
    assert settings.smtp.port == 27
    sources = {o.name: o for o in explain_settings(file, environment)}
    assert sources["database.dsn"].source == str(tmp_path / "database.dsn")
    assert sources["database.dsn"].value == "(hidden)"
    (tmp_path / "smtp.port").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"smtp\.port: "):
        load_settings(file, environment)


def test_the_nearest_source_wins(tmp_path: Path) -> None:
    file = tmp_path / "settings.conf"
    file.write_text("[smtp]\nport = 1\nmax_connections = 11\n[http]\nport = 2\n")
    environment = {"MAILSACD_SMTP_PORT": "3", "MAILSACD_SMTP_HOST": "::1", "PATH": "/bin"}
    settings = load_settings(file, environment, ["smtp.port=4"])
    assert (settings.smtp.port, settings.http.port) == (4, 2)
    assert (settings.smtp.host, settings.smtp.max_connections) == ("::1", 11)
    sources = {o.name: o.source for o in explain_settings(file, environment, ["smtp.port=4"])}
    assert sources["smtp.port"] == "--set smtp.port"
    assert sources["smtp.host"] == "MAILSACD_SMTP_HOST"
    assert sources["http.port"] == str(file)
    assert sources["http.host"] == "default"


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("message.accepted_domains=a.example,b.example", ("a.example", "b.example")),
        ('message.accepted_domains=["a.example"]', ("a.example",)),
        ("message.accepted_domains=*", ("*",)),
        ("message.refuse_bare_newlines=true", True),
        ("smtp.command_timeout_s=1.5", 1.5),
        ("smtp.command_timeout_s=2", 2.0),
        ("server.hostname=mx.example", "mx.example"),
        ("server.hostname=12", "12"),
        ("server.hostname=", ""),
        ("database.dsn=host=db.example password=a=b", "host=db.example password=a=b"),
    ],
)
def test_a_text_becomes_the_type_of_the_setting(assignment: str, value: object) -> None:
    section, _, key = assignment.partition("=")[0].partition(".")
    settings = load_settings(None, {}, [assignment])
    assert getattr(getattr(settings, section), key) == value


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[smtp]\nprot = 1", "did you mean 'smtp.port'"),
        ("[stmp]\nport = 1", "did you mean 'smtp.port'"),
        ("port = 1", "outside of a [section]"),
        ("[smtp]\nport = 'x'", "smtp.port = 'x': Expected `int`, got `str`"),
        ("[smtp]\nport = 65536", "<= 65535"),
        ("[smtp]\nmax_connections = 0", ">= 1"),
        ("[smtp", "settings.toml"),
        ("[server]\nhostname = 'm\u00fcnchen'", "can't decode byte"),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {})
    assert told in caught.value.public
    assert str(file) in caught.value.public


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml"):
        load_settings(tmp_path / "nowhere.toml", {})


def test_an_unknown_variable_or_option_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'MAILSACD_SMTP_PORT'"):
        load_settings(None, {"MAILSACD_SMTP_PROT": "1"})
    with pytest.raises(ConfigurationError, match=r"did you mean 'http\.port'"):
        load_settings(None, {}, ["http.prt=1"])
    with pytest.raises(ConfigurationError, match=r"section\.key=value"):
        load_settings(None, {}, ["http.port"])


def test_plans_have_names_of_the_operators_choice(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[plans.team]\ndomains = 5\n[accounts]\ndefault_plan = 'team'\n")
    environment = {"MAILSACD_PLANS_TEAM_MESSAGE_LIMIT": "7"}
    settings = load_settings(file, environment, ["plans.free.keys=1", "plans.default.keys=2"])
    assert set(settings.plans) == {"default", "team", "free"}
    assert settings.plans["team"].domains == 5
    assert settings.plans["team"].message_limit == 7
    assert settings.plans["team"].sends == Settings().plans["default"].sends
    assert (settings.plans["free"].keys, settings.plans["default"].keys) == (1, 2)
    sources = {o.name: o.source for o in explain_settings(file, environment)}
    assert sources["plans.team.domains"] == str(file)
    assert sources["plans.team.message_limit"] == "MAILSACD_PLANS_TEAM_MESSAGE_LIMIT"


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("plans.team.domain=5", "did you mean 'plans.default.domains'"),
        ("plans.team.domains=-1", "plans.team.domains = '-1'"),
        ("plans.team.keys=1001", "<= 1000"),
        ("plans.Team.domains=1", "no setting"),
        ("accounts.default_plan=gold", r"there is no \[plans\.gold\]"),
        ("accounts.sign_up=maybe", "accounts.sign_up"),
        ("http.public_url=ftp://x", "http.public_url"),
    ],
)
def test_a_fault_in_a_plan_is_named(assignment: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load_settings(None, {}, [assignment])


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", ""),
        ("https://mail.example", "https://mail.example"),
        ("https://mail.example/", "https://mail.example"),
        ("http://[::1]:8025/", "http://[::1]:8025"),
        ("https://team.example:8443/a/mail-1_2.3~/", "https://team.example:8443/a/mail-1_2.3~"),
    ],
)
def test_a_public_url_may_have_a_path(given: str, read: str) -> None:
    assert load_settings(None, {}, [f"http.public_url={given}"]).http.public_url == read


@pytest.mark.parametrize(
    "given",
    [
        "https://",
        "https://x//",
        "https://x//mail",
        "https://x/mail//",
        "https://x/mail?a",
        "https://x/mail#a",
        "https://x/../mail",
        "https://x/.",
        "https://x/a b",
        "https://x/a;b",
        "https://x/%20",
        "https://x\\y",
        "https://x\n",
        "https://me@x/mail",
        "https://x:port",
        "https://x|y",
        "https://<x>",
        "https://x/" + "a" * 100,
    ],
)
def test_a_public_url_makes_links(given: str) -> None:
    with pytest.raises(ConfigurationError, match=r"http\.public_url = .*Expected a URL as https"):
        load_settings(None, {}, [f"http.public_url={given}"])


@pytest.mark.parametrize("name", ["database.dsn", "relay.smarthost_password"])
def test_secrets_are_hidden(name: str) -> None:
    shown = {o.name: o.value for o in explain_settings(None, {}, [f"{name}=password=s3cret"])}
    assert shown[name] == "(hidden)"


def test_the_default_data_dir_follows_xdg_for_people() -> None:
    assert default_data_dir({"XDG_DATA_HOME": "/data"}).name == "mailsacd"


def test_one_peer_cannot_take_every_connection_of_a_port() -> None:
    limited = 0
    for section in msgspec.structs.asdict(Settings()).values():
        for name in getattr(section, "__struct_fields__", ()):
            if name.endswith("_per_peer"):
                limited += 1
                whole = getattr(section, name.removesuffix("_per_peer"))
                assert getattr(section, name) < whole * 2 / 3, (section, name)
    assert limited >= 4
