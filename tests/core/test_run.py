"""Which addresses are a run's: told by their form alone."""

import pytest

from mailsacd.core.address import inbox_of
from mailsacd.core.run import is_of_run, new_run_id, outside_of_run

RUN = "run-0123456789abcdef"


@pytest.mark.parametrize(
    ("written", "inbox"),
    [
        (f"Bob@{RUN.upper()}.Example.com", f"bob@{RUN}.example.com"),
        (f"bob+tag@{RUN}.example.com", f"bob@{RUN}.example.com"),
        (f"{RUN}-bob@example.com", f"bob@{RUN}.example.com"),
        (f"{RUN}-Bob+tag@example.com", f"bob@{RUN}.example.com"),
        (f'"{RUN}-b b"@example.com', f'"b b"@{RUN}.example.com'),
        (f"{RUN}-a-b@bücher.example", f"a-b@{RUN}.xn--bcher-kva.example"),
        (f"{RUN}-@example.com", f"{RUN}-@example.com"),
        (f"{RUN}@example.com", f"{RUN}@example.com"),
        (f"{RUN}-bob@[127.0.0.1]", f"{RUN}-bob@[127.0.0.1]"),
        ("run-0123456789abcdeu-bob@example.com", "run-0123456789abcdeu-bob@example.com"),
        ("run-fast@example.com", "run-fast@example.com"),
    ],
)
def test_an_address_of_a_run_in_either_form_is_one_inbox(written: str, inbox: str) -> None:
    found = inbox_of(written)
    assert str(found) == inbox
    assert inbox_of(str(found)) == found
    assert found.is_of_run == ("@" + RUN in inbox)


def test_the_domain_of_a_run_tells_where_it_is() -> None:
    run = new_run_id()
    assert is_of_run(f"{run}.example.com")
    assert outside_of_run(f"{run}.example.com") == "example.com"
    assert outside_of_run("example.com") == "example.com"
    assert not is_of_run("running.example.com")
    assert not is_of_run(run)
