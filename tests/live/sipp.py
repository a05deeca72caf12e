"""SIPp as a process: started with a scenario, watched by its log of messages, told to go on, and asked how it went."""

import re
import shutil
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.live.programs import PATIENCE_SECONDS, Program, free_port, wait_until

_HEAD = re.compile(
    r"^-{20,} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6})\n"
    r"(?:UDP|TCP) message (sent|received) (?:\(\d+ bytes\)|\[\d+\] bytes ):\n\n",
    re.MULTILINE,
)
LONGEST_SECONDS = 900  # a carrier of many calls lives as long as the longest test
PER_SECOND = 100  # a slower SIPp lets the first call wait


@dataclass(frozen=True)
class Message:
    """One line of SIPp's log."""

    instant: datetime
    sent: bool
    text: str

    @property
    def begins(self) -> str:
        return self.text.partition("\n")[0].strip()

    def header(self, name: str) -> str:
        """The first of that name."""
        found = re.search(rf"^{name}: *(.*?)\s*$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""

    @property
    def transaction(self) -> tuple[bool, str, str, str]:
        """The same of each repetition of a message: its branch and its method (RFC 3261 17.2.3), and what it says first."""
        branch = re.search(r";branch=([^;,\s]+)", self.header("Via"))
        return self.sent, self.begins, branch[1] if branch else "", self.header("CSeq")


def waited(caller: "Sipp", status: int) -> float:
    """Seconds from its last INVITE to this answer, by its own watch."""
    (answer,) = caller.find(f"SIP/2.0 {status}", sent=False, method="INVITE")
    return (answer.instant - caller.find("INVITE", sent=True)[-1].instant).total_seconds()


class Sipp:
    """One SIPp that plays one scenario, once unless told otherwise."""

    def __init__(
        self,
        folder: Path,
        name: str,
        scenario: str,
        *,
        host: str,
        target: str,
        port: int | None = None,
        calls: int = 1,
        tcp: bool = False,
    ) -> None:
        self.name = name
        self.host = host
        self.port = port or free_port(host)
        self._tcp = tcp
        self._log = folder / f"{name}.messages"
        self._errors = folder / f"{name}.errors"
        written = folder / f"{name}.xml"
        written.write_text(scenario)
        dialled = re.search(r"^INVITE sip:([^@\s]+)@", scenario, re.MULTILINE)
        signed = ["-auth_uri", f"{dialled[1]}@{target}"] if dialled else []  # otherwise it leaves out the number
        program = shutil.which("sipp")
        assert program, "SIPp is missing: apt-get install sip-tester"
        self.program = Program(
            [
                *(program, target, "-sf", written, "-i", host, "-mi", host, "-p", str(self.port)),
                *("-t", "t1" if tcp else "u1"),
                *("-m", str(calls), "-l", str(calls), "-r", str(max(calls, PER_SECOND)), "-nostdin"),
                *signed,
                *("-trace_msg", "-message_file", self._log, "-trace_err", "-error_file", self._errors),
                *("-timeout", f"{LONGEST_SECONDS}s", "-timeout_error"),
            ],
            folder / f"{name}.screen",
            folder=folder,
        )

    # What it saw.

    @property
    def messages(self) -> list[Message]:
        if not self._log.exists():
            return []
        text = self._log.read_text("utf-8", "replace")
        heads = list(_HEAD.finditer(text))
        ends = [*(head.start() for head in heads[1:]), len(text)] if heads else []
        return [
            Message(datetime.fromisoformat(head[1]).astimezone(), head[2] == "sent", text[head.end() : end])
            for head, end in zip(heads, ends, strict=True)
        ]

    @property
    def said(self) -> list[Message]:
        """Each message once, however often it was repeated."""
        first: dict[object, Message] = {}
        for message in self.messages:
            first.setdefault(message.transaction, message)
        return list(first.values())

    def find(self, begins: str, *, sent: bool | None = None, method: str = "") -> list[Message]:
        """Messages that begin so ("SIP/2.0 200", "BYE"), each once; of responses, those to this method."""
        return [
            message
            for message in self.said
            if message.begins.startswith(begins)
            and (sent is None or message.sent is sent)
            and (not method or message.header("CSeq").endswith(f" {method}"))
        ]

    def wait_for(self, begins: str, *, sent: bool | None = None, method: str = "", count: int = 1) -> Message:
        """The message, as soon as SIPp has sent or received it."""
        found: list[Message] = []

        def there() -> bool:
            runs = self.program.runs
            found[:] = self.find(begins, sent=sent, method=method)
            assert runs or len(found) >= count, self.story
            return len(found) >= count

        wait_until(there, f"{begins} {method} at {self.name}")
        return found[count - 1]

    def far_sound(self) -> tuple[str, int]:
        """Where the latest session description received wants its sound."""
        text = next(one.text for one in reversed(self.messages) if not one.sent and "m=audio " in one.text)
        host, port = (
            re.search(r"^c=IN IP[46] (\S+)", text, re.MULTILINE),
            re.search(r"^m=audio (\d+)", text, re.MULTILINE),
        )
        assert host is not None
        assert port is not None
        return host[1], int(port[1])

    @property
    def story(self) -> str:
        """For the report of a failed test."""
        errors = self._errors.read_text("utf-8", "replace") if self._errors.exists() else ""
        lines = [f"{'->' if one.sent else '<-'} {one.instant:%H:%M:%S.%f} {one.begins}" for one in self.messages]
        return "\n".join([f"{self.name}:", *lines, errors])

    # What it is told.

    def go_on(self) -> None:
        """Hand over the baton; over TCP only to who was called, since SIPp listens as that alone."""
        call_id = re.search(r"^(?:Call-ID|i): *(\S+)", self.messages[-1].text, re.MULTILINE | re.IGNORECASE)
        assert call_id is not None
        lines = [
            f"MESSAGE sip:{self.host}:{self.port} SIP/2.0",
            "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKbaton",
            "From: <sip:test@127.0.0.1>;tag=1",
            f"To: <sip:{self.host}>",
            f"Call-ID: {call_id[1]}",
            "CSeq: 1 MESSAGE",
            "Content-Length: 0",
        ]
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM if self._tcp else socket.SOCK_DGRAM) as conductor:
            conductor.connect((self.host, self.port))
            conductor.sendall("\r\n".join([*lines, "", ""]).encode())

    def finish(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the scenario is played, and fail unless all went as it says."""
        status = self.program.wait(seconds)
        assert status == 0, f"SIPp ended with {status}\n{self.story}\n{self.program.said[-3000:]}"

    def close(self) -> None:
        if self.program.runs:
            self.program.kill()
