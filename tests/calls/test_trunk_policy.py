"""How a carrier is spoken to, by the properties of its trunk: proxy, account, number formats, who calls."""

from minitelecom.store.synchronous import run
from tests.calls.scene import Scene, WrittenCarrier
from tests.calls.story import LONDON, settle, subscriber
from tests.world.house import CARRIER, EXCHANGE, House
from tests.world.wire import address, hop_of

PROXY = "10.0.0.95"


def test_everything_goes_by_the_outbound_proxy(house: House) -> None:
    """INVITE and CANCEL alike: Route and hop are the proxy's, the Request-URI the carrier's."""
    proxy = WrittenCarrier(house.network, EXCHANGE, PROXY)
    scene = Scene.begin(house, proxy=f"sip:{PROXY}")
    assert scene.carrier.heard == []
    assert proxy.invite["route"] == f"<sip:{PROXY};lr>"
    assert proxy.invite.request_uri == f"sip:442071234567@{CARRIER}:5061"
    proxy.respond(180)
    house.pass_(1)
    scene.talk.cancel()
    house.pass_(1)
    cancel = proxy.requests("CANCEL")[0]
    assert (cancel["route"], cancel.request_uri) == (f"<sip:{PROXY};lr>", proxy.invite.request_uri)
    proxy.respond(200, cancel)
    proxy.respond(487)
    scene.settle()
    assert proxy.requests("ACK")[0]["route"] == f"<sip:{PROXY};lr>"


def test_a_proxy_that_records_no_route_is_passed_by_afterwards(house: House) -> None:
    """RFC 3261 12.2.1.1: within the dialog only what was recorded counts."""
    proxy = WrittenCarrier(house.network, EXCHANGE, PROXY)
    scene = Scene.begin(house, proxy=f"sip:{PROXY}")
    invite = proxy.invite
    vias = "".join(f"Via: {via}\n" for via in invite.all("via"))
    proxy.send(
        f"SIP/2.0 200 OK\n{vias}From: {invite['from']}\nTo: {invite['to']};tag=far\nCall-ID: {invite['call-id']}\n"
        f"CSeq: {invite['cseq']}\nContact: <sip:far@{CARRIER}:5061>\nContent-Type: application/sdp\n\n"
        "v=0\no=- 1 1 IN IP4 10.0.0.99\ns=-\nc=IN IP4 10.0.0.99\nt=0 0\nm=audio 40000 RTP/AVP 8\n"
    )
    house.pass_(1)
    assert scene.talk.talking
    assert [ack["route"] for ack in scene.carrier.requests("ACK")] == [""]
    scene.talk.hang_up()
    house.pass_(1)
    scene.settle()


def test_a_carrier_calls_us_by_its_proxy(house: House) -> None:
    house.trunk("behind", "sip:10.0.0.94", proxy=f"sip:{PROXY}")
    house.open()
    talk = house.party("proxy", PROXY).call("35921234567")
    house.pass_(2)
    assert talk.talking
    talk.hang_up()
    settle(house)


def test_the_account_stands_in_the_from(house: House) -> None:
    scene = Scene.begin(house, username="shop", account_in_from=True, asserts=True)
    invite = scene.carrier.invite
    assert address(invite["from"]) == f"sip:shop@{CARRIER}"
    assert address(invite["contact"]) == "sip:shop@10.0.0.1:5060"
    assert invite["p-asserted-identity"] == "<sip:101@10.0.0.1>"
    scene.connect()
    scene.talk.hang_up()
    house.pass_(1)
    bye = scene.carrier.requests("BYE")[0]
    assert bye["from"] == invite["from"]
    assert hop_of(bye.request_uri).port == 5061
    scene.settle()


def test_the_number_called_is_written_as_the_carrier_wants_it(house: House) -> None:
    scene = Scene.begin(house, called_format="international", add="9#")
    assert scene.carrier.invite.request_uri == f"sip:9#00442071234567@{CARRIER}:5061"
    assert house.records()[0].called_number == "442071234567"
    scene.carrier.respond(486)
    scene.settle()


def test_a_hidden_caller_is_hidden_from_the_carrier(house: House) -> None:
    card = house.card("1.00")
    telephone = house.telephone("101", "10.0.0.11", card)
    house.trunk("written", f"sip:{CARRIER}:5061", match="4420", asserts=True)
    carrier = WrittenCarrier(house.network, EXCHANGE, CARRIER, 5061)
    house.open()
    talk = telephone.call(LONDON, headers=(("Privacy", "id"),))
    house.pass_(0.5)
    invite = carrier.invite
    assert invite["from"].startswith('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=')
    assert address(invite["contact"]) == "sip:anonymous@10.0.0.1:5060"
    assert invite["privacy"] == "id"
    assert "p-asserted-identity" not in invite
    assert not any("101" in value for _, value in invite.headers), invite.headers
    carrier.respond(486)
    house.pass_(0.5)
    assert talk.final == 486
    settle(house)


def test_a_card_holder_is_passed_on_between_carriers_that_we_trust(house: House) -> None:
    """Delivered with his number asserted and the wish to be hidden: the next one that we trust learns both."""
    card = house.card("1.00")
    house.trunk("carrier", f"sip:{CARRIER}", trusted=True)
    house.trunk("written", f"sip:{CARRIER}:5061", match="4420", asserts=True, trusted=True, calling_format="plus")
    carrier = WrittenCarrier(house.network, EXCHANGE, CARRIER, 5061)
    house.open()
    wish = (("P-Asserted-Identity", "<tel:+359888100200>"), ("Privacy", "id"))
    talk = house.carrier.call("35921234567", headers=wish)
    house.pass_(2)
    talk.press(card.number)
    house.pass_(5)
    talk.press(card.password)
    house.pass_(20)
    talk.press(LONDON + "#")
    house.pass_(12)
    invite = carrier.invite
    assert invite["p-asserted-identity"] == "<sip:+359888100200@10.0.0.1>"
    assert invite["privacy"] == "id"
    assert "anonymous.invalid" in invite["from"]
    assert house.records()[0].calling_number == "+359888100200"
    talk.hang_up()
    house.pass_(1)
    carrier.respond(487)
    settle(house)


def test_who_forwarded_the_call_is_passed_on(house: House) -> None:
    card = house.card("1.00")
    telephone = house.telephone("101", "10.0.0.11", card)
    house.trunk("written", f"sip:{CARRIER}:5061", match="4420", diversion=True)
    carrier = WrittenCarrier(house.network, EXCHANGE, CARRIER, 5061)
    house.open()
    telephone.call(LONDON, headers=(("Diversion", "<sip:35921234567@10.0.0.11>;reason=user-busy"),))
    house.pass_(0.5)
    assert carrier.invite["diversion"] == "<sip:35921234567@10.0.0.1>;reason=user-busy"
    carrier.respond(486)
    settle(house)


def test_a_disabled_trunk_is_passed_by_at_once(house: House) -> None:
    """As soon as the notice of the change has come; a call for help is tried on it all the same, last of all."""
    _, telephone = subscriber(house)
    house.trunk("carrier", f"sip:{CARRIER}", enabled=False)
    run(house.exchange.read("trunks"))
    talk = telephone.call(LONDON)
    house.pass_(2)
    assert talk.final == 404
    stranger = house.carrier.call("35921234567")
    house.pass_(2)
    assert stranger.statuses[-2:] == [407, 403]
    help_ = telephone.call("112")
    house.pass_(2)
    assert help_.talking
    help_.hang_up()
    settle(house)
