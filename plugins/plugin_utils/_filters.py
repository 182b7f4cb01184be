# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Filters that are functions of ours."""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._errors import GoldenError

Result = t.TypeVar("Result")


def says_what_is_wrong(function: t.Callable[[str], Result]) -> t.Callable[[str], Result]:
    """Its errors, as those of a filter."""

    @functools.wraps(function)
    def filtered(value: str) -> Result:
        try:
            return function(value)
        except GoldenError as error:
            raise AnsibleFilterError(error.message) from error

    return filtered
