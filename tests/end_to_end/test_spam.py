"""`mailsacd spam`, and mail that is judged by what it has learned."""

from pathlib import Path
from typing import Any

from tests.clients.program import WITHOUT_DNS
from tests.end_to_end.command import run, told, told_json
from tests.end_to_end.daemon import running_daemon
from tests.patience import block_until

SPAM = "Subject: Cheap pills\r\n\r\nbuy cheap pills without a prescription today\r\n"
HAM = "Subject: Minutes\r\n\r\nplease find enclosed the minutes of our meeting on monday\r\n"


def _samples(workspace: Path) -> tuple[Path, Path]:
    """A directory with messages and an mbox in it, and an mbox."""
    spam, ham = workspace / "spam", workspace / "ham.mbox"
    (spam / "more").mkdir(parents=True)
    (spam / "one.eml").write_text(SPAM)
    (spam / "more" / "old.mbox").write_text(f"From a@b Sun Nov 29 12:00:00 2026\n{SPAM}\n" * 49)
    ham.write_text(f"From a@b Sun Nov 29 12:00:00 2026\n{HAM}\n" * 50)
    return spam, ham


def test_mail_is_judged_by_samples_and_goes_to_its_folder(
    migrated_data: Path, workspace: Path
) -> None:
    spam, ham = _samples(workspace)
    with running_daemon(migrated_data, *WITHOUT_DNS) as daemon:
        data = daemon.data_dir
        learned = told(data, "spam", "learn", "spam", str(spam))
        assert learned == (
            "learned 50 as spam. 50 messages are known as spam, 0 as ham; "
            "nothing is judged by less than 50 of each"
        )
        told(data, "spam", "learn", "ham", str(ham))
        known = {"account": None, "spam": 50, "ham": 50, "least": 50}
        assert told_json(data, "spam", "show") == known
        report = told_json(data, "spam", "score", str(spam / "one.eml"))
        assert (report["scorer"], report["score"] > 0.9) == ("classifier", True)
        assert run(data, "spam", "show", "--account", "nobody").stderr.strip() == (
            "Error: There is no account nobody"
        )

        for inbox, content in (("a", SPAM), ("b", HAM)):
            daemon.send(f"{inbox}@x.example", content)

        def newest(inbox: str) -> Any:
            return daemon.json(f"/api/addresses/{inbox}@x.example/messages")[0]

        block_until(lambda: newest("a")["spam"] > 0.9)
        assert newest("a")["folder"] == "spam"
        assert (newest("b")["folder"], newest("b")["spam"]) == ("inbox", 0)
        told(data, "spam", "forget")
        assert told_json(data, "spam", "show")["spam"] == 0
