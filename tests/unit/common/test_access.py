"""Who may open what: unknown is no, the last record wins, a revocation takes at once."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.access import EVERYONE, AccessState, Grants
from services.common.model import Access, AccessKind, Visibility


def container(id_: str, visibility: Visibility, *principals: str) -> Access:
    return Access(id=id_, kind=AccessKind.CONTAINER, visibility=visibility, principals=principals)


def restricted(id_: str, *principals: str) -> Access:
    return Access(id=id_, kind=AccessKind.OBJECT, restricted=True, principals=principals)


def withdrawal(id_: str, *versions: str, order: int) -> Access:
    return Access(id=id_, kind=AccessKind.OBJECT, withdrawn=versions, order=order)


def state(*records: Access) -> AccessState:
    made = AccessState()
    for record in records:
        made.apply(record)
    return made


def test_a_container_without_a_record_is_nobodys() -> None:
    assert not AccessState().may_open([EVERYONE, "ann"], "wiki:secret")


def test_public_is_for_everyone_even_without_principals() -> None:
    assert state(container("wiki", Visibility.PUBLIC)).may_open([], "wiki")


def test_unknown_grants_nothing_even_to_those_it_names() -> None:
    assert not state(container("wiki", Visibility.UNKNOWN, "ann")).may_open(["ann"], "wiki")


def test_a_record_of_a_kind_from_the_future_grants_nothing() -> None:
    future = Access(id="wiki", kind=AccessKind.UNKNOWN, visibility=Visibility.PUBLIC)
    assert not state(future).may_open(["ann"], "wiki")


def test_restricted_is_for_its_principals_only() -> None:
    made = state(container("room", Visibility.RESTRICTED, "ann", "group:core"))
    assert made.may_open(["ann"], "room")
    assert made.may_open(["bob", "group:core"], "room")
    assert not made.may_open(["bob"], "room")


def test_everyone_as_a_named_principal_of_a_direct_room_is_still_everyone() -> None:
    assert state(container("room", Visibility.DIRECT, EVERYONE)).may_open(["bob"], "room")


def test_a_revocation_holds_at_once_and_names_whom_it_concerns() -> None:
    made = state(container("room", Visibility.RESTRICTED, "ann", "bob"))
    assert made.apply(container("room", Visibility.RESTRICTED, "ann")) == {"bob"}
    assert not made.may_open(["bob"], "room")
    assert made.grants_of("bob") == Grants()
    assert made.principals() == {"ann"}


def test_a_restricted_object_needs_both_its_container_and_its_own_grant() -> None:
    made = state(container("wiki", Visibility.PUBLIC), restricted("page/1", "ann"), restricted("page/2"))
    assert made.may_open(["ann"], "wiki", "page/1")
    assert not made.may_open(["bob"], "wiki", "page/1")
    assert not made.may_open(["ann"], "wiki", "page/2")
    assert made.may_open(["bob"], "wiki", "page/3")
    assert not made.may_open(["ann"], "closed", "page/1")
    assert made.grants_of("ann") == Grants(objects=frozenset({"page/1"}))
    assert made.grants_of(EVERYONE) == Grants(containers=frozenset({"wiki"}))


def test_a_withdrawal_opens_nothing() -> None:
    made = state(withdrawal("page/1", "*", order=5))
    assert made.principals() == frozenset()
    assert not made.may_open([EVERYONE], "page/1")


def test_a_deletion_withdraws_every_state_up_to_it_and_a_restore_shows_again() -> None:
    made = state(withdrawal("page/1", "*", order=50))
    assert made.withdrawn("page/1", "3", 49)
    assert made.withdrawn("page/1", "4", 50)
    assert not made.withdrawn("page/1", "4", 51)
    assert not made.withdrawn("page/2", "4", 49)


def test_a_hidden_revision_withdraws_that_one_only() -> None:
    made = state(withdrawal("page/1", "3", order=50))
    assert made.withdrawn("page/1", "3", 40)
    assert not made.withdrawn("page/1", "4", 45)
    assert not made.withdrawn("page/1", "", 45)


def test_a_withdrawal_without_a_place_holds_for_ever() -> None:
    assert state(withdrawal("page/1", "*", order=0)).withdrawn("page/1", "9", 2**58)


def test_a_tombstone_makes_a_container_nobodys() -> None:
    made = state(container("room", Visibility.RESTRICTED, "ann"))
    assert made.forget("room") == {"ann"}
    assert not made.may_open(["ann"], "room")
    assert made.forget("room") == frozenset()


def test_a_record_that_cannot_be_read_closes_its_id_until_a_good_one_comes() -> None:
    made = state(container("wiki", Visibility.PUBLIC))
    made.close("page/1")
    assert made.withdrawn("page/1", "1", 1)
    assert made.restricted("page/1")
    assert not made.may_open(["ann"], "wiki", "page/1")
    made.close("wiki")
    assert not made.may_open(["ann"], "wiki")
    made.apply(container("wiki", Visibility.PUBLIC))
    assert made.may_open(["ann"], "wiki")


_records = st.lists(
    st.builds(
        Access,
        id=st.sampled_from(["a", "b", "c"]),
        kind=st.sampled_from(AccessKind),
        visibility=st.sampled_from(Visibility),
        principals=st.lists(st.sampled_from(["ann", "bob", EVERYONE]), max_size=3).map(tuple),
        restricted=st.booleans(),
    ),
    max_size=12,
)


@given(_records)
def test_only_the_last_record_of_an_id_counts(records: list[Access]) -> None:
    full, newest = state(*records), state(*{record.id: record for record in records}.values())
    for principal in ("ann", "bob", EVERYONE):
        assert full.grants_of(principal) == newest.grants_of(principal)
    for asker in ([], ["ann"], ["bob"]):
        for place in "abc":
            for thing in ("", "a", "b"):
                assert full.may_open(asker, place, thing) == newest.may_open(asker, place, thing)
