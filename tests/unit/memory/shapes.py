"""What the memory tests draw from: the variants that ship, and layouts of all of them."""

from hypothesis import strategies as st

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.precision import KVCacheDtype
from gemma_operator.catalog.variant import Variant
from gemma_operator.memory.kv_cache import KVCacheLayout, kv_cache_layout

CATALOG = builtin_catalog()
VARIANTS = st.sampled_from(CATALOG.variants)
DTYPES = st.sampled_from(list(KVCacheDtype))
SIZES = st.sampled_from([1, 2, 4, 8])
BLOCKS = st.sampled_from([16, 32, 64, 128])
LENGTHS = st.integers(1, 262_144)
IN_FLIGHT = st.integers(1, 65_536)
POOLS = st.integers(0, 80 * 2**30)


def variant(name: str) -> Variant:
    """A variant that ships."""
    found = CATALOG.variant(name)
    assert found is not None
    return found


def layouts() -> st.SearchStrategy[KVCacheLayout]:
    """Layouts of every variant, rank count, dtype and block size, with the hybrid manager on and off."""
    return st.builds(
        lambda one, size, dtype, block, hybrid: kv_cache_layout(one.text, size, dtype, block, hybrid),
        VARIANTS,
        SIZES,
        DTYPES,
        BLOCKS,
        st.booleans(),
    )
