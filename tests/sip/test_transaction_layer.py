"""The transaction layer: matching, cancelling, absorbing, refusing, and nothing left over."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minitelecom.sip.acceptance import Acceptance
from minitelecom.sip.client_user import Failure
from minitelecom.sip.framing import Broken
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from tests.sip.wire import OURS, PHONE, Bench, Recorder, ask, own


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.user.transactions.clear()
    bench.wait(70)
    assert (len(bench.layer), bench.layer.timers_alive) == (0, 0), "something was left over"
    assert not bench.layer._arrivals


# Requests that come.


def test_a_request_is_told_once_and_its_answer_repeated_as_often_as_it_is(bench):
    bench.receive(ask("OPTIONS"))
    bench.receive(ask("OPTIONS"))
    assert bench.said() == []
    bench.user.answer(200)
    bench.receive(ask("OPTIONS"))
    assert bench.sent[0][1].encode() == bench.sent[1][1].encode()
    assert (len(bench.user.transactions), bench.said(), bench.layer.counts.repeated) == (1, [200, 200], 2)


def test_an_invite_is_answered_100_when_the_user_takes_its_time(bench):
    bench.receive(ask())
    bench.clock.advance(0.005)
    assert bench.said() == []
    bench.clock.advance(0.01)
    assert bench.said() == [100]
    bench.user.answer(486)
    bench.receive(ask("ACK"))
    assert bench.said() == [486]


def test_an_invite_answered_at_once_gets_no_100(bench):
    bench.receive(ask())
    bench.user.answer(180)
    bench.user.answer(404)
    bench.receive(ask("ACK"))
    bench.wait(1)
    assert bench.said() == [180, 404]


def test_a_refusal_is_repeated_until_its_ack_and_the_ack_is_absorbed(bench):
    bench.receive(ask())
    bench.user.answer(486)
    bench.wait(3.5)
    assert bench.said() == [486] * 4  # at 0, 0.5, 1.5, 3.5
    bench.receive(ask("ACK", to="<sip:100@shop>;tag=x"))
    bench.wait(20)
    assert (bench.said(), bench.user.acks) == ([], [])


def test_a_refusal_never_acknowledged_is_reported_after_32_seconds(bench):
    bench.receive(ask())
    failures = []
    bench.user.transactions[0].on_failure = failures.append
    bench.user.answer(486)
    bench.wait(31.9)
    assert failures == []
    bench.wait(0.2)
    assert (failures, len(bench.layer)) == ([Failure.TIMEOUT], 0)


def test_the_ack_of_a_2xx_is_told_whatever_its_branch(bench):
    bench.receive(ask())
    bench.user.answer(200)
    bench.receive(ask("ACK", branch="z9hG4bKother"))
    bench.receive(ask("ACK"))  # a telephone that doesn't change it
    assert len(bench.user.acks) == 2


def test_a_2xx_is_repeated_by_its_acceptance_until_the_ack_comes(bench):
    bench.receive(ask())
    transaction = bench.user.transactions[0]
    given_up = []
    accepted = Acceptance(
        bench.layer.timers, transaction, transaction.request.response(200), lambda: given_up.append(True)
    )
    bench.wait(11.6)
    assert bench.said() == [200] * 6  # at 0, 0.5, 1.5, 3.5, 7.5, 11.5
    accepted.acknowledged()
    bench.wait(40)
    assert (bench.said(), given_up, accepted.waiting) == ([], [], False)


def test_a_2xx_never_acknowledged_is_given_up_after_64_t1(bench):
    bench.receive(ask())
    transaction = bench.user.transactions[0]
    given_up = []
    Acceptance(bench.layer.timers, transaction, transaction.request.response(200), lambda: given_up.append(True))
    bench.wait(32.1)
    assert (bench.said(), given_up) == ([200] * 11, [True])


def test_a_repeated_invite_is_absorbed_after_the_2xx(bench):
    bench.receive(ask())
    bench.user.answer(200)
    bench.receive(ask())
    assert (bench.said(), len(bench.user.transactions)) == ([200], 1)


def test_every_answer_but_100_has_a_to_tag_and_always_the_same(bench):
    bench.receive(ask())
    bench.user.answer(180)
    bench.user.answer(200)
    first, second = (message.to.tag for _, message in bench.sent)
    assert first == second is not None


def test_a_second_final_answer_changes_nothing(bench):
    bench.receive(ask("BYE"))
    bench.user.answer(200)
    assert bench.user.transactions[0].answered
    bench.user.answer(500)
    assert bench.said() == [200]


# Where answers go.


def test_an_answer_goes_to_the_source_whatever_the_via_says(bench):
    router = Hop("udp", "203.0.113.50", 40001)
    bench.receive(ask("OPTIONS"), router)
    bench.user.answer(200)
    hop, answer = bench.sent[0]
    assert (hop, answer.via.received, "rport" in answer.via.parameters) == (router, "203.0.113.50", False)


def test_rport_is_filled_in_where_it_is_asked_for(bench):
    bench.receive(ask("OPTIONS", via="SIP/2.0/UDP 192.0.2.7:5062;rport;branch=z9hG4bKr"))
    bench.user.answer(200)
    assert (bench.last.via.received, bench.last.via.rport) == ("192.0.2.7", 5062)


def test_a_via_that_is_right_stays_untouched(bench):
    bench.receive(ask("OPTIONS"))
    bench.user.answer(200)
    assert bench.last.get("Via") == "SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKabc"


# Telephones of RFC 2543.


def test_a_telephone_without_branches_is_matched_by_what_it_does_say(bench):
    """An ATA 186: no branch, no port, and the ACK of a refusal has another Request-URI."""
    old = {"branch": None, "via": "SIP/2.0/UDP 192.0.2.7"}
    bench.receive(ask(**old))
    bench.receive(ask(**old))
    bench.user.answer(407)
    bench.receive(ask("ACK", uri="sip:198.51.100.1", cseq="1 ACK", to="<sip:100@shop>;tag=t", **old))
    bench.wait(3)
    assert (bench.said(), len(bench.user.transactions), bench.user.acks) == ([407], 1, [])
    bench.receive(ask(cseq="2 INVITE", **old))
    assert len(bench.user.transactions) == 2
    bench.receive(ask("CANCEL", cseq="2 CANCEL", **old))
    bench.user.answer(487)
    bench.receive(ask("ACK", cseq="2 ACK", **old))
    assert bench.said() == [200, 487]


def test_a_branch_without_the_cookie_is_no_key_of_its_own(bench):
    bench.receive(ask(branch="1"))
    bench.receive(ask(branch="1", call_id="another"))
    assert len(bench.user.transactions) == 2
    for transaction in bench.user.transactions:
        transaction.respond(transaction.request.response(200))


@pytest.mark.parametrize(
    "changed",
    [{"branch": "z9hG4bKx"}, {"via": "SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKabc"}, {"cseq": "1 OPTIONS"}],
)
def test_another_branch_sender_or_method_is_another_transaction(bench, changed):
    bench.receive(ask("BYE", to="<sip:100@shop>;tag=t"))
    method = changed.get("cseq", "1 BYE").split()[1]
    bench.receive(ask(method, to="<sip:100@shop>;tag=t", **changed))
    assert len(bench.user.transactions) == 2
    for transaction in bench.user.transactions:
        transaction.respond(transaction.request.response(200))


# CANCEL.


def test_a_cancel_is_answered_with_the_tag_of_the_invite_and_told(bench):
    bench.receive(ask())
    bench.user.answer(180, to_tag="ring")
    heard = []
    bench.user.transactions[0].on_cancel = lambda: (heard.append(True), bench.user.answer(487, to_tag="ring"))
    bench.receive(ask("CANCEL"))
    bench.receive(ask("CANCEL"))
    assert [message.to.tag for _, message in bench.sent] == ["ring"] * 4
    assert (bench.said(), heard) == ([180, 200, 487, 200], [True])
    bench.receive(ask("ACK"))


def test_a_cancel_that_comes_before_anybody_listens_is_remembered(bench):
    bench.receive(ask())
    bench.receive(ask("CANCEL"))
    assert bench.user.transactions[0].cancelled
    bench.user.answer(487)


def test_a_cancel_after_the_answer_is_answered_and_changes_nothing(bench):
    bench.receive(ask())
    bench.user.transactions[0].on_cancel = pytest.fail
    bench.user.answer(200)
    bench.receive(ask("CANCEL"))
    assert (bench.said(), bench.user.transactions[0].cancelled) == ([200, 200], False)


def test_a_cancel_of_nothing_is_481(bench):
    bench.receive(ask("CANCEL"))
    assert (bench.said(), bench.user.transactions) == ([481], [])


# Twice on two ways, too many, broken.


def test_a_request_that_came_on_two_ways_is_482_on_the_second(bench):
    bench.receive(ask())
    bench.receive(ask(branch="z9hG4bKsecond"))
    assert (bench.said(), len(bench.user.transactions), bench.layer.counts.merged) == ([482], 1, 1)
    bench.user.answer(200)


def test_credentials_with_the_old_number_are_no_merged_request(bench):
    """Some telephones answer a challenge without raising CSeq."""
    bench.receive(ask("REGISTER"))
    bench.user.answer(401)
    bench.receive(ask("REGISTER", branch="z9hG4bKsecond"))
    assert len(bench.user.transactions) == 2
    bench.user.answer(200)


def test_beyond_the_limit_new_requests_are_503_and_those_of_a_call_are_not():
    bench = Bench(limit=2)
    for number in range(3):
        bench.receive(ask("OPTIONS", branch=f"z9hG4bK{number}", call_id=str(number)))
    assert (bench.last.get("Retry-After"), bench.said()) == ("5", [503])
    for number in range(3):
        bench.receive(ask("BYE", branch=f"z9hG4bKb{number}", to="<sip:100@shop>;tag=t"))
    assert (bench.said(), len(bench.layer), bench.layer.counts.refused) == ([503], 4, 2)


def test_a_refusal_without_a_transaction_is_the_same_each_time(bench):
    for _ in range(2):
        bench.receive(ask("INVITE", cseq="1 OPTIONS"))
    first, second = bench.sent
    assert first[1].encode() == second[1].encode()
    assert bench.said() == [400, 400]
    assert len(bench.layer) == 0


@pytest.mark.parametrize("data", [b"", b"\0", b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b"x", b" "])
def test_keepalives_are_dropped(bench, data):
    bench.receive(data)
    assert (bench.said(), bench.layer.counts.malformed) == ([], 0)


@pytest.mark.parametrize(
    "message",
    [
        b"hello, is anybody there?",
        b"SIP/2.0 200 OK\r\n\r\n",
        ask("ACK", cseq="x"),
        "INVITE sip:a@b SIP/2.0\n\n",
        b"\xff" * 1500,
    ],
)
def test_what_can_not_be_answered_meets_silence(bench, message):
    bench.receive(message)
    assert (bench.said(), bench.user.transactions) == ([], [])
    assert bench.layer.counts.malformed == 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_comes_is_no_fault_of_ours(logged_failures, data):
    """The door would catch it, and log it."""
    bench = Bench()
    bench.layer._send = lambda data, hop: None
    whole = ask().replace("\n", "\r\n").encode()
    cut, junk = data.draw(st.integers(0, len(whole))), data.draw(st.binary(max_size=40))
    bench.layer.datagram_received(whole[:cut] + junk + whole[cut + data.draw(st.integers(0, 30)) :], PHONE)
    assert not logged_failures


def test_a_user_that_stumbles_is_logged_and_answers_500(bench, logged_failures):
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    bench.user.request_received = stumble
    bench.receive(ask())
    assert (bench.said(), len(logged_failures)) == ([500], 1)
    logged_failures.clear()
    bench.receive(ask("ACK"))


def test_strays_are_dropped_and_counted(bench):
    bench.layer.request(own("OPTIONS"), PHONE, Recorder())
    asked = bench.last
    for status in (200, 200):
        bench.receive(asked.response(status))
    bench.wait(6)
    bench.receive(asked.response(200))  # the transaction is gone
    twice = asked.response(200)
    twice.push_via(asked.via)
    bench.receive(twice)
    assert bench.layer.counts.stray == 2


# Requests of ours.


def test_a_request_of_ours_gets_a_via_and_is_sent_until_it_is_answered(bench):
    user = Recorder()
    bench.layer.request(own("OPTIONS"), PHONE, user)
    via = bench.last.via
    assert (via.sent_by, via.wants_rport, via.is_unique, via.transport) == (OURS[1:3], True, True, "UDP")
    bench.wait(1.5)
    bench.receive(bench.sent[0][1].response(200))
    bench.receive(bench.sent[0][1].response(200))
    bench.wait(1)
    assert (bench.said(), user.responses, bench.layer.counts.retransmitted) == (["OPTIONS"] * 3, [200], 2)


def test_a_request_never_answered_fails_after_32_seconds(bench):
    for method, times in (("INVITE", 7), ("BYE", 11)):
        user = Recorder()
        bench.layer.request(own(method), PHONE, user)
        bench.wait(31.9)
        assert user.failures == []
        bench.wait(0.2)
        assert (user.failures, bench.said()) == ([Failure.TIMEOUT], [method] * times)


def test_an_invite_refused_is_acknowledged_each_time(bench):
    user = Recorder()
    invite = bench.layer.request(own(), PHONE, user)
    sent = bench.sent[0][1]
    for _ in range(3):
        bench.receive(sent.response(486, to_tag="t"))
    acks = [message for _, message in bench.sent[1:]]
    assert [ack.method for ack in acks] == ["ACK"] * 3
    assert {(ack.via, ack.to.tag) for ack in acks} == {(sent.via, "t")}
    assert (user.responses, invite.request.cseq.number) == ([486], 7)


def test_every_2xx_is_told_also_of_another_fork(bench):
    user = Recorder()
    bench.layer.request(own(), PHONE, user)
    sent = bench.last
    for tag in ("a", "a", "b"):
        bench.receive(sent.response(200, to_tag=tag))
    bench.receive(sent.response(486, to_tag="c"))
    assert (user.responses, bench.said()) == ([200, 200, 200], ["INVITE"])


def test_a_cancel_waits_for_a_provisional_response(bench):
    user = Recorder()
    invite = bench.layer.request(own(), PHONE, user)
    sent = bench.last
    invite.cancel()
    assert bench.said() == ["INVITE"]
    bench.receive(sent.response(100))
    invite.cancel()
    cancel = bench.last
    assert (cancel.via, str(cancel.cseq), cancel.raw_uri) == (sent.via, "7 CANCEL", sent.raw_uri)
    bench.receive(cancel.response(200))
    bench.receive(sent.response(487, to_tag="t"))
    assert (bench.said(), user.responses) == (["CANCEL", "ACK"], [100, 487])


def test_a_cancelled_invite_that_is_never_refused_fails_after_32_seconds(bench):
    user = Recorder()
    invite = bench.layer.request(own(), PHONE, user)
    bench.receive(bench.last.response(180, to_tag="t"))
    bench.wait(60)
    assert (len(bench.layer), user.failures) == (1, [])  # ringing has no limit of the layer's
    invite.cancel()
    bench.wait(32.1)
    assert user.failures == [Failure.TIMEOUT]


def test_an_answer_that_crosses_our_cancel_is_told(bench):
    user = Recorder()
    invite = bench.layer.request(own(), PHONE, user)
    sent = bench.last
    bench.receive(sent.response(180, to_tag="t"))
    invite.cancel()
    bench.receive(sent.response(200, to_tag="t"))
    bench.wait(40)
    assert (user.responses, user.failures) == ([180, 200], [])


def test_the_same_request_object_can_be_sent_again_with_credentials(bench):
    user = Recorder()
    request = own("REGISTER")
    bench.layer.request(request, PHONE, user)
    first = bench.last
    bench.receive(first.response(401))
    request.set("CSeq", "8 REGISTER")
    bench.layer.request(request, PHONE, user)
    second = bench.last
    assert len(second.vias) == 1
    assert second.via.branch != first.via.branch
    bench.receive(second.response(200))
    assert user.responses == [401, 200]


def test_an_ack_given_again_is_the_same_bytes_again(bench):
    ack = own("ACK")
    bench.layer.send_ack(ack, PHONE)
    bench.layer.send_ack(ack, PHONE)
    first, second = bench.sent
    assert first[1].encode() == second[1].encode()
    assert first[1].via.is_unique


# A wire that breaks.


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_request_that_can_not_leave_fails_after_request_has_returned(bench, method):
    bench.broken = True
    user = Recorder()
    bench.layer.request(own(method), PHONE, user)
    assert user.failures == []
    bench.clock.advance(0)
    assert (user.failures, len(bench.layer)) == ([Failure.TRANSPORT], 0)


def test_an_answer_that_can_not_leave_is_reported(bench):
    bench.receive(ask("OPTIONS"))
    failures = []
    bench.user.transactions[0].on_failure = failures.append
    bench.broken = True
    bench.user.answer(200)
    bench.clock.advance(0)
    assert (failures, len(bench.layer)) == ([Failure.TRANSPORT], 0)


def test_a_refusal_of_an_invite_that_can_not_leave_is_tried_again(bench):
    """RFC 6026 section 8.7: a transport error leaves the state as it was."""
    bench.receive(ask())
    bench.broken = True
    bench.user.answer(486)
    bench.broken = False
    bench.wait(0.5)
    assert bench.said() == [486]


def test_an_ipv6_address_of_ours_stands_in_brackets():
    bench = Bench()
    bench.layer._sent_by = lambda hop: ("2001:db8::1", 5060)
    bench.layer.request(own("OPTIONS"), Hop("udp", "2001:db8::2", 5060), Recorder())
    assert bench.last.get("Via").startswith("SIP/2.0/UDP [2001:db8::1]:5060;branch=")


def test_closing_forgets_everything():
    bench = Bench()
    bench.receive(ask())
    bench.layer.request(own(), PHONE, Recorder())
    bench.layer.close()
    assert (len(bench.layer), bench.layer.timers_alive, bench.clock.getDelayedCalls()) == (0, 0, [])


# Connections.


WIRE = Hop("tcp", "192.0.2.7", 5060)


def test_a_connection_that_is_lost_fails_what_waits_for_a_first_answer(bench):
    users = [Recorder() for _ in range(3)]
    bench.layer.request(own(), WIRE, users[0])
    bench.layer.request(own("OPTIONS"), WIRE, users[1])
    bench.layer.request(own("OPTIONS"), PHONE, users[2])
    bench.wait(2)
    assert bench.said() == ["INVITE", "OPTIONS", "OPTIONS", "OPTIONS", "OPTIONS"], "only over UDP again"
    bench.layer.connection_lost(WIRE)
    assert [user.failures for user in users] == [[Failure.TRANSPORT], [Failure.TRANSPORT], []]


def test_a_call_that_rings_survives_its_connection(bench):
    """The answer may come by another one (18.2.2)."""
    bench.layer.request(own(), WIRE, bench.user)
    invite = bench.sent[0][1]
    bench.receive(invite.response(180, to_tag="x"), WIRE)
    bench.layer.connection_lost(WIRE)
    bench.receive(invite.response(200, to_tag="x"), WIRE._replace(port=40000, theirs=True))
    assert (bench.user.responses, bench.user.failures) == ([180, 200], [])


def test_a_finished_transaction_waits_for_nothing(bench):
    bench.layer.request(own("OPTIONS"), WIRE, bench.user)
    bench.receive(bench.sent[0][1].response(200, to_tag="x"), WIRE)
    bench.layer.connection_lost(WIRE)
    bench.wait(1)
    assert (bench.user.responses, bench.user.failures) == ([200], [])
    assert not bench.layer._awaiting


def test_whoever_asks_again_when_told_of_the_loss_waits_anew(bench):
    class Again(Recorder):
        def request_failed(self, cause: Failure) -> None:
            super().request_failed(cause)
            if len(self.failures) == 1:
                bench.layer.request(own("OPTIONS"), WIRE, self)

    user = Again()
    bench.layer.request(own("OPTIONS"), WIRE, user)
    bench.layer.connection_lost(WIRE)
    assert user.failures == [Failure.TRANSPORT]
    bench.layer.connection_lost(WIRE)
    assert user.failures == [Failure.TRANSPORT] * 2


@pytest.mark.parametrize("method", ["OPTIONS", "ACK"])
def test_what_breaks_a_stream_is_answered_unless_it_is_an_ack(bench, method):
    head = ask(method).replace("Content-Length: 0\n\n", "").replace("\n", "\r\n").strip().encode()
    bench.layer.stream_broken(Broken(400, "Missing Content-Length", head), WIRE)
    bench.layer.stream_broken(Broken(400, "Bad Start-Line", b""), WIRE)
    assert bench.said() == ([400] if method == "OPTIONS" else [])
    assert bench.layer.counts.malformed == 2


# Requests that are too long for a datagram (18.1.1).


def long(method: str = "INVITE") -> Request:
    request = own(method)
    request.add("X", "x" * 1200)
    return request


def ways(bench) -> list[tuple[str, str]]:
    return [(hop.transport, message.vias[0].transport) for hop, message in bench.sent]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_long_request_goes_by_tcp(bench, method):
    bench.layer.request(long(method), PHONE, bench.user)
    bench.layer.request(own(method), PHONE, bench.user)
    assert ways(bench) == [("tcp", "TCP"), ("udp", "UDP")]
    stream = bench.sent[0][0]
    assert stream == PHONE._replace(transport="tcp")
    for _, message in list(bench.sent):
        bench.receive(message.response(200, to_tag="x"), stream)
    assert bench.user.responses == [200, 200]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_and_by_udp_where_tcp_is_refused(bench, method):
    transaction = bench.layer.request(long(method), PHONE, bench.user)
    bench.layer.connection_lost(transaction.hop)
    assert ways(bench) == [("tcp", "TCP"), ("udp", "UDP")]
    assert len({message.via.branch for _, message in bench.sent}) == 2
    bench.wait(0.5)
    bench.receive(bench.last.response(200, to_tag="x"))
    assert (ways(bench)[2:], bench.user.responses, bench.user.failures) == ([("udp", "UDP")], [200], [])
    bench.sent.clear()
    bench.layer.request(long(method), PHONE, bench.user)
    bench.receive(bench.last.response(200, to_tag="x"))
    assert ways(bench) == [("udp", "UDP")], "it is not asked again so soon"


def test_nobody_falls_back_twice_or_after_an_answer(bench):
    bench.broken = True
    bench.layer.request(long(), PHONE, bench.user)
    bench.wait(1)
    assert bench.user.failures == [Failure.TRANSPORT]
    bench.broken = False
    other = PHONE._replace(port=5080)
    transaction = bench.layer.request(long("OPTIONS"), other, bench.user)
    bench.receive(bench.last.response(100), transaction.hop)
    bench.layer.connection_lost(transaction.hop)
    assert ways(bench) == [("tcp", "TCP")]
    assert bench.user.failures == [Failure.TRANSPORT] * 2


def test_a_cancelled_one_stays_cancelled(bench):
    transaction = bench.layer.request(long(), PHONE, bench.user)
    transaction.cancel()
    bench.layer.connection_lost(transaction.hop)
    bench.receive(bench.last.response(180, to_tag="x"))
    assert bench.said() == ["INVITE", "INVITE", "CANCEL"]


def test_who_chose_udp_is_left_with_it(bench):
    bench.layer.datagrams_only = lambda hop: hop == PHONE
    bench.layer.request(long(), PHONE, bench.user)
    assert ways(bench) == [("udp", "UDP")]
