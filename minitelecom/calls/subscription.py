"""
Who wants to be told whether messages wait for him: the notifier of RFC 6665 (section 4.2) for message-summary (RFC 3842).

A telephone of the shop subscribes to itself, and is told at once, after each refreshment, and when something changes.
Each subscription is a dialog of its own; other packages are refused by 489.
"""

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall

from minitelecom.calls.directory import Directory
from minitelecom.calls.switch import Switch, address
from minitelecom.sip.client_user import Failure
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.event import MESSAGE_SUMMARY, Event, SubscriptionState
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.message_summary import CONTENT_TYPE, Messages, summary
from minitelecom.sip.transaction_layer import ServerTransaction

LONGEST_SECONDS = 3600
MOST_SUBSCRIPTIONS = 4000
MOST_OF_ONE = 8  # of one telephone; one more ends its oldest, which it has forgotten
OVER = (408, 481)  # RFC 6665 4.2.2: whoever answers so is not subscribed any more


class Mailboxes(Protocol):
    """Where messages wait."""

    def messages(self, telephone: str) -> Messages: ...


class NoMailboxes:
    """A house in which nobody can leave a message yet."""

    def messages(self, telephone: str) -> Messages:
        return Messages()


def is_about_messages(request: Request) -> bool:
    try:
        return Event.parse(request.get("Event") or "").package == MESSAGE_SUMMARY
    except BadSyntax:
        return False


def bad_event(request: Request) -> Response:
    """RFC 6665 7.3.2: there is nothing else to subscribe to."""
    return request.response(489, headers=[("Allow-Events", MESSAGE_SUMMARY)])


class Subscriptions:
    """Everybody who is subscribed.  The dialogs of legs are kept elsewhere: nobody talks in these."""

    def __init__(self, switch: Switch, directory: Directory, mailboxes: Mailboxes) -> None:
        self.directory = directory
        self.mailboxes = mailboxes
        self._switch = switch
        self._subscriptions: dict[tuple[str, str], Subscription] = {}

    def __len__(self) -> int:
        return len(self._subscriptions)

    def find(self, key: tuple[str, str]) -> "Subscription | None":
        """The subscription a request belongs to, by Call-ID and our own tag."""
        return self._subscriptions.get(key)

    def subscribe(self, transaction: ServerTransaction, request: Request, telephone: str) -> None:
        """A telephone that is known wants to be told."""
        own = [one for one in self._subscriptions.values() if one.telephone == telephone]
        if len(own) >= MOST_OF_ONE:
            own[0].end("deactivated")
        elif len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            transaction.respond(request.response(503, headers=[("Retry-After", "60")]))
            return
        subscription = Subscription(self, self._switch, Dialog.as_uas(request, self._switch.token()), telephone)
        self._subscriptions[subscription.key] = subscription
        subscription.request_received(transaction, request, transaction.source)

    def changed(self, telephone: str) -> None:
        """Messages have come, or have been heard."""
        for subscription in list(self._subscriptions.values()):
            if subscription.telephone == telephone:
                subscription.notify()

    def forget(self, subscription: "Subscription") -> None:
        self._subscriptions.pop(subscription.key, None)

    def stop(self) -> None:
        for subscription in list(self._subscriptions.values()):
            subscription.close()


class Subscription:
    """One dialog in which one telephone is told."""

    def __init__(self, all_: Subscriptions, switch: Switch, dialog: Dialog, telephone: str) -> None:
        self.telephone = telephone
        self._all = all_
        self._switch = switch
        self._dialog = dialog
        self._hop: Hop
        self._until = 0.0
        self._timer: IDelayedCall | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self._dialog.call_id, self._dialog.local_tag

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        """A SUBSCRIBE: the first, one that refreshes, or (with no seconds) the last."""
        if not self._dialog.in_order(request):
            transaction.respond(request.response(500, "Out of order"))
            return
        if request.method != "SUBSCRIBE":
            transaction.respond(request.response(405, headers=[("Allow", "SUBSCRIBE")]))
            return
        if not is_about_messages(request):
            transaction.respond(bad_event(request))
            return
        self._hop = source
        self._dialog.update(request)
        seconds = min(LONGEST_SECONDS if request.expires is None else request.expires, LONGEST_SECONDS)
        headers = [("Expires", str(seconds)), ("Contact", self._contact())]
        transaction.respond(request.response(200, to_tag=self._dialog.local_tag, headers=headers))
        if seconds:
            self._wait(seconds)
            self.notify()
        else:
            self.end("timeout")

    def ack_received(self, ack: Request) -> None:
        """Nobody is invited here."""

    def notify(self) -> None:
        left = max(0, round(self._until - self._switch.clock.seconds()))
        self._tell(SubscriptionState("active", left))

    def end(self, reason: str) -> None:
        """Tell it that it will be told no more."""
        self.close()
        self._tell(SubscriptionState("terminated", reason=reason))

    def close(self) -> None:
        self._stop_timer()
        self._all.forget(self)

    def _wait(self, seconds: int) -> None:
        self._stop_timer()
        self._until = self._switch.clock.seconds() + seconds
        self._timer = self._switch.clock.callLater(seconds, self._expired)

    def _expired(self) -> None:
        self._timer = None
        self.end("timeout")

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _contact(self) -> str:
        return self._switch.contact(self._hop, self.telephone)

    def _way(self) -> Hop:
        """Where the telephone is registered now; where it was last heard, if it is not."""
        contact = str(self._dialog.remote_target)
        bindings = self._all.directory.contacts(self.telephone, self._switch.now())
        return next((one.source for one in bindings if one.contact == contact), self._hop)

    def _tell(self, state: SubscriptionState) -> None:
        hop = self._way()
        account = str(address(self.telephone, self._switch.addresses.towards(hop)[0]))
        headers = [
            ("Contact", self._contact()),
            ("Event", MESSAGE_SUMMARY),
            ("Subscription-State", str(state)),
        ]
        body = summary(self._all.mailboxes.messages(self.telephone), account)
        self._switch.layer.request(self._dialog.request("NOTIFY", headers, body, CONTENT_TYPE), hop, self)

    # What becomes of a NOTIFY (ClientUser).

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status in OVER:
            self.close()

    def request_failed(self, cause: Failure) -> None:
        self.close()
