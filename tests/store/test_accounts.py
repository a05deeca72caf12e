"""Accounts as those see them who ask whether a call may go on."""

import pytest

from minitelecom.store import accounts
from minitelecom.store.refusals import NoSuchAccount
from minitelecom.store.synchronous import run
from tests.store.shop import Shop, euro


def may_call(shop: Shop, account: int) -> bool:
    return run(accounts.may_call(shop.database, account, shop.now))


def test_an_account_of_the_shop_is_empty_and_valid_for_ever(shop: Shop) -> None:
    account = run(accounts.create(shop.database, "shop", "EUR", shop.now, zone="Europe/Sofia"))
    shop.later(10 * 365 * 24 * 3600)
    found = run(accounts.find(shop.database, account, shop.now))
    assert found == accounts.Account(account, "shop", None, "EUR", "enabled", euro("0"), euro("0"), None)
    assert may_call(shop, account)


def test_an_account_shows_its_card_and_what_is_available(shop: Shop) -> None:
    card = shop.card("100.00")
    shop.dial(card)
    found = run(accounts.find(shop.database, shop.account(card), shop.now))
    assert found is not None
    assert (found.number, found.balance, found.available) == (card.number, euro("100"), euro("28"))
    assert found.available == shop.look(card).available


def test_a_call_may_go_on_until_its_account_is_blocked_or_expires(shop: Shop) -> None:
    account = shop.account(shop.card())
    assert may_call(shop, account)
    run(accounts.set_status(shop.database, account, "disabled", "eva", shop.now))
    assert not may_call(shop, account)
    run(accounts.set_status(shop.database, account, "enabled", "eva", shop.now))
    shop.later(200 * 24 * 3600)
    assert not may_call(shop, account)


def test_the_house_is_no_customer(shop: Shop) -> None:
    shop.card()
    (house,) = run(shop.database.query("SELECT id FROM accounts WHERE kind = 'house'"))[0]
    assert run(accounts.find(shop.database, house, shop.now)) is None
    with pytest.raises(NoSuchAccount):
        run(accounts.set_status(shop.database, house, "disabled", "eva", shop.now))
    with pytest.raises(NoSuchAccount):
        run(accounts.set_status(shop.database, 4711, "disabled", "eva", shop.now))
