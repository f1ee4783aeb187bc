"""The paper's experiments: Tables 2 and 3, Figures 3, 5, 6, 7, A.1 and A.2, at its scale or at one for two cores."""
