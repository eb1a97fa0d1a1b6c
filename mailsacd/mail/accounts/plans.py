"""What an account may use: its plan's limits, and those that the operator gave to it alone."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mailsacd.core.account import Account
from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.plan_settings import PlanSettings

LIMITS: Final = PlanSettings.__struct_fields__


class Plans:
    """The plans of the settings; ``default`` is the name of one of them."""

    def __init__(self, plans: Mapping[str, PlanSettings], default: str) -> None:
        self._plans = plans
        self.default = default

    @property
    def names(self) -> list[str]:
        """The names of all plans, in their order."""
        return sorted(self._plans)

    @property
    def longest_activity_minutes(self) -> int:
        """The longest that any plan has its accounts told what happened."""
        return max(plan.activity_minutes for plan in self._plans.values())

    def limits_of(self, account: Account) -> PlanSettings:
        """The limits in force. An account whose plan is gone has the default one."""
        plan = self._plans.get(account.plan) or self._plans[self.default]
        known = {name: limit for name, limit in account.overrides.items() if name in LIMITS}
        return msgspec.structs.replace(plan, **known)

    def check(self, plan: str) -> str:
        """``plan``, if there is such a one. Raises InvalidInputError."""
        if plan not in self._plans:
            known = ", ".join(sorted(self._plans))
            problem = f"is none of {known}"
            raise InvalidInputError(f"plan {problem}", (Fault(field="plan", problem=problem),))
        return plan

    def check_overrides(self, overrides: Mapping[str, Any]) -> Mapping[str, int]:
        """``overrides``, if each is a limit that there is. Raises InvalidInputError."""
        faults = []
        for name, limit in overrides.items():
            if name not in LIMITS:
                faults.append(Fault(field=name, problem=f"is none of {', '.join(LIMITS)}"))
                continue
            try:
                msgspec.convert({name: limit}, PlanSettings)
            except msgspec.ValidationError as e:
                told = str(e).partition(" - at ")[0].replace("`", "")
                faults.append(Fault(field=name, problem=told.lower()))
        if faults:
            told = "; ".join(f"{fault.field} {fault.problem}" for fault in faults)
            raise InvalidInputError(f"Bad limits: {told}", tuple(faults))
        return overrides
