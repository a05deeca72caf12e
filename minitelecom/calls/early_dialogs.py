"""
The early dialogs of an INVITE of ours (RFC 3261 12.1 and 13.2.2.4): one for each far end that rings.

An INVITE may be forked on its way, and then several ring, each with a tag, an order of its requests and a description of
its own.  Nearly always there is one, and nothing is ever asked within it: so it is made when it is needed.
"""

from collections.abc import Callable, Collection

from minitelecom.sip.dialog import Dialog
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import Negotiation
from minitelecom.sip.reliability import InOrder

MOST_HEARD = 20  # far ends of one INVITE; more ring, and may answer, but are not spoken to before


class EarlyDialog:
    """One far end that rings."""

    __slots__ = ("dialog", "negotiation", "order")

    def __init__(self, dialog: Dialog, negotiation: Negotiation) -> None:
        self.dialog = dialog
        self.negotiation = negotiation
        self.order = InOrder()


class EarlyDialogs:
    """By their tags.  ``negotiation`` gives a copy of the offer that the INVITE carried."""

    __slots__ = ("_dialogs", "_heard", "_negotiation")

    def __init__(self, negotiation: Callable[[], Negotiation]) -> None:
        self._heard: dict[str | None, tuple[Request, Response]] = {}
        self._dialogs: dict[str | None, EarlyDialog] = {}
        self._negotiation = negotiation

    def heard(self, invite: Request, response: Response) -> None:
        """A provisional response with a tag has come: the latest knows best where its sender wants to be asked."""
        tag = response.to.tag
        if tag is not None and (tag in self._heard or len(self._heard) < MOST_HEARD):
            self._heard[tag] = invite, response

    @property
    def tags(self) -> Collection[str | None]:
        return self._heard.keys()

    def known(self, tag: str | None) -> EarlyDialog | None:
        """One within which something has been said already."""
        return self._dialogs.get(tag)

    def confirmed(self, invite: Request, response: Response) -> Dialog:
        """The dialog of a 2xx: the early one goes on with its numbers, if anything has been said within it."""
        early = self._dialogs.get(response.to.tag)
        if early is None:
            return Dialog.as_uac(invite, response)
        early.dialog.update(response)
        return early.dialog

    def forget(self) -> None:
        """One has answered; what the others said when they rang is not kept for the length of a talk."""
        self._heard.clear()

    def of(self, tag: str | None) -> EarlyDialog | None:
        """The one with this tag, made if it has been heard of."""
        found = self._dialogs.get(tag)
        if found is None and tag in self._heard:
            dialog = Dialog.as_uac(*self._heard[tag])
            found = self._dialogs[tag] = EarlyDialog(dialog, self._negotiation())
        return found
