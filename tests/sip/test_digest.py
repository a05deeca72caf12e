"""Digest: the RFCs' own examples, the credentials of old telephones, and which of several challenges is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.digest import Challenge, Credentials, Offer, ha1, respond, strongest, verify
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
        'Digest realm="r", nonce="n", algorithm=SHA-1',
        'Digest realm="r", nonce="n", algorithm=MD5-sess',
        'Digest realm="r", nonce="n", qop="auth-conf"',
        'Digest realm="r"',
    ],
)
def test_a_challenge_we_cannot_answer(text: str):
    with pytest.raises(BadSyntax):
        Challenge.parse(text)


@pytest.mark.parametrize(
    "change",
    [
        "qop=auth-conf, nc=00000001, cnonce=c",
        "qop=auth",
        "algorithm=SHA-1",
        "algorithm=MD5-sess",
        "qop=auth, nc=00000001",
        "qop=auth, nc=-1, cnonce=c",
    ],
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


KINDS = [
    *[(algorithm, qop) for algorithm in ("MD5", "SHA-256", "SHA-512-256") for qop in (None, "auth", "auth-int")],
    *[(f"{algorithm}-sess", qop) for algorithm in ("MD5", "sha-256", "SHA-512-256") for qop in ("auth", "auth-int")],
]


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
    st.text(max_size=20),
    st.sampled_from(KINDS),
    st.binary(max_size=20),
)
def test_what_we_answer_we_accept(username: str, password: str, kind: tuple[str, str | None], body: bytes):
    algorithm, qop = kind
    challenge = Challenge.parse(Challenge("shop", "nonce", algorithm, qop).header())
    credentials = respond(challenge, username, password, "INVITE", "sip:1@h", cnonce="c", count=7, body=body)
    again = Credentials.parse(str(credentials))
    assert again == credentials
    assert again.count == (None if qop is None else 7)
    assert verify(again, ha1(username, "shop", password, algorithm), "INVITE", body)
    assert not verify(again, ha1(username, "shop", password + "x", algorithm), "INVITE", body)
    assert verify(again, ha1(username, "shop", password, algorithm), "INVITE", body + b"x") is (qop != "auth-int")


# RFC 7616 section 3.9.1, with the nonce, cnonce and password it gives.
EXAMPLE = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={0},'
    ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_first_example_of_rfc_7616(algorithm: str, response: str):
    challenge = Challenge.parse(EXAMPLE.format(algorithm))
    credentials = respond(challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", cnonce=CNONCE)
    assert credentials.response == response
    secret = ha1("Mufasa", "http-auth@example.org", "Circle of Life", algorithm)
    assert verify(Credentials.parse(str(credentials)), secret, "GET")
    assert not verify(credentials, ha1("Mufasa", "http-auth@example.org", "Circle of Life", "SHA-512-256"), "GET")


def test_the_second_example_of_rfc_7616_as_its_erratum_4897_corrects_it():
    """SHA-512/256, which the document took for half of a SHA-512; and a userhash that we need not know."""
    challenge = Challenge.parse(
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, charset=UTF-8, userhash=true,'
        ' nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"'
    )
    cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
    credentials = respond(challenge, "Jäsøn Doe", "Secret, or not?", "GET", "/doe.json", cnonce=cnonce)
    assert credentials.response == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert 'username="Jäsøn Doe"' in str(credentials)


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        (['algorithm=MD5, qop="auth"', 'algorithm=SHA-256, qop="auth"'], ("SHA-256", "auth")),
        (['algorithm=SHA-256, qop="auth"', 'algorithm=MD5, qop="auth"'], ("SHA-256", "auth")),
        (['algorithm=SHA-512-256, qop="auth-int"', "algorithm=MD5"], ("SHA-512-256", "auth-int")),
        (['algorithm=AKAv1-MD5, qop="auth"', 'qop="auth,auth-int"'], ("MD5", "auth")),
        (['algorithm=SHA-256, opaque="1"', 'algorithm=SHA-256, opaque="2", qop="auth"'], ("SHA-256", None)),
    ],
)
def test_of_several_challenges_the_strongest_is_answered_and_of_those_the_topmost(
    offered: list[str], answered: tuple[str, str | None]
):
    """RFC 8760 section 2.4."""
    challenge = strongest(['Basic realm="r"', *(f'Digest realm="r", nonce="n", {one}' for one in offered)])
    assert challenge is not None
    assert (challenge.algorithm, challenge.qop) == answered


def test_no_challenge_that_we_could_answer():
    assert strongest(["", 'Basic realm="r"', 'Digest realm="r", nonce="n", algorithm=MD4']) is None


def test_how_telephones_are_asked():
    """RFC 8760 section 2.3: the one we like best stands first; an old telephone sees nothing that it does not know."""
    assert [one.header() for one in Offer(("MD5",), qop=False).challenges("shop", "n", stale=False)] == [
        'Digest realm="shop", nonce="n"'
    ]
    assert [one.header() for one in Offer(("SHA-256", "MD5"), qop=True).challenges("shop", "n", stale=True)] == [
        'Digest realm="shop", nonce="n", algorithm=SHA-256, qop="auth", stale=true',
        'Digest realm="shop", nonce="n", algorithm=MD5, qop="auth", stale=true',
    ]
