"""A ladder is drawn with everybody in his place, and written so that a support desk can read it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from minitelecom.ladder import text
from minitelecom.ladder.figure import Kind, Side, figure, readable
from tests.ladder.conversation import FLOW, STARTED, seen


def test_who_calls_stands_left_of_us_and_whom_we_call_stands_right() -> None:
    found = figure(seen())
    assert [(one.side, one.name) for one in found.participants] == [
        (Side.CALLER, "cabin1"),
        (Side.US, ""),
        (Side.CALLED, "cheap"),
        (Side.CALLED, "good"),
    ]
    assert [(arrow.sender, arrow.receiver) for arrow in found.arrows[3:8]] == [(0, 1), (1, 2), (1, 0), (1, 2), (2, 1)]


def test_each_message_is_an_arrow_with_its_title_its_kind_and_what_is_particular() -> None:
    arrows = figure(seen()).arrows
    assert [arrow.title for arrow in arrows] == [what for _, _, _, what, _, _ in FLOW]
    assert [arrow.method for arrow in arrows] == [sequence.split()[1] for _, _, _, _, sequence, _ in FLOW]
    assert [arrow.describes for arrow in arrows] == ["sdp" in particular for *_, particular in FLOW]
    assert [arrow.number for arrow in arrows if arrow.repeated] == [7]
    assert {arrow.number: arrow.direction for arrow in arrows if arrow.direction} == {18: "sendonly", 19: "sendonly"}
    kinds = {arrow.title: arrow.kind for arrow in arrows}
    assert kinds["INVITE"] is Kind.REQUEST
    assert kinds["183 Session Progress"] is Kind.PROVISIONAL
    assert kinds["200 OK"] is Kind.SUCCESS
    assert kinds["503 Service Unavailable"] is Kind.FAILURE


def test_the_text_says_when_who_and_what_and_then_every_word() -> None:
    lines = list(text.lines(figure(seen())))
    assert "good (udp:203.0.113.40:5060)" in lines[1]
    assert "   7      +0.531 s  MiniTelecom -> cheap        INVITE [SDP] [repeated]" in lines
    assert "  26     +63.260 s         good -> MiniTelecom  200 OK (BYE)" in lines
    heads = [line for line in lines if "udp:10.0.0.1:5060 -> udp:198.51.100.7:5060" in line]
    assert heads[0].startswith("5.  2026-11-02 09:00:00.031+00:00  +0.031 s  MiniTelecom -> cheap")
    assert "m=audio 40000 RTP/AVP 8 0 101" in lines
    assert "Signal=-" in lines
    assert not any("00112233" in line for line in lines)


def test_no_message_is_no_figure() -> None:
    assert figure([]).participants == []
    assert list(text.lines(figure([]))) == []


@given(st.lists(st.tuples(st.integers(0, 25), st.binary(max_size=60)), max_size=9))
def test_whatever_came_can_be_drawn_and_written(noise: list[tuple[int, bytes]]) -> None:
    """Malformed messages most of all: they are what one looks for."""
    known = seen()
    messages = [replace(known[place], data=data) for place, data in sorted(noise)]
    found = figure(messages)
    assert len(found.arrows) == len(messages)
    for arrow in found.arrows:
        assert 0 <= min(arrow.sender, arrow.receiver) < max(arrow.sender, arrow.receiver) < len(found.participants)
        assert arrow.title
        assert arrow.title.isprintable()
    written = "\n".join(text.lines(found))
    assert all(letter.isprintable() or letter in "\n\t" for letter in written)


def test_what_would_move_the_cursor_is_written_as_its_number() -> None:
    assert readable(b"a\x1b[2Jb\r\nc\td\xff\x00") == "a\\x1b[2Jb\nc\td\\xff\\x00"
    assert readable("по-български".encode()) == "по-български"
    assert STARTED.tzinfo is not None
