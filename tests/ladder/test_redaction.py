"""What was secret in a message is nowhere in what is kept of it, however it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.ladder.redaction import redacted, without_uri_passwords

HEAD = b"%s sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nCall-ID: c\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
DIGEST = (
    b'Digest username="101", realm="minitelecom", nonce="n", uri="sip:h", qop=auth, nc=00000001,'
    b' cnonce="cccccc", response="00112233445566778899aabbccddeeff"'
)
SDP = b"v=0\r\no=- 1 1 IN IP4 10.0.0.11\r\ns=-\r\nm=audio 40000 RTP/AVP 8 101\r\n"


def message(method: bytes, kind: bytes, body: bytes) -> bytes:
    return HEAD % (method, kind, len(body)) + body


@pytest.mark.parametrize("name", [b"Authorization", b"Proxy-Authorization", b"AUTHORIZATION", b"proxy-AuThoRizAtion "])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\n\t", b"\r\n  "])
def test_an_answer_to_a_challenge_keeps_its_name_and_loses_its_proof(name: bytes, end: bytes) -> None:
    value = DIGEST.replace(b", cnonce", b"," + end + b"cnonce") if end[-1:] in b"\t " else DIGEST
    line = b"\n" if end == b"\n" else b"\r\n"
    kept = redacted(line.join([b"INVITE sip:1@h SIP/2.0", name + b": " + value, b"Call-ID: c", b"", b""]))
    assert b"00112233" not in kept
    assert b"cccccc" not in kept
    assert b'username="101"' in kept
    assert b'realm="minitelecom"' in kept
    assert kept.endswith(line + b"Call-ID: c" + line + line)


@pytest.mark.parametrize(
    "value", [b"Basic MTAxOnNlY3JldA==", b"Bearer eyJhbGciOi", b"", b"Digest", b'Digest response="x']
)
def test_an_answer_of_another_kind_is_covered(value: bytes) -> None:
    kept = redacted(b"REGISTER sip:h SIP/2.0\r\nAuthorization: " + value + b"\r\nCall-ID: c\r\n\r\n")
    assert value.partition(b" ")[2] == b"" or value.partition(b" ")[2] not in kept
    assert kept.endswith(b"\r\nCall-ID: c\r\n\r\n")


def test_a_proof_that_the_server_gives_is_covered_too() -> None:
    kept = redacted(b'SIP/2.0 200 OK\r\nAuthentication-Info: rspauth="0011", nextnonce="22"\r\n\r\n')
    assert b"0011" not in kept


def test_a_session_description_stays_as_it_is() -> None:
    plain = message(b"INVITE", b"application/sdp", SDP)
    assert redacted(plain) == plain
    keyed = SDP + b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S2V5S2V5|2^20\r\na=ice-pwd:asd88\r\nk=clear:abc\r\n"
    kept = redacted(message(b"INVITE", b"application/sdp", keyed))
    assert len(kept) == len(message(b"INVITE", b"application/sdp", keyed))
    assert b"AES_CM_128_HMAC_SHA1_80 inline:---" in kept
    assert not any(secret in kept for secret in (b"S2V5", b"asd88", b"clear:abc"))


def test_the_keys_of_a_card_are_covered_and_the_shape_of_the_message_stays() -> None:
    kept = redacted(message(b"INFO", b"application/dtmf-relay", b"Signal=7\r\nDuration=160\r\n"))
    assert kept == message(b"INFO", b"application/dtmf-relay", b"Signal=-\r\nDuration=160\r\n")
    assert redacted(message(b"INFO", b"application/dtmf", b"7")) == message(b"INFO", b"application/dtmf", b"-")


@given(
    digits=st.text("0123456789*#ABCD", min_size=1, max_size=20),
    form=st.sampled_from(["{}", "Signal={}", "Signal: {}\r\nDuration=100", "\r\nsignal = {}\n", '<kpml digits="{}"/>']),
    kind=st.sampled_from([b"application/dtmf-relay", b"APPLICATION/DTMF", b"application/kpml-response+xml", b"", b"x"]),
    method=st.sampled_from([b"INFO", b"NOTIFY", b"MESSAGE", b"info", b"INVITE"]),
)
def test_whoever_keys_a_digit_finds_it_in_no_body(digits: str, form: str, kind: bytes, method: bytes) -> None:
    body = form.format(digits).encode()
    whole = message(method, kind, body)
    kept = redacted(whole)
    assert len(kept) == len(whole)
    left = kept[len(whole) - len(body) :].replace(b"Duration=100", b"")
    assert not any(digit in left for digit in (bytes([byte]) for byte in b"0123456789*#"))


@given(st.binary(max_size=300), st.sampled_from([b"", b"INFO sip:1@h SIP/2.0\r\n", b"\r\nAuthorization: Digest "]))
def test_any_bytes_are_taken_and_what_is_covered_stays_so(noise: bytes, start: bytes) -> None:
    once = redacted(start + noise)
    assert redacted(once) == once


def test_a_password_in_an_address_is_not_shown() -> None:
    shown = without_uri_passwords(b"From: <sip:101:secret@h:5060>\r\nTo: <sip:102@h:5060>\r\n")
    assert shown == b"From: <sip:101:------@h:5060>\r\nTo: <sip:102@h:5060>\r\n"
