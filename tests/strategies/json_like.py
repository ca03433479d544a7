"""What a claim may put into its parameters, hypotheses, measured and predicted values."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

numbers = st.one_of(
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.floats(width=32).map(np.float32),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.booleans().map(np.bool_),
)
arrays = npst.arrays(
    st.sampled_from([np.float64, np.int64, np.bool_]),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
values = st.recursive(
    st.one_of(st.none(), st.text(max_size=8), numbers, arrays),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=8), inner, max_size=4),
    ),
    max_leaves=12,
)
mappings = st.dictionaries(st.text(max_size=8), values, max_size=5)
