"""The account that an empty embedded database begins with, so that there is a key to try."""

import os
import secrets
from pathlib import Path
from typing import Final

from mailsacd.core.account import KEY_FORM, new_key
from mailsacd.core.audit import SERVER, Act
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.records.audit import audit
from mailsacd.store.accounts import add_account, any_account, lock_accounts
from mailsacd.store.keys import add_key, find_key
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

NAME: Final = "admin"
EMAIL: Final = "admin@localhost"
KEY_FILE: Final = "admin.key"


async def make_first_account(database: Database, plan: str, data_dir: Path) -> str | None:
    """Unless there is an account: make ``admin`` with a key, which goes into a file of ours alone.

    The key, if it was made now. The file is whole before the account is committed, so that no
    crash leaves an account whose key nobody knows.
    """
    key = new_key()

    async def work(transaction: Transaction) -> bool:
        await lock_accounts(transaction)
        if await any_account(transaction):
            return False
        await add_account(transaction, NAME, EMAIL, plan, None)
        key_id = secrets.token_hex(12)
        await add_key(transaction, key_id, NAME, NAME, hash_of(key))
        await audit(transaction, NAME, SERVER, Act("account", "created", NAME, EMAIL))
        await audit(transaction, NAME, SERVER, Act("key", "created", NAME, key_id))
        _write(data_dir / KEY_FILE, key)
        return True

    return key if await database.transaction(work) else None


async def remove_dead_key(database: Database, data_dir: Path) -> bool:
    """Remove the file of the first account's key, if that key is nobody's any more.

    Returns whether it was removed.
    """
    path = data_dir / KEY_FILE
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):  # there is none, or it is not ours
        return False
    if not KEY_FORM.match(key) or await find_key(database, hash_of(key)) is not None:
        return False
    path.unlink()
    return True


def _write(path: Path, key: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
