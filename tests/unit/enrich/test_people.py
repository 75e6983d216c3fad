from services.common.model import Account, AccountType
from services.enrich.people import Known, People


def person(people: People, account: str, **fields: str) -> str:
    return people.person_of(Account(id=account, **fields))  # type: ignore[arg-type]


def test_an_account_without_a_link_is_its_own_person() -> None:
    assert person(People(), "chat:ann") == "chat:ann"


def test_equal_names_and_handles_say_nothing() -> None:
    people = People()
    people.apply(Known(account="wiki:ann", handle="ann", person="ann", evidence="configured", source="wiki"))
    assert person(people, "chat:ann", name="Ann", handle="ann") == "chat:ann"


def test_a_configured_link_wins_over_an_address() -> None:
    people = People()
    people.apply(Known(account="git:1", address_hash="a"))
    people.apply(Known(account="chat:ann", address_hash="a", person="ann", evidence="configured"))
    assert person(people, "chat:ann") == "ann"
    assert person(people, "git:1") == "ann"


def test_equal_addresses_are_one_person_in_whatever_order_they_come() -> None:
    forth, back = People(), People()
    records = [Known(account=account, address_hash="a") for account in ("wiki:b", "chat:c", "git:a")]
    for record, other in zip(records, reversed(records), strict=True):
        forth.apply(record)
        back.apply(other)
    assert {person(forth, one.account) for one in records} == {person(back, one.account) for one in records}
    assert person(forth, "wiki:b") == "chat:c"


def test_an_address_on_the_activity_itself_counts() -> None:
    people = People()
    people.apply(Known(account="chat:ann", address_hash="a"))
    assert person(people, "git:zoe", address_hash="a") == "chat:ann"


def test_a_link_that_was_undone_keeps_the_account_apart_in_spite_of_its_address() -> None:
    people = People()
    people.apply(Known(account="chat:ann", address_hash="a", person="ann", evidence="configured"))
    people.apply(Known(account="git:1", address_hash="a", person="", evidence="configured"))
    assert person(people, "git:1") == "git:1"
    assert person(people, "chat:ann") == "ann"


def test_a_forgotten_account_leaves_its_group() -> None:
    people = People()
    people.apply(Known(account="chat:ann", address_hash="a", handle="ann", source="chat"))
    people.apply(Known(account="git:1", address_hash="a"))
    people.forget("chat:ann")
    people.forget("chat:nobody")
    assert person(people, "git:1") == "git:1"
    assert people.account_by_handle("chat", "ann") == ""


def test_bots_groups_and_unknown_kinds_are_nobody() -> None:
    people = People()
    people.apply(Known(account="chat:robot", automated=True))
    assert person(people, "chat:robot") == ""
    assert people.person_of_id("chat:robot") == ""
    for kind in (AccountType.SERVICE, AccountType.APPLICATION, AccountType.GROUP, AccountType.UNKNOWN):
        assert people.person_of(Account(id="x", type=kind)) == ""


def test_the_accounts_of_a_person() -> None:
    people = People()
    people.apply(Known(account="chat:ann", person="ann", evidence="configured"))
    people.apply(Known(account="git:1", person="ann", evidence="configured"))
    people.apply(Known(account="git:1", person="bob", evidence="configured"))
    assert people.accounts_of("ann") == ("ann", "chat:ann")
    assert people.accounts_of("bob") == ("bob", "git:1")
