"""
What SIPp is to do, as its XML: telephones that call and register, carriers of every behaviour.

A scenario that stands at a baton goes on when the test sends it a MESSAGE (Sipp.go_on), so a story is told by the test
and not by pauses.  Each transaction has a branch of its own, and the ACK of a refusal that of its INVITE (RFC 3261
17.1.1.3).
"""

from collections.abc import Sequence
from pathlib import Path

FORMATS = {0: "PCMU", 8: "PCMA"}
VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]c[call_number]t{};rport"
END = '<label id="end"/>\n<nop/>'


def scenario(name: str, *steps: str) -> str:
    """The whole file."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<!DOCTYPE scenario SYSTEM "sipp.dtd">',
        f'<scenario name="{name}">',
        *steps,
        "</scenario>",
    ]
    return "\n".join(lines)


def send(text: str, *, repeat: bool = False, body: str = "", kind: str = "application/sdp") -> str:
    """A message; a request, and an answer that wants an ACK, is repeated until it comes."""
    head = text.strip()
    if body:
        head += f"\nContent-Type: {kind}"
    retransmission = ' retrans="500"' if repeat else ""
    return f"<send{retransmission}><![CDATA[\n\n{head}\nContent-Length: [len]\n\n{body}\n]]></send>"


def receive(status: int, **attributes: str) -> str:
    return f'<recv response="{status}"{_written(attributes)}/>'


def receive_request(method: str, action: str = "", **attributes: str) -> str:
    head = f'<recv request="{method}"{_written(attributes)}'
    return f"{head}><action>{action}</action></recv>" if action else f"{head}/>"


def _written(attributes: dict[str, str]) -> str:
    return "".join(f' {name}="{value}"' for name, value in attributes.items())


def baton() -> str:
    """Here the scenario waits for the test."""
    return receive_request("MESSAGE")


def pause(seconds: float) -> str:
    return f'<pause milliseconds="{round(seconds * 1000)}"/>'


def play(path: Path, payload_type: int = 8) -> str:
    """SIPp itself sends a file of encoded samples as RTP, once."""
    sound = f"{path},1,{payload_type},{FORMATS[payload_type]}/8000"
    return f'<nop><action><exec rtp_stream="{sound}"/></action></nop>'


def description(port: int | str, *, codecs: Sequence[int] = (8, 0), events: bool = True) -> str:
    """SDP of one stream of sound."""
    formats = [str(codec) for codec in codecs] + (["101"] if events else [])
    maps = [f"a=rtpmap:{codec} {FORMATS[codec]}/8000" for codec in codecs]
    maps += ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"] if events else []
    ours = "IN IP[media_ip_type] [media_ip]"
    head = ["v=0", f"o=sipp 1 1 {ours}", "s=-", f"c={ours}", "t=0 0"]
    return "\n".join([*head, f"m=audio {port} RTP/AVP {' '.join(formats)}", *maps, "a=ptime:20"])


# --- who calls -------------------------------------------------------------------------------------------------------


class Calling:
    """The steps of one telephone that calls one number; a password is for who is asked for one."""

    def __init__(self, name: str, password: str | None, number: str, body: str) -> None:
        self._name = name
        self._password = password
        self._uri = f"sip:{number}@[remote_ip]:[remote_port]"
        self._body = body
        self._sequence = 1 if password is None else 2
        """Of the INVITE that counts, and of its transaction."""
        self._last = self._sequence

    def _request(self, method: str, uri: str, transaction: int, sequence: int, *more: str, tag: bool = True) -> str:
        lines = [
            f"{method} {uri} SIP/2.0",
            VIA.format(transaction),
            f"From: <sip:{self._name}@[remote_ip]>;tag=[pid]f[call_number]",
            f"To: <{self._uri}>{'[peer_tag_param]' if tag else ''}",
            "Call-ID: [call_id]",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:{self._name}@[local_ip]:[local_port]>",
            "Max-Forwards: 70",
            "User-Agent: SIPp",
            *more,
        ]
        return "\n".join(lines)

    def _invite(self, sequence: int, *more: str) -> str:
        invite = self._request("INVITE", self._uri, sequence, sequence, *more, tag=False)
        return send(invite, repeat=True, body=self._body)

    def _acknowledge_refusal(self, sequence: int) -> str:
        return send(self._request("ACK", self._uri, sequence, sequence))

    def invite(self) -> str:
        """INVITE, twice where credentials are wanted."""
        if self._password is None:
            return self._invite(1)
        credentials = f"[authentication username={self._name} password={self._password}]"
        challenged = receive(407, auth="true")
        return "\n".join([self._invite(1), challenged, self._acknowledge_refusal(1), self._invite(2, credentials)])

    def progress(self) -> str:
        return "\n".join(receive(status, optional="true") for status in (100, 180, 183))

    def answered(self) -> str:
        """200 and its ACK."""
        self._last += 1
        ack = self._request("ACK", "[next_url]", self._last, self._sequence, "[routes]")
        return "\n".join([self.progress(), receive(200, rrs="true"), send(ack)])

    def refused(self, status: int) -> str:
        return "\n".join([self.progress(), receive(status), self._acknowledge_refusal(self._sequence), END])

    def cancelled(self) -> str:
        """Rings, and at the baton CANCEL: the INVITE's branch and number (RFC 3261 9.1)."""
        cancel = self._request("CANCEL", self._uri, self._sequence, self._sequence, tag=False)
        return "\n".join(
            [
                receive(100, optional="true"),
                receive(180),
                baton(),
                send(cancel, repeat=True),
                receive(200),
                receive(487),
                self._acknowledge_refusal(self._sequence),
                END,
            ]
        )

    def request(self, method: str, body: str = "", kind: str = "", then: str = "") -> str:
        """A request within the dialog, and its 200."""
        self._last += 1
        request = self._request(method, "[next_url]", self._last, self._last, "[routes]")
        answered = receive(200, next=then) if then else receive(200)
        return "\n".join([send(request, repeat=True, body=body, kind=kind), answered])

    def info_keys(self, keys: str) -> str:
        """Keys by INFO, as Cisco's telephones write them."""
        kind = "application/dtmf-relay"
        return "\n".join(self.request("INFO", f"Signal={key}\nDuration=160", kind) for key in keys)

    def refer(self, to: str) -> str:
        """At the baton REFER; what is told of it ends in success, and the far end parts."""
        self._last += 1
        request = self._request("REFER", "[next_url]", self._last, self._last, "[routes]", f"Refer-To: {to}")
        told = [receive_request("NOTIFY"), respond(200)]
        parted = [receive_request("BYE"), respond(200), END]
        return "\n".join([baton(), send(request, repeat=True), receive(202), *told, *told, *parted])

    def talk(self) -> str:
        """Until the baton, then BYE; or until the far end's BYE."""
        return talk(self.request("BYE", then="end"))


def talk(bye: str) -> str:
    return "\n".join(
        [
            receive_request("BYE", optional="true", next="left"),
            baton(),
            bye,
            '<label id="left"/>',
            respond(200),
            END,
        ]
    )


def registration(name: str, password: str, expires: int = 3600, expected: int = 200) -> str:
    """REGISTER, challenged by 401 (RFC 3261 22.2)."""

    def request(sequence: int, *more: str) -> str:
        lines = [
            "REGISTER sip:[remote_ip]:[remote_port] SIP/2.0",
            VIA.format(sequence),
            f"From: <sip:{name}@[remote_ip]>;tag=[pid]f[call_number]",
            f"To: <sip:{name}@[remote_ip]>",
            "Call-ID: [call_id]",
            f"CSeq: {sequence} REGISTER",
            f"Contact: <sip:{name}@[local_ip]:[local_port]>",
            f"Expires: {expires}",
            "Max-Forwards: 70",
            "User-Agent: SIPp",
            *more,
        ]
        return send("\n".join(lines), repeat=True)

    credentials = f"[authentication username={name} password={password}]"
    return scenario("register", request(1), receive(401, auth="true"), request(2, credentials), receive(expected), END)


# --- who is called ---------------------------------------------------------------------------------------------------

REMEMBERED = {"caller": "From:", "called": "To:", "invite_sequence": "CSeq:", "invite_via": "Via:"}
TAG = ";tag=[pid]u[call_number]"


def respond(status: int, *more: str, tag: str = "", body: str = "", repeat: bool = False) -> str:
    """A response to the latest request."""
    lines = [f"SIP/2.0 {status} SIPp", "[last_Via:]", "[last_Record-Route:]", "[last_From:]", f"[last_To:]{tag}"]
    return send("\n".join([*lines, "[last_Call-ID:]", "[last_CSeq:]", *more]), body=body, repeat=repeat)


def called(*steps: str) -> str:
    """Whoever is called: the INVITE is taken, and what is needed of it later is kept."""
    kept = "".join(
        f'<ereg regexp=".*" search_in="hdr" header="{header}" assign_to="{name}"/>'
        for name, header in REMEMBERED.items()
    )
    use = f'<Reference variables="{",".join(REMEMBERED)}"/>'
    return scenario("called", receive_request("INVITE", kept, rrs="true"), respond(100), *steps, END, use)


CONTACT = "Contact: <sip:carrier@[local_ip]:[local_port]>"


def rings(body: str = "") -> str:
    """180, or with a description of early sound 183."""
    return respond(183 if body else 180, CONTACT, tag=TAG, body=body)


def answers(body: str) -> str:
    """Answers, and talks until the baton or the far end's BYE."""
    bye = asks("BYE", 1, then="end")
    talking = talk(bye)
    accepted = respond(200, CONTACT, tag=TAG, body=body, repeat=True)
    return "\n".join([accepted, receive_request("ACK"), talking.removesuffix(END)])


def asks(method: str, sequence: int, *more: str, body: str = "", then: str = "", status: int = 200) -> str:
    """A request of whoever was called, and its answer."""
    lines = [
        f"{method} [next_url] SIP/2.0",
        VIA.format(f"{method.lower()}{sequence}"),
        f"From:[$called]{TAG}",
        "To:[$caller]",
        "[last_Call-ID:]",
        f"CSeq: {sequence} {method}",
        "Max-Forwards: 70",
        "[routes]",
        *more,
    ]
    answered = receive(status, next=then) if then else receive(status)
    return "\n".join([send("\n".join(lines), repeat=True, body=body), answered])


def rings_reliably(body: str) -> str:
    """183 that wants a PRACK (RFC 3262)."""
    early = respond(183, CONTACT, "Require: 100rel", "RSeq: 4711", tag=TAG, body=body)
    return "\n".join([early, receive_request("PRACK"), respond(200)])


def answers_after_prack(*then: str) -> str:
    """200 without a description, since that has arrived; and what is done until the BYE."""
    accepted = [
        "SIP/2.0 200 OK",
        "Via:[$invite_via]",
        "From:[$caller]",
        f"To:[$called]{TAG}",
        "[last_Call-ID:]",
        "CSeq:[$invite_sequence]",
        CONTACT,
        "Session-Expires: 1800;refresher=uac",
        "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE",
    ]
    return "\n".join(
        [send("\n".join(accepted), repeat=True), receive_request("ACK"), *then, asks("BYE", 9, then="end")]
    )


def refuses(status: int, *more: str) -> str:
    return "\n".join([respond(status, *more, tag=TAG, repeat=True), receive_request("ACK")])


def is_cancelled() -> str:
    """Waits for CANCEL and ends its INVITE with 487."""
    terminated = [
        "SIP/2.0 487 Request Terminated",
        "[last_Via:]",
        "[last_From:]",
        f"[last_To:]{TAG}",
        "[last_Call-ID:]",
        "CSeq:[$invite_sequence]",
    ]
    return "\n".join(
        [
            receive_request("CANCEL"),
            respond(200, tag=TAG),
            send("\n".join(terminated), repeat=True),
            receive_request("ACK"),
        ]
    )
