"""How a new pod finds GPUs beside, or in place of, old ones."""

from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.planning.packing import Way, pack

COUNTS = st.integers(0, 8)
NODES = st.dictionaries(st.sampled_from("abcd"), st.tuples(COUNTS, st.lists(st.integers(1, 8), max_size=4)), min_size=1)


def test_unknown_free_gpus_are_tried() -> None:
    assert pack(4, None, {}, "L40S").way is Way.SURGE


def test_from_4_to_8_gpus_on_a_full_node_both_old_pods_go_first() -> None:
    found = pack(8, {"a": 0}, {"a": (4, 4)}, "H100-SXM")
    assert (found.way, found.max_unavailable) == (Way.REPLACE_NODE, 2)
    assert "8 × H100-SXM needed on one node, at most 0 free" in found.message


def test_the_node_where_the_fewest_must_go_is_taken() -> None:
    assert pack(2, {"a": 0, "b": 0}, {"a": (1, 1), "b": (2,)}, "L4").way is Way.REPLACE_ONE


def test_scattered_gpus_are_no_place() -> None:
    assert pack(2, {"a": 1, "b": 1}, {}, "L4").way is Way.REFUSE


@given(st.integers(1, 8), NODES)
def test_what_is_chosen_makes_room_and_one_less_would_not(needed: int, nodes: dict[str, tuple[int, list[int]]]) -> None:
    free = {name: count for name, (count, _) in nodes.items()}
    own = {name: tuple(sorted(sizes, reverse=True)) for name, (_, sizes) in nodes.items()}
    found = pack(needed, free, own, "L40S")

    def room(removed: int) -> bool:
        return any(free[name] + sum(own[name][:removed]) >= needed for name in nodes)

    if found.way is Way.REFUSE:
        assert not room(8)
    elif found.way is Way.SURGE:
        assert room(0)
    else:
        assert room(found.max_unavailable)
        assert not room(found.max_unavailable - 1)
