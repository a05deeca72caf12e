"""What stories of card calls have in common."""

from tests.world.house import HeldCard, House
from tests.world.party import Party, Talk

LONDON = "00442071234567"
BERLIN = "00493012345678"


def sign_in(house: House, talk: Talk, card: HeldCard, password: str | None = None) -> None:
    """Language, user number, password; each answered while its question is asked; then to the question for a number."""
    house.pass_(1)
    talk.press("2")
    house.pass_(3)
    talk.press(card.number)
    house.pass_(5)
    talk.press(card.password if password is None else password)
    house.pass_(20)


def visit(house: House, telephone: Party, card: HeldCard) -> Talk:
    """A telephone of the shop rings 100 and signs in."""
    talk = telephone.call("100")
    sign_in(house, talk, card)
    assert talk.talking
    return talk


def guest(house: House, euros: str = "1.00", activation: str = "now") -> tuple[HeldCard, Party]:
    """The shop opens; somebody with a card stands at one of its telephones."""
    card = house.card(euros, activation)
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    return card, telephone


def visitor(house: House, euros: str = "1.00", activation: str = "now") -> tuple[HeldCard, Talk]:
    """The same, and he has rung 100 and signed in."""
    card, telephone = guest(house, euros, activation)
    return card, visit(house, telephone, card)


def subscriber(house: House, euros: str = "1.00") -> tuple[HeldCard, Party]:
    """The shop opens; a telephone of it calls out on an account of its own."""
    card = house.card(euros)
    telephone = house.telephone("101", "10.0.0.11", card)
    house.open()
    return card, telephone


def desk_and_shelf(house: House) -> tuple[Party, Party, Party]:
    """The shop opens; 102, which calls, and two telephones that are both registered as 101."""
    caller = house.telephone("102", "10.0.0.12")
    house.telephone("101", "10.0.0.11")
    desk, shelf = (house.party("101", host, password="secret-101") for host in ("10.0.0.21", "10.0.0.22"))
    house.open()
    for party in (desk, shelf):
        party.register()
    house.pass_(1)
    return caller, desk, shelf


def settle(house: House, seconds: float = 40) -> None:
    """Forty seconds after the last BYE nothing is left over, and the books are right."""
    house.pass_(seconds)
    assert house.leftovers() == {}
    assert house.faults() == []
