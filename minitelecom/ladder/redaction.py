"""
What no ladder may keep: answers to challenges, keys pressed, keys of encrypted sound.

A body keeps its length, so that a message still ends where it says; what is secret in it is covered, byte for byte. A
session description stays as it is but for its keys. Any other body may carry the digits of a card (INFO above all, RFC
6086) and is covered, except a status that was reported (RFC 3420) and the parts of an INVITE.
"""

import re

COVER = b"-"

# Looked for everywhere, as a malformed message has no clear end of its head; in lower case, which is quickest.
_NAME = re.compile(rb"auth(?:orization|entication-info)[ \t]*:")
# The header with the lines it goes on in (7.3.1).
_ANSWER = re.compile(rb"((?:proxy-)?auth[a-z-]+[ \t]*:)([^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*)", re.IGNORECASE)
_PARAMETER = re.compile(rb'([\w-]+)[ \t]*(=[ \t]*(?:"[^"\r\n]*"|[^",\s]*))')
TOLD = frozenset({b"username", b"realm", b"uri", b"algorithm", b"qop", b"nc"})
"""Of an answer to a Digest challenge (22.4): what helps to find a fault, and proves nothing."""

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r")
_KIND = re.compile(rb"[\r\n](?:content-type|c)[ \t]*:[ \t]*([^\s;,]+)", re.IGNORECASE)
_BYTE = re.compile(rb"[^\r\n]")
_SIGNAL = re.compile(rb"[ \t]*Signal[ \t]*[=:]", re.IGNORECASE)
_DURATION = re.compile(rb"[ \t]*Duration[ \t]*[=:][ \t]*[0-9]{1,6}[ \t]*", re.IGNORECASE)
_SESSION_KEY = re.compile(rb"^(k=|a=crypto:[^\r\n]*?inline:|a=ice-pwd:|a=key-mgmt:)([^\r\n]*)", re.MULTILINE)
_URI_PASSWORD = re.compile(rb"(\bsips?:[^\s@:;>?]*:)([^\s@;>]*)(?=@)", re.IGNORECASE)


def redacted(data: bytes) -> bytes:
    """The message as it may be kept."""
    lower = data.lower()
    if b"auth" in lower:
        data = _without_answers(data, lower)
    body = data.find(b"\r\n\r\n") + 4
    if body == len(data):
        return data
    if body < 4:
        found = _BLANK_LINE.search(data)
        body = found.end() if found else len(data)
    if data.startswith(b"v=0", body):
        description = data[body:]
        if b"crypto" in description or b"\nk=" in description or b"-pwd" in description or b"-mgmt" in description:
            return data[:body] + _SESSION_KEY.sub(_key, description)
        return data
    return data[:body] + _body(data[:body], data[body:])


def without_uri_passwords(data: bytes) -> bytes:
    """Addresses of RFC 3261 19.1.1 may carry a password; hardly any does, so they are looked for when somebody reads."""
    return _URI_PASSWORD.sub(_key, data)


def _without_answers(data: bytes, lower: bytes) -> bytes:
    parts, done = [], 0
    for name in _NAME.finditer(lower):
        line = max(lower.rfind(b"\n", 0, name.start()), lower.rfind(b"\r", 0, name.start())) + 1
        found = _ANSWER.match(data, line) if line >= done else None
        if found is not None:
            parts += [data[done:line], _answer(found)]
            done = found.end()
    return b"".join([*parts, data[done:]])


def _answer(found: re.Match[bytes]) -> bytes:
    """The header with what may be told; who answered, not how."""
    value = found[2].strip()
    scheme = value.split(None, 1)[0].lower() if value else b""
    if scheme != b"digest":
        return found[1] + b" " + COVER
    told = [name + what for name, what in _PARAMETER.findall(value, len(scheme)) if name.lower() in TOLD]
    return found[1] + b" Digest " + b", ".join([*told, b'response="' + COVER + b'"'])


def _key(found: re.Match[bytes]) -> bytes:
    return found[1] + COVER * len(found[2])


def _body(head: bytes, body: bytes) -> bytes:
    found = _KIND.search(head)
    kind = found[1].lower() if found else b""
    if kind == b"message/sipfrag" or (kind.startswith(b"multipart/") and head.startswith(b"INVITE ")):
        return _SESSION_KEY.sub(_key, body)
    return b"\n".join(_line(line) for line in body.split(b"\n"))


def _line(line: bytes) -> bytes:
    """A line of a body that may hold keys: of dtmf-relay its names are left, and how long the key was pressed."""
    if _DURATION.fullmatch(line.rstrip(b"\r")):
        return line
    named = _SIGNAL.match(line)
    name = named[0] if named else b""
    return name + _BYTE.sub(COVER, line[len(name) :])
