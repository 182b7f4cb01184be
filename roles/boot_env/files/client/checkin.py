# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells the imaging server that this machine is here."""

from __future__ import annotations

import http.client
import random
import ssl
import time
import typing as t
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

_TIMEOUT = 15.0
_FIRST, _LONGEST = 1.0, 20.0  # seconds between attempts
_CLOCK_OFF = 5.0
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which Python has no name for
_NOT_YET_VALID, _EXPIRED = 9, 10  # X509_V_ERR_CERT_…


class Refused(Exception):
    """The server wants nothing of this machine; trying again is of no use."""


class Server:
    """Where to check in.

    :param ca: the one certificate that is trusted.
    :param say: is told what is worth to be remembered.
    :param set_clock: sets the clock of this machine, to seconds since 1970.
    """

    def __init__(
        self, url: str, ca: str, say: t.Callable[[str], None], set_clock: t.Callable[[float], None] | None = None
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._path = parts.path or "/"
        self._ca = ca
        self._say = say
        self._set_clock = set_clock or (lambda seconds: time.clock_settime(time.CLOCK_REALTIME, seconds))

    def check_in(self, token: str, report: bytes, show: t.Callable[[str], None], deadline: float) -> bool:
        """Try until the server has accepted it.

        :param show: is told what it waits for.
        :param deadline: by the monotonic clock.
        :returns: False if the server did not answer in time.
        :raises Refused: it answered, and not well.
        """
        pause = _FIRST
        show(f"an answer from {self._host}")
        while time.monotonic() < deadline:
            trouble = self._attempt(token, report)
            if not trouble:
                return True
            show(f"{self._host}: {trouble}")
            # A whole room of machines is switched on at once: they shall not ask at once.
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            pause = min(pause * 2, _LONGEST)
        return False

    def _attempt(self, token: str, report: bytes) -> str | None:
        """:returns: what went wrong; None if nothing did."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            status, date = self._ask("POST", report, headers)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in (_NOT_YET_VALID, _EXPIRED) and self._correct_clock():
                return "the clock of this machine was wrong"
            return f"not the server that this boot environment was made for ({error.verify_message})"
        except (OSError, http.client.HTTPException) as error:
            return f"no answer ({error})"
        self._compare_clock(date)
        if status == http.client.FORBIDDEN:
            raise Refused("the server refused this machine: its token was used already, has expired, or is not its own")
        if status == http.client.BAD_REQUEST:
            raise Refused("the server does not understand this boot environment: they are of different releases")
        return None if status == http.client.NO_CONTENT else f"HTTP status {status}"

    def _correct_clock(self) -> bool:
        """Take the time from the server, whose certificate is checked but for its dates. No token is sent."""
        try:
            return self._compare_clock(self._ask("HEAD", None, {}, _NO_CHECK_TIME)[1])
        except (OSError, http.client.HTTPException):
            return False

    def _compare_clock(self, date: str | None) -> bool:
        """Set the clock by the Date of an answer, if it is wrong.

        :returns: whether it was.
        """
        try:
            right = parsedate_to_datetime(date or "").timestamp()
        except (TypeError, ValueError):
            return False
        if abs(right - time.time()) < _CLOCK_OFF:
            return False
        self._set_clock(right)
        self._say("the clock of this machine was wrong; it has the server's time now")
        return True

    def _ask(self, method: str, body: bytes | None, headers: dict[str, str], flags: int = 0) -> tuple[int, str | None]:
        """:returns: status, and what time the server thinks it is."""
        context = ssl.create_default_context(cafile=self._ca)
        context.verify_flags |= flags
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=_TIMEOUT, context=context)
        try:
            connection.request(method, self._path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Date")
        finally:
            connection.close()
