"""RTCP packets as values."""

from hypothesis import given
from hypothesis import strategies as st

from minitelecom.media import rtcp
from minitelecom.media.rtcp import Goodbye, ReceiverReport, ReportBlock, SenderReport

words = st.integers(0, 0xFFFFFFFF)
blocks = st.lists(
    st.builds(ReportBlock, words, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), words, words, words, words),
    max_size=31,
).map(tuple)
reports = st.builds(ReceiverReport, words, blocks) | st.builds(
    SenderReport, words, st.integers(0, 2**64 - 1), words, words, words, blocks
)


@given(reports, st.text("abcdef0123456789@.", max_size=255))
def test_a_report_comes_back_as_it_was(report, cname):
    data = rtcp.report(report, cname)
    assert len(data) % 4 == 0
    assert rtcp.parse(data) == [report]


def test_a_goodbye_follows_a_report():
    assert rtcp.parse(rtcp.goodbye(7, "x")) == [ReceiverReport(7), Goodbye(7)]


@given(reports, st.integers(0, 60), st.binary(max_size=60))
def test_a_broken_datagram_ends_where_it_breaks(report, cut, rest):
    data = rtcp.report(report, "x")
    for part in rtcp.parse(data[:-cut] + rest if cut else data + rest):
        assert isinstance(part, SenderReport | ReceiverReport | Goodbye)


@given(st.binary(max_size=120) | st.binary(max_size=80).map(lambda rest: b"\x81\xc8\0\x0c" + rest))
def test_anything_is_parsed_or_passed_over(data):
    assert all(isinstance(part, SenderReport | ReceiverReport | Goodbye) for part in rtcp.parse(data))
