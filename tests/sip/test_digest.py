"""Digest: the RFCs' own examples, the credentials of old telephones, and nonces that need no memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.digest import FORGED, FRESH, STALE, Challenge, Credentials, Nonces, ha1, respond, verify
from minitelecom.sip.grammar import BadSyntax

MUFASA = ha1("Mufasa", "testrealm@host.com", "Circle Of Life")


def test_the_example_of_rfc_2617():
    credentials = Credentials.parse(
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        ' uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b",'
        ' response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert verify(credentials, MUFASA, "GET")
    assert not verify(credentials, MUFASA, "POST")
    assert not verify(credentials, ha1("Mufasa", "testrealm@host.com", "Circle of Life"), "GET")


def test_our_answer_is_the_answer_of_the_example():
    challenge = Challenge.parse(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        ' opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    credentials = respond(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", cnonce="0a4f113b")
    assert credentials.response == "6629fae49393a05397450978507c4ef1"
    assert credentials.opaque == "5ccc069c403ebaf9f0171e9517f40e41"
    assert (credentials.qop, credentials.nc) == ("auth", "00000001")
    assert "qop=auth, nc=00000001" in str(credentials)


def test_rfc_2069_without_qop():
    """What an ATA 186 sends: no algorithm, no cnonce. The example of RFC 2069 with its erratum's response."""
    credentials = Credentials.parse(
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        ' uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert verify(credentials, ha1("Mufasa", "testrealm@host.com", "CircleOfLife"), "GET")


@pytest.mark.parametrize(
    "shape",
    [
        'Digest username="u",realm="r",nonce="n",uri="sip:r",response="{0}"',
        'DIGEST username="u", realm="r", nonce="n", uri="sip:r", response="{0}", algorithm="MD5"',
        'digest   USERNAME = "u" , Realm = "r" , Nonce="n",URI="sip:r",Response="{0}",Algorithm=md5 ,',
        "Digest username=u,realm=r,nonce=n,uri=sip:r,response={0},algorithm=MD5",
        'Digest username="\\u",realm="r",nonce="n",uri="sip:r",response="{1}",cnonce="",unknown="x, y"',
    ],
)
def test_every_spelling_of_old_telephones(shape: str):
    secret = ha1("u", "r", "p")
    answer = respond(Challenge("r", "n"), "u", "p", "REGISTER", "sip:r", cnonce="").response
    assert verify(Credentials.parse(shape.format(answer, answer.upper())), secret, "REGISTER")


def test_a_counter_may_be_anywhere():
    """A telephone that goes on using one nonce was seen at 0xd1b."""
    challenge = Challenge("r", "n", qop="auth")
    credentials = respond(challenge, "u", "p", "REGISTER", "sip:r", cnonce="c", count=0xD1B)
    assert credentials.nc == "00000d1b"
    assert verify(Credentials.parse(str(credentials)), ha1("u", "r", "p"), "REGISTER")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Digest",
        "Digest ",
        "Basic dTpw",
        "NoOneKnowsThisScheme opaque-data=here",
        'Digest username="u"',
        'Digest username="u',
        'Digest username="u" realm="r"',
        "Digest =,",
        'Digest username="u",realm="r",nonce="n",uri="sip:r",response="x",' + "a" * 9000 + "=1",
    ],
)
def test_what_are_no_credentials(text: str):
    with pytest.raises(BadSyntax):
        Credentials.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        'Digest realm="r", nonce="n", algorithm=SHA-256',
        'Digest realm="r", nonce="n", algorithm=MD5-sess',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r"',
    ],
)
def test_a_challenge_we_cannot_answer(text: str):
    with pytest.raises(BadSyntax):
        Challenge.parse(text)


@pytest.mark.parametrize(
    "change",
    ["qop=auth-int, nc=00000001, cnonce=c", "qop=auth", "algorithm=SHA-256", "qop=auth, nc=00000001"],
)
def test_credentials_of_a_kind_we_did_not_ask_for(change: str):
    answer = respond(Challenge("r", "n"), "u", "p", "BYE", "sip:r", cnonce="").response
    text = f'Digest username="u",realm="r",nonce="n",uri="sip:r",response="{answer}",{change}'
    assert not verify(Credentials.parse(text), ha1("u", "r", "p"), "BYE")


def test_the_smallest_challenge_is_realm_and_nonce():
    """An ATA 186 wants no more."""
    assert Challenge("shop", "abc").header() == 'Digest realm="shop", nonce="abc"'
    full = Challenge("shop", "abc", qop="auth", stale=True, opaque="o")
    assert full.header() == 'Digest realm="shop", nonce="abc", algorithm=MD5, qop="auth", opaque="o", stale=true'
    assert Challenge.parse(full.header()) == full


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), st.text(max_size=20), st.booleans())
def test_what_we_answer_we_accept(username: str, password: str, modern: bool):
    challenge = Challenge("shop", "nonce", qop="auth" if modern else None)
    credentials = respond(challenge, username, password, "INVITE", "sip:1@h", cnonce="c", count=7)
    again = Credentials.parse(str(credentials))
    assert again == credentials
    assert verify(again, ha1(username, "shop", password), "INVITE")
    assert not verify(again, ha1(username, "shop", password + "x"), "INVITE")


def test_a_nonce_serves_five_minutes_and_one_address():
    nonces = Nonces(b"key")
    nonce = nonces.make(1_700_000_000, "192.0.2.1")
    assert nonces.check(nonce, 1_700_000_000, "192.0.2.1") is FRESH
    assert nonces.check(nonce, 1_700_000_299, "192.0.2.1") is FRESH
    assert nonces.check(nonce, 1_700_000_300, "192.0.2.1") is STALE
    assert nonces.check(nonce, 1_700_000_000, "192.0.2.2") is FORGED
    assert Nonces(b"other").check(nonce, 1_700_000_000, "192.0.2.1") is FORGED


def test_a_nonce_from_the_future_is_stale():
    nonces = Nonces(b"key")
    assert nonces.check(nonces.make(1_000_100, "a"), 1_000_000, "a") is STALE
    assert nonces.check(nonces.make(1_000_003, "a"), 1_000_000, "a") is FRESH


@given(st.text(max_size=60))
def test_an_invented_nonce_is_forged(nonce: str):
    assert Nonces(b"key").check(nonce, 1_700_000_000, "192.0.2.1") is FORGED
