"""How likely it is that something found in a mail is what it is taken for."""


def likelihood(rating: float, enough: float) -> float:
    """Return a score from 0.5, for a rating that is just ``enough``, towards 1 for higher ones.

    It has two digits, and is 0.99 at most: what rules say of a text is no proof.
    """
    doubt: float = 0.5 ** (1 + (rating - enough) / 2)
    return min(round(1 - doubt, 2), 0.99)
