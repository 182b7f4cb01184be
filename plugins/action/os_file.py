# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

from ..module_utils._argspec import OS_FILE_SPEC
from ..plugin_utils._transfer import TransferAction


class ActionModule(TransferAction):
    """Sends the content as a file: a module's arguments come into logs."""

    SPEC = OS_FILE_SPEC

    def _perform(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if args["state"] != "file" or args["remote_src"]:
            return self._execute(args, task_vars)
        content, src = args.pop("content"), args.pop("src")
        if content is not None:
            asked = self._task.args["content"]  # validation has made a text of what was data
            sent = self._sent_text(json.dumps(asked) if isinstance(asked, (dict, list)) else content)
        else:
            path = self._loader.path_dwim(self._find_needle("templates" if args["template"] else "files", src))
            readable = self._loader.get_real_file(path)
            args["_secret"] = readable != path  # it was encrypted
            try:
                sent = self._sent_text(self._rendered(path, task_vars)) if args["template"] else self._sent(readable)
            finally:
                self._loader.cleanup_tmp_file(readable)
        return self._execute({**args, "src": sent, "remote_src": True}, task_vars)

    def _rendered(self, path: str, task_vars: dict[str, t.Any]) -> str:
        lookup = self._shared_loader_obj.lookup_loader.get(
            "ansible.builtin.template", loader=self._loader, templar=self._templar
        )
        # Without convert_data, older cores would make data of a text that looks like JSON.
        (text,) = lookup.run([path], variables=task_vars, convert_data=False)
        return str(text)
