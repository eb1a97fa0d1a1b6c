"""What is said to a session of PostgreSQL as it begins, and what that answers."""

from collections.abc import Mapping
from typing import Final

DISTRIBUTED: Final = "mailsacd.distributed"
"""The setting of a database, "on" where raw messages are on several servers."""

_IS_DISTRIBUTED: Final = f"coalesce(current_setting('{DISTRIBUTED}', true), '') = 'on'"
# Declared statements find rows by their keys: no value asks for another plan, and one made while a
# table was small must not read it whole later. What that seems to cost would have it compiled. But
# Citus has to see the values of a statement to know which servers it is for.
_PLANS: Final = {
    "plan_cache_mode": f"case when {_IS_DISTRIBUTED} then 'auto' else 'force_generic_plan' end",
    "enable_seqscan": "'off'",
    "jit": "'off'",
}


def usual_settings(statement_timeout_s: float) -> Mapping[str, str]:
    """Return the settings, each a text in SQL, of a session for our statements."""
    ms = f"'{int(statement_timeout_s * 1000)}'"
    return {"statement_timeout": ms, "idle_in_transaction_session_timeout": ms, **_PLANS}


def settling(backend_pid: int, settings: Mapping[str, str]) -> str:
    """Return a statement that makes ``settings``, if the session is that of ``backend_pid``.

    A pooler has told another process id than that of the server it has the connection use. The
    first two columns are whether it is that, and whether the database is DISTRIBUTED.
    """
    is_ours = f"pg_backend_pid() = {backend_pid}"
    made = [
        f"case when {is_ours} then set_config('{name}', {value}, false) end"
        for name, value in settings.items()
    ]
    return f"select {', '.join((is_ours, _IS_DISTRIBUTED, *made))}"
