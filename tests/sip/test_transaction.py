"""
The four machines against their figures, line by line, without a clock.

Each figure is written here as its arrows: state, input -> what is done, next state. "A" starts timer A, "-A" stops it.
"""

import pytest

from minitelecom.sip.effects import (
    T1,
    T2,
    T4,
    TIMEOUT,
    Deliver,
    Effect,
    Fail,
    Input,
    Send,
    SendCancel,
    Start,
    State,
    Stop,
    Timer,
)
from minitelecom.sip.message import Request, Response, parse
from minitelecom.sip.transaction import (
    InviteClient,
    InviteServer,
    NonInviteClient,
    NonInviteServer,
    Transaction,
    acknowledgement,
    cancellation,
    classify,
)


def request(method: str = "INVITE") -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff"),
        ("Route", "<sip:one.example;lr>"),
        ("Route", "<sip:two.example;lr>"),
        ("To", "Bob <sip:bob@biloxi.com>"),
        ("From", "Alice <sip:alice@atlanta.com>;tag=88sja8x"),
        ("Call-ID", "987asjd97y7atg"),
        ("CSeq", f"986759 {method}"),
        ("Max-Forwards", "70"),
    ]
    return Request.create(method, "sip:bob@biloxi.com", headers)


def response(status: int, method: str = "INVITE") -> Response:
    return request(method).response(status, to_tag="99sa0xk")


def written(effects: list[Effect]) -> list[str]:
    return [_word(effect) for effect in effects]


def _word(effect: Effect) -> str:
    match effect:
        case Send():
            message = parse(effect.data)
            return f"send {message.method if isinstance(message, Request) else message.status}"
        case Start():
            return f"{effect.timer.value} {effect.seconds:g}"
        case Stop():
            return f"-{effect.timer.value}"
        case Deliver():
            message = effect.message
            return f"tell {message.method if isinstance(message, Request) else message.status}"
        case Fail():
            return f"fail {effect.cause.value}"
        case _:
            return type(effect).__name__


MESSAGES = {
    Input.PROVISIONAL: response(180),
    Input.SUCCESS: response(200),
    Input.FAILURE: response(486),
    Input.ACK: request("ACK"),
}

INVITE_CLIENT = """
    Calling     A                send INVITE, A 1                                   Calling
    Calling     B                -A, -B, -cancelled, fail B                         Terminated
    Calling     transport error  -A, -B, -cancelled, fail transport error           Terminated
    Calling     1xx              -A, -B, tell 180                                   Proceeding
    Calling     2xx              -A, -B, -cancelled, M 32, tell 200                 Accepted
    Calling     300-699          -A, -B, -cancelled, send ACK, D 32, tell 486       Completed
    Calling     the TU cancels                                                      Calling
    Proceeding  1xx              tell 180                                           Proceeding
    Proceeding  2xx              -A, -B, -cancelled, M 32, tell 200                 Accepted
    Proceeding  300-699          -A, -B, -cancelled, send ACK, D 32, tell 486       Completed
    Proceeding  the TU cancels   cancelled 32, SendCancel                           Proceeding
    Proceeding  cancelled        -A, -B, -cancelled, fail cancelled                 Terminated
    Accepted    2xx              tell 200                                           Accepted
    Accepted    M                                                                   Terminated
    Completed   300-699          send ACK                                           Completed
    Completed   transport error  fail transport error                               Terminated
    Completed   D                                                                   Terminated
"""

NON_INVITE_CLIENT = """
    Trying      E                send BYE, E 1                                      Trying
    Trying      F                -E, -F, fail F                                     Terminated
    Trying      transport error  -E, -F, fail transport error                       Terminated
    Trying      1xx              tell 180                                           Proceeding
    Trying      2xx              -E, -F, K 5, tell 200                              Completed
    Trying      300-699          -E, -F, K 5, tell 486                              Completed
    Proceeding  E                send BYE, E 4                                      Proceeding
    Proceeding  F                -E, -F, fail F                                     Terminated
    Proceeding  transport error  -E, -F, fail transport error                       Terminated
    Proceeding  1xx              tell 180                                           Proceeding
    Proceeding  2xx              -E, -F, K 5, tell 200                              Completed
    Proceeding  300-699          -E, -F, K 5, tell 486                              Completed
    Completed   K                                                                   Terminated
"""

INVITE_SERVER = """
    Proceeding  100 Trying             send 100                                     Proceeding
    Proceeding  the request again      send 180                                     Proceeding
    Proceeding  1xx                    -100 Trying, send 180                        Proceeding
    Proceeding  2xx                    -100 Trying, send 200, L 32                  Accepted
    Proceeding  300-699                -100 Trying, send 486, G 0.5, H 32           Completed
    Proceeding  transport error        fail transport error                         Proceeding
    Accepted    the request again                                                   Accepted
    Accepted    ACK                    tell ACK                                     Accepted
    Accepted    2xx                    send 200                                     Accepted
    Accepted    transport error        fail transport error                         Accepted
    Accepted    L                                                                   Terminated
    Completed   the request again      send 486                                     Completed
    Completed   G                      send 486, G 1                                Completed
    Completed   H                      -G, fail H                                   Terminated
    Completed   transport error        fail transport error                         Completed
    Completed   ACK                    -G, -H, I 5                                  Confirmed
    Confirmed   I                                                                   Terminated
"""

NON_INVITE_SERVER = """
    Trying      1xx                    send 180                                     Proceeding
    Trying      2xx                    send 200, J 32                               Completed
    Trying      300-699                send 486, J 32                               Completed
    Proceeding  the request again      send 180                                     Proceeding
    Proceeding  1xx                    send 180                                     Proceeding
    Proceeding  2xx                    send 200, J 32                               Completed
    Proceeding  300-699                send 486, J 32                               Completed
    Proceeding  transport error        fail transport error                         Terminated
    Completed   the request again      send 200                                     Completed
    Completed   transport error        fail transport error                         Terminated
    Completed   J                                                                   Terminated
"""

FIGURES = {
    InviteClient: INVITE_CLIENT,
    NonInviteClient: NON_INVITE_CLIENT,
    InviteServer: INVITE_SERVER,
    NonInviteServer: NON_INVITE_SERVER,
}

# How to come into a state.
WAYS = {
    InviteClient: {
        State.PROCEEDING: [Input.PROVISIONAL],
        State.ACCEPTED: [Input.SUCCESS],
        State.COMPLETED: [Input.FAILURE],
        State.TERMINATED: [Timer.B],
    },
    NonInviteClient: {
        State.PROCEEDING: [Input.PROVISIONAL],
        State.COMPLETED: [Input.SUCCESS],
        State.TERMINATED: [Timer.F],
    },
    InviteServer: {
        State.PROCEEDING: [Input.PROVISIONAL],
        State.ACCEPTED: [Input.SUCCESS],
        State.COMPLETED: [Input.FAILURE],
        State.CONFIRMED: [Input.FAILURE, Input.ACK],
        State.TERMINATED: [Input.FAILURE, Timer.H],
    },
    NonInviteServer: {
        State.PROCEEDING: [Input.PROVISIONAL],
        State.COMPLETED: [Input.SUCCESS],
        State.TERMINATED: [Input.SUCCESS, Timer.J],
    },
}

INPUTS = {word.value: word for word in (*Input, *Timer)}


def machine_in(kind: type[Transaction], state: State, *, reliable: bool = False) -> Transaction:
    machine = kind(request("INVITE" if kind in {InviteClient, InviteServer} else "BYE"), reliable=reliable)
    for step in WAYS[kind].get(state, []):
        machine.handle(step, MESSAGES.get(step))
    assert machine.state is state
    return machine


def arrows():
    for kind, figure in FIGURES.items():
        for line in figure.strip().splitlines():
            line = line.strip()
            state, rest = line.split(maxsplit=1)
            before, after = rest.rsplit(maxsplit=1)
            happened = max((word for word in INPUTS if before.startswith(word)), key=len)
            done = [word.strip() for word in before.removeprefix(happened).split(",")]
            yield kind, State(state), INPUTS[happened], [word for word in done if word], State(after)


@pytest.mark.parametrize(("kind", "state", "happened", "done", "following"), list(arrows()))
def test_an_arrow_of_the_figure(kind, state, happened, done, following):
    machine = machine_in(kind, state)
    assert (written(machine.handle(happened, MESSAGES.get(happened))), machine.state) == (done, following)


@pytest.mark.parametrize("kind", FIGURES)
def test_every_row_of_the_table_is_an_arrow_of_the_figure(kind):
    drawn = {(state, happened) for of, state, happened, _, _ in arrows() if of is kind}
    assert set(kind.table) == drawn


# What can happen in a state and means nothing there. Everything else a machine never sees: timers that don't run in
# that state, inputs that belong to the other side.
ABSENT = {
    InviteClient: """
        Proceeding: transport error
        Accepted: 1xx, 300-699, the TU cancels, transport error
        Completed: 1xx, 2xx, the TU cancels
        Terminated: 1xx, 2xx, 300-699, the TU cancels, transport error
    """,
    NonInviteClient: """
        Completed: 1xx, 2xx, 300-699, transport error
        Terminated: 1xx, 2xx, 300-699, transport error
    """,
    InviteServer: """
        Proceeding: ACK
        Accepted: 1xx, 300-699
        Completed: 1xx, 2xx, 300-699
        Confirmed: 1xx, 2xx, 300-699, the request again, ACK, transport error
        Terminated: 1xx, 2xx, 300-699, the request again, ACK, transport error
    """,
    NonInviteServer: """
        Trying: the request again, transport error
        Completed: 1xx, 2xx, 300-699
        Terminated: 1xx, 2xx, 300-699, the request again, transport error
    """,
}


@pytest.mark.parametrize("kind", FIGURES)
def test_absent_rows_are_absent_on_purpose(kind):
    seen = {happened for _, happened in kind.table if isinstance(happened, Input)}
    states = [*dict.fromkeys(state for state, _ in kind.table), State.TERMINATED]
    absent = {(state, happened) for state in states for happened in seen if (state, happened) not in kind.table}
    listed = set()
    for line in ABSENT[kind].strip().splitlines():
        state, _, words = line.strip().partition(": ")
        listed |= {(State(state), INPUTS[word.strip()]) for word in words.split(",")}
    assert absent == listed


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind, ways in WAYS.items() for state in ways])
def test_what_the_table_does_not_name_changes_nothing(kind, state):
    for happened in (*Input, *Timer):
        machine = machine_in(kind, state)
        if (state, happened) not in machine.table:
            assert (machine.handle(happened, MESSAGES.get(happened)), machine.state) == ([], state)


@pytest.mark.parametrize(("kind", "state", "happened"), [(kind, *row) for kind in FIGURES for row in kind.table])
def test_the_user_is_told_last(kind, state, happened):
    machine = machine_in(kind, state)
    told = [isinstance(effect, Deliver | Fail) for effect in machine.handle(happened, MESSAGES.get(happened))]
    assert not any(told[:-1])


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        (InviteClient, ["send INVITE", "A 0.5", "B 32"]),
        (NonInviteClient, ["send BYE", "E 0.5", "F 32"]),
        (InviteServer, ["100 Trying 0.01", "tell INVITE"]),
        (NonInviteServer, ["tell BYE"]),
    ],
)
def test_a_transaction_begins(kind, begins):
    machine = machine_in(kind, kind.first) if kind is not InviteServer else InviteServer(request())
    assert written(machine.start()) == begins


def test_over_a_reliable_transport_nothing_is_retransmitted_and_nothing_lingers():
    assert written(machine_in(InviteClient, State.CALLING, reliable=True).start()) == ["send INVITE", "B 32"]
    assert written(machine_in(NonInviteClient, State.TRYING, reliable=True).start()) == ["send BYE", "F 32"]
    client = machine_in(InviteClient, State.CALLING, reliable=True)
    assert "D 0" in written(client.handle(Input.FAILURE, response(486)))
    server = machine_in(InviteServer, State.PROCEEDING, reliable=True)
    assert written(server.handle(Input.FAILURE, response(486))) == ["-100 Trying", "send 486", "H 32"]
    assert "I 0" in written(server.handle(Input.ACK, request("ACK")))


def intervals(machine: Transaction, timer: Timer, fires: int) -> list[float]:
    found = []
    for _ in range(fires):
        found += [effect.seconds for effect in machine.handle(timer) if isinstance(effect, Start)]
    return found


def test_timer_a_doubles_without_end_and_e_and_g_up_to_t2():
    assert intervals(machine_in(InviteClient, State.CALLING), Timer.A, 6) == [1, 2, 4, 8, 16, 32]
    assert intervals(machine_in(NonInviteClient, State.TRYING), Timer.E, 5) == [1, 2, 4, 4, 4]
    assert intervals(machine_in(InviteServer, State.COMPLETED), Timer.G, 5) == [1, 2, 4, 4, 4]
    assert (T1, T2, T4, TIMEOUT) == (0.5, 4, 5, 32)


def test_a_retransmission_is_the_bytes_that_were_sent():
    invite = request()
    machine = InviteClient(invite)
    first = machine.start()[0]
    invite.set("Subject", "somebody touched me")
    assert machine.handle(Timer.A)[0] == first


def test_a_cancel_before_any_provisional_response_waits_for_one():
    machine = machine_in(InviteClient, State.CALLING)
    assert machine.handle(Input.CANCEL) == []
    assert written(machine.handle(Input.PROVISIONAL, response(180))) == [
        "-A",
        "-B",
        "cancelled 32",
        "SendCancel",
        "tell 180",
    ]
    assert machine.handle(Input.CANCEL) == []


def test_a_cancel_is_sent_once():
    machine = machine_in(InviteClient, State.PROCEEDING)
    assert SendCancel() in machine.handle(Input.CANCEL)
    assert machine.handle(Input.CANCEL) == []


def test_an_invite_repeated_before_any_answer_is_absorbed():
    assert InviteServer(request()).handle(Input.REQUEST) == []


def test_a_100_of_the_machine_s_own_has_no_tag():
    server = InviteServer(request())
    (sent,) = server.handle(Timer.TRYING)
    trying = parse(sent.data)
    assert (trying.status, trying.to.tag) == (100, None)
    assert server.handle(Input.REQUEST) == [sent]


def test_the_ack_of_a_refusal():
    """RFC 3261 section 17.1.1.3, and the To of the response."""
    ack = acknowledgement(request(), response(486))
    assert ack.encode().decode().split("\r\n") == [
        "ACK sip:bob@biloxi.com SIP/2.0",
        "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff",
        "Route: <sip:one.example;lr>",
        "Route: <sip:two.example;lr>",
        "Max-Forwards: 70",
        "From: Alice <sip:alice@atlanta.com>;tag=88sja8x",
        "To: Bob <sip:bob@biloxi.com>;tag=99sa0xk",
        "Call-ID: 987asjd97y7atg",
        "CSeq: 986759 ACK",
        "Content-Length: 0",
        "",
        "",
    ]


def test_a_cancel_has_the_to_of_the_request():
    cancel = cancellation(request())
    assert (cancel.method, cancel.get("To"), str(cancel.cseq)) == (
        "CANCEL",
        "Bob <sip:bob@biloxi.com>",
        "986759 CANCEL",
    )
    assert cancel.via == request().via


def test_statuses_are_classified():
    statuses = (100, 199, 200, 299, 300, 699)
    expected = [Input.PROVISIONAL] * 2 + [Input.SUCCESS] * 2 + [Input.FAILURE] * 2
    assert list(map(classify, statuses)) == expected


def test_effects_are_values():
    assert Start(Timer.A, 0.5) == Start(Timer.A, 0.5) != Start(Timer.A, 1)
    assert Stop(Timer.A) != Start(Timer.A, 0)
    assert len({Send(b"x"), Send(b"x"), Send(b"y")}) == 2
    assert repr(Stop(Timer.A)) == f"Stop({Timer.A!r})"
